-- Asks for a cancel: durable, and the same when asked twice. The messages are hints only.
-- KEYS  1 document  2 lease  3 cancel
-- ARGV  1 mark  2 lifetime in s  3 channel of the workers  4 job id  5 channel of the job
-- returns '' no such job, otherwise its lease: 'end', '<run>:' waiting, '<run>:<worker>:<entry>' running
local found = redis.call('MGET', KEYS[1], KEYS[2])
local document, lease = found[1], found[2]
if not lease or not document then
  return ''
end
if lease ~= 'end' then
  local new = redis.call('SET', KEYS[3], ARGV[1], 'NX', 'EX', ARGV[2])
  if new and string.sub(lease, -1) ~= ':' then -- one that waits ends at once
    redis.call('PUBLISH', ARGV[5], '{"cancelling":true,"items":{},"job":' .. document .. '}')
  end
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return lease
