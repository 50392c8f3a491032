-- Writes a new job, unless its intent is so old that it may have been promoted and dropped already.
-- KEYS  1 document  2 input  3 lease  4 items (hash)
-- ARGV  1 document  2 input  3 lifetime in s  4 time of the intent in ms  5 greatest age of the intent in ms
--       then pairs of index and value: items carried over from an earlier job
-- returns 1 written, 2 was there already (a repeat after a lost reply), 0 intent too old
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[4]) > tonumber(ARGV[5]) then
  return redis.call('EXISTS', KEYS[1]) == 1 and 2 or 0
end
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[3]) then
  return 2
end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
redis.call('SET', KEYS[3], '0:', 'EX', ARGV[3])
for i = 6, #ARGV, 2 do
  redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
end
if #ARGV > 5 then
  redis.call('EXPIRE', KEYS[4], ARGV[3])
end
return 1
