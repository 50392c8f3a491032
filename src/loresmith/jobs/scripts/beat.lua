-- Writes what a worker says of itself, with its lifetime.
-- KEYS  1 worker (hash)
-- ARGV  1 lifetime in s, then pairs of field and value
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return redis.call('EXPIRE', KEYS[1], ARGV[1])
