-- Puts an entry before the others of a bounded list, which is forgotten when nothing is added for long. Repeating it
-- (a lost reply) changes nothing: entries name a moment.
-- KEYS  1 list
-- ARGV  1 entry  2 the most entries  3 lifetime in s
-- returns 1 added, 0 there already
local found = redis.call('LPOS', KEYS[1], ARGV[1], 'MAXLEN', 32)
if not found then
  redis.call('LPUSH', KEYS[1], ARGV[1])
  redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return found and 0 or 1
