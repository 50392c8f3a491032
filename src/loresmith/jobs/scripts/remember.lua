-- Sets a value unless there is one; with an expected value, replaces just that one.
-- KEYS  1 key
-- ARGV  1 value  2 lifetime in s  3 expected value or ''
-- returns the value that stands now
local found = redis.call('GET', KEYS[1])
if found and found ~= ARGV[3] then
  return found
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]
