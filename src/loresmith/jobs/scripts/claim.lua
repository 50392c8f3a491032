-- Claims released jobs for one consumer, at most as many as it has free slots; never blocks.
-- KEYS  1 2 3 streams high, normal, low  4 paused
-- ARGV  1 group  2 consumer  3 free slots  4 5 6 share of each stream that is looked at first
-- returns {entries, last ids}: entries as flat triples letter, entry id, reference;
--         last ids of the three streams, to wait behind, when fewer than asked were there
local letters = {'h', 'n', 'l'}
local left = tonumber(ARGV[3])
local out = {}
local function read(i, count)
  return redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', count, 'STREAMS', KEYS[i], '>')
end
local function take(i, count)
  if count <= 0 then
    return
  end
  local reply = read(i, count)
  if reply and reply.err then
    redis.call('XGROUP', 'CREATE', KEYS[i], ARGV[1], '0', 'MKSTREAM')
    reply = read(i, count)
  end
  if reply and reply[1] then
    for _, entry in ipairs(reply[1][2]) do
      out[#out + 1] = letters[i]
      out[#out + 1] = entry[1]
      out[#out + 1] = entry[2][2]
      left = left - 1
    end
  end
end
if redis.call('EXISTS', KEYS[4]) == 0 then
  for i = 1, 3 do
    take(i, math.min(left, tonumber(ARGV[3 + i])))
  end
  for i = 1, 3 do
    take(i, left)
  end
end
local last = {}
if left > 0 then
  for i = 1, 3 do
    local info = redis.pcall('XINFO', 'STREAM', KEYS[i])
    last[i] = '0-0'
    if not info.err then
      for j = 1, #info, 2 do
        if info[j] == 'last-generated-id' then
          last[i] = info[j + 1]
        end
      end
    end
  end
end
return {out, last}
