-- Ends a request: from now on its tokens count with what it used, for a window; one that never began is forgotten.
-- Repeating it changes nothing.
-- KEYS  as of take
-- ARGV  1 request  2 tokens it used, or '' when the provider never saw it  3 window in ms  4 lifetime of the keys in ms
-- returns 1 if it was there
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id = ARGV[1]
redis.call('HDEL', KEYS[5], id)
local running = redis.call('ZREM', KEYS[4], id)
local weight = redis.call('HGET', KEYS[3], id)
if not weight then
  return running
end
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
  redis.call('HINCRBY', KEYS[3], 'sum', -weight)
elseif running == 1 then
  redis.call('HSET', KEYS[3], id, ARGV[2])
  redis.call('HINCRBY', KEYS[3], 'sum', ARGV[2] - weight)
  redis.call('ZADD', KEYS[2], now + ARGV[3], id)
end
for i = 1, 5 do
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
end
return 1
