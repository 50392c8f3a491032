-- Settles a reservation with what was used. Repeating it changes nothing.
-- KEYS  1 account, as of reserve
-- ARGV  1 request  2 tokens used  3 nano-dollars used  4 lifetime of the key in ms
-- returns 1 if there was a reservation
if redis.call('HDEL', KEYS[1], 'r:' .. ARGV[1]) == 0 then
  return 0
end
redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'nano', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
