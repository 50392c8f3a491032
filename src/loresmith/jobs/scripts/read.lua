-- Reads a job as clients see it: its document and its finished items at one moment.
-- KEYS  1 document  2 items (hash)
-- returns {items..., document}, nothing for a job that is gone
local document = redis.call('GET', KEYS[1])
if not document then
  return {}
end
local reply = redis.call('HGETALL', KEYS[2])
reply[#reply + 1] = document
return reply
