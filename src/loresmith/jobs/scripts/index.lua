-- Notes members by time in an index, a hint for listing: jobs of an owner, workers. Drops what is older than twice the
-- lifetime.
-- KEYS  1 index (zset)
-- ARGV  1 lifetime in s, then pairs of time in ms and member
for from = 2, #ARGV, 2000 do
  redis.call('ZADD', KEYS[1], unpack(ARGV, from, math.min(from + 1999, #ARGV)))
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[#ARGV - 1] - 2 * ARGV[1] * 1000)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
