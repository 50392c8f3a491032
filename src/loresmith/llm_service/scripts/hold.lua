-- Renews the leases of requests under way, so that they are not taken for those of a process that died.
-- KEYS  as of take
-- ARGV  1 window in ms  2 lease in ms  3 lifetime of the keys in ms, then the requests
-- returns how many of them are still known
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = 0
for i = 4, #ARGV do
  if redis.call('HEXISTS', KEYS[3], ARGV[i]) == 1 then
    redis.call('ZADD', KEYS[4], now + ARGV[2], ARGV[i])
    redis.call('ZADD', KEYS[2], now + ARGV[2] + ARGV[1], ARGV[i])
    known = known + 1
  end
end
for i = 1, 5 do
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
end
return known
