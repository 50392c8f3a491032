-- Puts a job that did not end back: into its stream at once, or among the scheduled with a delay.
-- Only the worker whose entry it still is does so; repeating it changes nothing. One that rescued the entry meanwhile
-- goes on with the job: were the entry taken from it, its lease would name one that is gone, and all others be dropped.
-- The delivery tells two claims of one consumer apart, with another's in between; renewals do not count as one.
-- KEYS  1 stream  2 scheduled (zset)
-- ARGV  1 group  2 entry id  3 letter of the stream  4 reference  5 delay in ms  6 consumer  7 number of the delivery
-- returns 1 put back, 0 it was not ours to put back
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1, ARGV[6])
if pending.err or #pending == 0 or pending[1][4] ~= tonumber(ARGV[7]) then
  return 0
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
local delay = tonumber(ARGV[5])
if delay <= 0 then
  redis.call('XADD', KEYS[1], '*', 'job', ARGV[4])
else
  local time = redis.call('TIME')
  local due = time[1] * 1000 + math.floor(time[2] / 1000) + delay
  redis.call('ZADD', KEYS[2], due, ARGV[3] .. ':' .. ARGV[4])
end
return 1
