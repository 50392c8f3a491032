-- Lets no request of a provider begin for a while; a pause that lasts longer already stays as it is.
-- KEYS  1 paused (string)
-- ARGV  1 ms
-- returns the ms that are left of the pause
local left = redis.call('PTTL', KEYS[1])
if left < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
  return tonumber(ARGV[1])
end
return left
