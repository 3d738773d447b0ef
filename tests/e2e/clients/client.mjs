// A client of the platform as its users write them in JavaScript: fetch, the token in a header, `error` looked at.
// It knows nothing of a gateway. Arguments: the base URL and the token; prints what it saw as JSON.

const [baseUrl, token] = process.argv.slice(2);
const [database, resource, trigger] = [1, 2, 1];
const email = "jim@example.com";
const authorization = { Authorization: `Bearer ${token}` };

async function call(method, params) {
  const response = await fetch(`${baseUrl}/${method}`, {
    method: "POST",
    headers: { ...authorization, "Content-Type": "application/json" },
    body: JSON.stringify(params),
  });
  if (!response.ok) throw new Error(`${method}: HTTP ${response.status}`);
  const reply = await response.json();
  if (reply.error !== 0) throw new Error(`${method}: ${reply.error} ${reply.error_text}`);
  return reply;
}

// A finished export. The host of its URL is the platform's: ours takes its place.
async function download(address) {
  const theirs = new URL(address);
  const response = await fetch(new URL(theirs.pathname + theirs.search, baseUrl), { headers: authorization });
  if (!response.ok) throw new Error(`download: HTTP ${response.status}`);
  return response.json();
}

async function resultOf(taskId) {
  for (let look = 0; look < 500; look++) {
    const { data } = await call("tasks/status", { task_id: taskId });
    if (data.status === "done") return data.result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`task ${taskId} does not end`);
}

const person = { matching: "email", email };
const imported = await call("profiles/import", {
  db_id: database,
  ...person,
  data: { _fname: "Jim", phones: ["+79000000000"] },
});
const profile = (await call("profiles/get", { db_id: database, ...person })).data;
const place = { db_id: database, profile_id: imported.profile_id };
await call("subscriptions/set", { ...place, resource_id: resource, channel: "email", email, status: "subscribed" });
const subscriptions = (await call("subscriptions/list", place)).data;
await call("campaigns/triggers/start", { id: trigger, ...person });
const task = await call("profiles/get_all", { source_type: "database", source_id: database, file_format: "json" });
const people = (await Promise.all((await resultOf(task.data.task_id)).urls.map(download))).flat();

console.log(
  JSON.stringify({
    profile_id: imported.profile_id,
    name: profile._fname,
    phone: profile.phones[0],
    subscribed: subscriptions.map((entry) => entry.resource_id),
    exported: people.filter((one) => one.email === email).length,
  }),
);
