-- Puts a job that did not end back: into its stream at once, or among the scheduled with a delay. One with a delay takes
-- no place meanwhile: the next of its owner and of its other bounds is released, `enter` is that of the script release.
-- Only the worker whose entry it still is does so; repeating it changes nothing. One that rescued the entry meanwhile
-- goes on with the job: were the entry taken from it, its lease would name one that is gone, and all others be dropped.
-- The delivery tells two claims of one consumer apart, with another's in between; renewals do not count as one.
-- KEYS  1 2 3 streams high, normal, low  4 scheduled (zset)  5 prefix of the owners' keys
-- ARGV  1 group  2 entry id  3 letter of the stream  4 reference  5 delay in ms  6 consumer  7 number of the delivery
-- returns 1 put back, 0 it was not ours to put back
local stream = {h = KEYS[1], n = KEYS[2], l = KEYS[3]}
local own = stream[ARGV[3]]
local pending = redis.pcall('XPENDING', own, ARGV[1], ARGV[2], ARGV[2], 1, ARGV[6])
if pending.err or #pending == 0 or pending[1][4] ~= tonumber(ARGV[7]) then
  return 0
end
redis.call('XACK', own, ARGV[1], ARGV[2])
redis.call('XDEL', own, ARGV[2])
local delay = tonumber(ARGV[5])
if delay <= 0 then
  redis.call('XADD', own, '*', 'job', ARGV[4])
  return 1
end
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + delay
redis.call('ZADD', KEYS[4], due, ARGV[3] .. ':' .. ARGV[4])
local function enter(member)
  local reference = string.sub(member, 3)
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
for owner in string.gmatch(ARGV[4], ':([^:]+):%d+') do
  redis.call('SREM', KEYS[5] .. ':running:' .. owner, ARGV[4])
end
for owner, limit in string.gmatch(ARGV[4], ':([^:]+):(%d+)') do
  local tries = redis.call('LLEN', KEYS[5] .. ':waiting:' .. owner)
  while tries > 0 and redis.call('SCARD', KEYS[5] .. ':running:' .. owner) < tonumber(limit) do
    enter(redis.call('LPOP', KEYS[5] .. ':waiting:' .. owner))
    tries = tries - 1
  end
end
return 1
