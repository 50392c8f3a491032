-- Claims entries whose worker has fallen silent; paced, so that a fleet sweeps as often as one worker would, but for
-- one that took all it had room for: there may be more, so that the next may sweep at once.
-- A sweep goes on to the end of each pending list and from its start again, since XAUTOCLAIM looks at ten entries for
-- each that it may claim: few free slots must not make a long list take minutes. The cursor is kept between sweeps.
-- One that was sent a second ago or more finds idle times that ran on while Redis stood still: it takes nothing.
-- KEYS  1 sweep  2 cursor (hash)  3 4 5 streams high, normal, low
-- ARGV  1 group  2 consumer  3 idle ms that count as dead  4 pace in ms  5 entries at the most
--       6 time by Redis's clock when it was sent, in ms, or ''
-- returns flat quadruples letter, entry id, reference, number of the delivery; {'late'} when it came late
local out = {}
if ARGV[6] ~= '' then
  local time = redis.call('TIME')
  if time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[6]) > 1000 then
    return {'late'}
  end
end
if not redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PX', ARGV[4]) then
  return out
end
local room = tonumber(ARGV[5])
local function sweep(key, letter)
  local start = redis.call('HGET', KEYS[2], letter) or '0-0'
  local rounds = start == '0-0' and 1 or 2
  local calls = 0
  while room > 0 and rounds > 0 and calls < 1000 do
    local reply = redis.pcall('XAUTOCLAIM', key, ARGV[1], ARGV[2], ARGV[3], start, 'COUNT', room)
    if reply.err then
      return
    end
    calls = calls + 1
    start = reply[1]
    if start == '0-0' then
      rounds = rounds - 1
    end
    for _, entry in ipairs(reply[2]) do
      if entry and entry[2] then
        room = room - 1
        out[#out + 1] = letter
        out[#out + 1] = entry[1]
        out[#out + 1] = entry[2][2]
        out[#out + 1] = redis.call('XPENDING', key, ARGV[1], entry[1], entry[1], 1)[1][4]
      end
    end
    redis.call('HSET', KEYS[2], letter, start)
  end
end
for i, letter in ipairs({'h', 'n', 'l'}) do
  sweep(KEYS[i + 2], letter)
end
if room <= 0 then
  redis.call('DEL', KEYS[1])
end
redis.call('EXPIRE', KEYS[2], 86400)
return out
