-- Makes one process the one that probes a provider which was down.
-- KEYS  1 outage (string)  2 probe (string)
-- ARGV  1 ms for which the others keep away
-- returns 1 the caller probes, 0 another does, or one has noted meanwhile what it found
if redis.call('PTTL', KEYS[1]) > 0 then
  return 0
end
return redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) and 1 or 0
