-- Renews the lifetime of an open job's keys, so that a job which waits or runs for long does not expire.
-- KEYS  1 lease  2 document  3 input  4 items  5 cancel  6 retry
-- ARGV  1 lifetime in s
-- returns the lease, '' when the job is gone
local lease = redis.call('GET', KEYS[1])
if not lease or redis.call('EXISTS', KEYS[2]) == 0 then
  return ''
end
if lease ~= 'end' then
  for i = 1, #KEYS do
    redis.call('EXPIRE', KEYS[i], ARGV[1])
  end
end
return lease
