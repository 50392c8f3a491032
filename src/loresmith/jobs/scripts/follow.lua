-- Hands ended jobs to one reader of a group: first those whose reader fell silent, then new ones. Makes the group when
-- it is missing, from the first entry on. Entries that were trimmed away are acknowledged.
-- KEYS  1 ended (stream)
-- ARGV  1 group  2 consumer  3 idle ms that count as silent  4 entries at the most  5 cursor of the last look, or '0-0'
-- returns {cursor, entries}: entries as flat pairs entry id, job id
local out = {}
local reply = redis.pcall('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[5], 'COUNT', ARGV[4], 'JUSTID')
if reply.err then
  if not string.find(reply.err, 'NOGROUP', 1, true) then
    return reply
  end
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
  reply = {'0-0', {}}
end
local room = tonumber(ARGV[4])
for _, id in ipairs(reply[2]) do
  local entry = redis.call('XRANGE', KEYS[1], id, id)[1]
  if entry then
    out[#out + 1] = id
    out[#out + 1] = entry[2][2]
    room = room - 1
  else
    redis.call('XACK', KEYS[1], ARGV[1], id)
  end
end
if room > 0 then
  local new = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', room, 'STREAMS', KEYS[1], '>')
  for _, entry in ipairs(new and new[1][2] or {}) do
    out[#out + 1] = entry[1]
    out[#out + 1] = entry[2][2]
  end
end
return {reply[1], out}
