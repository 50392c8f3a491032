-- Removes an entry whose job is run through another one, if the entry is still this consumer's: a worker that rescued it
-- may have begun the job through it by now. Where the other one is with no worker any more, this one stays: it is all
-- that the job has.
-- KEYS  1 stream  2 stream of the entry that the job is held through
-- ARGV  1 group  2 consumer  3 entry id  4 number of the delivery  5 id of the entry that the job is held through
-- returns 1 removed, 0 left alone, -1 left because the other one is gone
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if pending.err or #pending == 0 or pending[1][4] ~= tonumber(ARGV[4]) then
  return 0
end
local holder = redis.pcall('XPENDING', KEYS[2], ARGV[1], ARGV[5], ARGV[5], 1)
if holder.err or #holder == 0 then
  return -1
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
return redis.call('XDEL', KEYS[1], ARGV[3])
