-- Reads a job as clients see it: its document, its finished items and its cancel mark at one moment.
-- KEYS  1 document  2 items (hash)  3 cancel  4 input
-- ARGV  1 '1' to read what it was submitted with, too
-- returns {document, cancel mark or '', input or '', items...}, nothing for a job that is gone
local found = redis.call('MGET', KEYS[1], KEYS[3])
if not found[1] then
  return {}
end
local reply = {found[1], found[2] or '', ARGV[1] == '1' and redis.call('GET', KEYS[4]) or ''}
local items = redis.call('HGETALL', KEYS[2])
for i = 1, #items do
  reply[3 + i] = items[i]
end
return reply
