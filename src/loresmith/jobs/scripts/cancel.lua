-- Asks for a cancel: durable, and the same when asked twice. The message is a hint only.
-- KEYS  1 document  2 lease  3 cancel
-- ARGV  1 mark  2 lifetime in s  3 channel  4 job id
-- returns '' no such job, otherwise its lease: 'end', '<run>:' waiting, '<run>:<worker>:<entry>' running
local lease = redis.call('GET', KEYS[2])
if not lease or redis.call('EXISTS', KEYS[1]) == 0 then
  return ''
end
if lease ~= 'end' then
  redis.call('SET', KEYS[3], ARGV[1], 'NX', 'EX', ARGV[2])
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return lease
