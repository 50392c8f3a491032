-- Releases jobs to the workers: those named, or, when none is named, those that are due.
-- A job enters a stream only if it was still scheduled, so that two callers never release it twice.
-- A reference may name bounds, `<id>[:<owner or type>:<running limit>]…`: while one of them has as many running as
-- allowed, the job waits in its list; each end releases the next.
-- KEYS  1 scheduled (zset)  2 3 4 streams high, normal, low  5 prefix of the owners' keys
-- ARGV  1 how many due ones at the most, then pairs of member `<h|n|l>:<reference>` and delay in ms;
--       one with a delay becomes due then, now that its document is written
-- returns the number that left the schedule
local stream = {h = KEYS[2], n = KEYS[3], l = KEYS[4]}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function enter(member)
  local reference = string.sub(member, 3)
  if not string.find(reference, ':', 1, true) then
    redis.call('XADD', stream[string.sub(member, 1, 1)], '*', 'job', reference)
    return
  end
  for owner, limit in string.gmatch(reference, ':([^:]+):(%d+)') do
    local running = KEYS[5] .. ':running:' .. owner
    if redis.call('SISMEMBER', running, reference) == 0 and redis.call('SCARD', running) >= tonumber(limit) then
      redis.call('RPUSH', KEYS[5] .. ':waiting:' .. owner, member)
      return
    end
  end
  for owner in string.gmatch(reference, ':([^:]+):%d+') do
    redis.call('SADD', KEYS[5] .. ':running:' .. owner, reference)
  end
  redis.call('XADD', stream[string.sub(member, 1, 1)], '*', 'job', reference)
end
local released, named, seen = 0, {}, {}
if #ARGV == 1 then
  named = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
end
for i = 2, #ARGV, 2 do
  if tonumber(ARGV[i + 1]) > 0 then
    redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[i + 1]), ARGV[i])
  elseif not seen[ARGV[i]] then
    seen[ARGV[i]] = true
    named[#named + 1] = ARGV[i]
  end
end
for from = 1, #named, 2000 do
  local to = math.min(from + 1999, #named)
  local scores = redis.call('ZMSCORE', KEYS[1], unpack(named, from, to))
  redis.call('ZREM', KEYS[1], unpack(named, from, to))
  for i = 1, #scores do
    if scores[i] then
      enter(named[from + i - 1])
      released = released + 1
    end
  end
end
return released
