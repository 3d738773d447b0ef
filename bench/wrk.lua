-- Arguments: path, content type, body template, distinct bodies. Prints one JSON line when it is done.
local requests, sent = {}, 0

function init(args)
  wrk.headers["Content-Type"] = args[2]
  for number = 1, tonumber(args[4]) do
    local body = string.gsub(args[3], "%%06d", string.format("%06d", number))
    requests[number] = wrk.format("POST", args[1], nil, body)
  end
end

function request()
  sent = sent + 1
  return requests[sent % #requests + 1]
end

function done(summary, latency)
  local errors, failed = summary.errors, 0
  for _, kind in ipairs({ "connect", "read", "write", "status", "timeout" }) do
    failed = failed + errors[kind]
  end
  io.write(string.format('\n{"calls":%d,"seconds":%.6f,"p50":%.6f,"p99":%.6f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, failed))
end
