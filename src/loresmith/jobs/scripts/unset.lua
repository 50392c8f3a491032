-- Removes a value if it is the expected one: what somebody else has set meanwhile stays.
-- KEYS  1 key
-- ARGV  1 expected value
-- returns 1 removed, 0 not
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
