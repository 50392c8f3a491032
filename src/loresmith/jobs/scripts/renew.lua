-- Renews the entries that are still this consumer's, and only those: an unconditional claim would steal a rescued one.
-- KEYS  1 stream
-- ARGV  1 group  2 consumer, then entry ids
-- returns the entry ids that are no longer this consumer's
local lost = {}
for i = 3, #ARGV do
  local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if pending.err or #pending == 0 then
    lost[#lost + 1] = ARGV[i]
  else
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  end
end
return lost
