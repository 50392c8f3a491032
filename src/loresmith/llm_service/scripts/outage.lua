-- Reads, or notes, whether a provider is down; a note ends the probe.
-- KEYS  1 outage (string: round of probes, 0 once the provider is up)  2 probe (string)
-- ARGV  none to read, or 1 round  2 ms for which it holds
-- returns {round, ms that are left}; {'0', 0} when nothing holds
if ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  redis.call('DEL', KEYS[2])
end
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then
  return {'0', 0}
end
return {redis.call('GET', KEYS[1]), left}
