"""What Redis does in one step, where several keys must change as one or what is there decides.

Each script says the rule that it enforces. None reads Redis' clock but `BEAT` and `TAKE`: times are the
caller's, in milliseconds of the clock that all gateways share (see `link`), so that expiry in Redis only
clears away.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A script under the name that Redis gives it."""

    text: bytes
    sha: bytes

    @classmethod
    def of(cls, text: str) -> "Script":
        data = text.strip().encode()
        return cls(data, hashlib.sha1(data, usedforsecurity=False).hexdigest().encode())


LOOKUP = Script.of("""
-- A reply is given while the generation of each of its tags is the one that its read began under.
local kept = redis.call('HMGET', KEYS[1], 't', 'g', 'e')
if not kept[1] then return false end
local names, count = {}, #kept[2] / 16
local length = #kept[1] / count
for i = 1, count do names[i] = string.sub(kept[1], (i - 1) * length + 1, i * length) end
local found = redis.call('MGET', unpack(names))
for i = 1, count do
  if found[i] ~= string.sub(kept[2], (i - 1) * 16 + 1, i * 16) then return false end
end
return kept[3]
""")

BEGIN_READ = Script.of("""
-- A read begins under the generation of each tag; a tag without one gets one that was never used before.
-- The end of a hold is a change, also when nobody ended it. Answers the generations, and when the first of
-- the holds on the tags ends: -1 when there is none.
local n, now, ttl = #KEYS / 2, ARGV[1], tonumber(ARGV[3])
local found, till = {}, -1
for i = 1, n do
  local tag, hold = KEYS[i], KEYS[n + i]
  if redis.call('ZREMRANGEBYSCORE', hold, '-inf', now) > 0 then redis.call('DEL', tag) end
  local first = redis.call('ZRANGE', hold, 0, 0, 'WITHSCORES')[2]
  if first and (till < 0 or tonumber(first) < till) then till = tonumber(first) end
  local value = redis.call('GET', tag)
  if not value then
    value = ARGV[2] .. string.format('%02d', i)
    redis.call('SET', tag, value, 'PX', ttl)
  elseif redis.call('PTTL', tag) < ttl / 2 then
    redis.call('PEXPIRE', tag, ttl)
  end
  found[i] = value
end
return {table.concat(found), till}
""")

STORE = Script.of("""
-- A reply is kept only when nothing has changed since its read began, and never in the place of one whose
-- read began later. Its generations live at least as long as it does.
local names = {}
for i = 2, #KEYS do names[i - 1] = KEYS[i] end
local found = redis.call('MGET', unpack(names))
for i = 1, #names do if not found[i] then return 0 end end
if table.concat(found) ~= ARGV[1] then return 0 end
local started = redis.call('HGET', KEYS[1], 's')
if started and tonumber(started) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[2], 't', table.concat(names), 'g', ARGV[1], 'e', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
for i = 1, #names do
  if redis.call('PTTL', names[i]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', names[i], ARGV[4]) end
end
return 1
""")

BEGIN_WRITE = Script.of("""
-- A write changes its tags and holds them until its lease ends. The change comes first: Redis lets a script
-- that has begun to write go on when memory is short, and a mark must not fail for that.
local n = #KEYS / 2
for i = 1, n do redis.call('DEL', KEYS[i]) end
for i = n + 1, 2 * n do
  redis.call('ZADD', KEYS[i], ARGV[1], ARGV[2])
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
end
return 1
""")

END_WRITE = Script.of("""
-- The end changes the tags once more, and lets go; where the platform goes on, another hold follows.
local n = #KEYS / 2
for i = 1, n do redis.call('DEL', KEYS[i]) end
for i = n + 1, 2 * n do
  redis.call('ZREM', KEYS[i], ARGV[1])
  if ARGV[2] ~= '' then
    redis.call('ZADD', KEYS[i], ARGV[2], ARGV[1] .. 's')
    if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
  end
end
return 1
""")

CHANGE = Script.of("""
-- A purge changes its tags in one step. Answers the generations that ended.
local ended = redis.call('MGET', unpack(KEYS))
redis.call('DEL', unpack(KEYS))
return ended
""")

SWAP = Script.of("""
-- A flight changes only from the state that its changer saw; each state has a stamp of its own. The same
-- change sent twice, because its reply was lost, is one. With its end come the word to those who wait
-- elsewhere and the wake-up, in the same step. When memory is short no flight begins, but one that is there
-- may end: the expiry is set first, and Redis lets a script that has begun to write go on.
local there = redis.call('HGET', KEYS[1], 's') or ''
if there ~= ARGV[1] then
  if there == ARGV[2] then return 1 end
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  if there ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
  redis.call('HSET', KEYS[1], 's', ARGV[2], 'h', ARGV[3])
  if ARGV[4] == '' then redis.call('HDEL', KEYS[1], 'a')
  elseif ARGV[4] ~= '=' then redis.call('HSET', KEYS[1], 'a', ARGV[4]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
if ARGV[6] ~= '' then
  redis.call('SET', KEYS[2], ARGV[6], 'PX', ARGV[7])
  for i = 9, #ARGV do redis.call('PUBLISH', ARGV[i], ARGV[8]) end
end
return 1
""")

BEAT = Script.of("""
-- A gateway lives while it says so. Answers whether Redis still knew of it, and Redis' time. To renew comes
-- first, so that it goes on when memory is short.
local there = redis.call('PEXPIRE', KEYS[1], ARGV[1])
if there == 0 then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
local time = redis.call('TIME')
return {there, time[1], time[2]}
""")

TAKE = Script.of("""
-- A request takes its turn from what all gateways share, as `policy.pacing.take` does, by Redis' own clock.
-- All is in microseconds. Answers the wait, and whether the turn was taken.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = math.max(0, due - tonumber(ARGV[2]) - now)
if wait > tonumber(ARGV[3]) then return {wait, 0} end
due = due + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000) + 1000)
return {wait, 1}
""")

ALL = (LOOKUP, BEGIN_READ, STORE, BEGIN_WRITE, END_WRITE, CHANGE, SWAP, BEAT, TAKE)
