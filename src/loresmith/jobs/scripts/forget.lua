-- Removes an entry whose job is run through another one, if the entry is still this consumer's: a worker that rescued it
-- may have begun the job through it by now.
-- KEYS  1 stream
-- ARGV  1 group  2 consumer  3 entry id  4 number of the delivery
-- returns 1 removed, 0 left alone
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if pending.err or #pending == 0 or pending[1][4] ~= tonumber(ARGV[4]) then
  return 0
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
return redis.call('XDEL', KEYS[1], ARGV[3])
