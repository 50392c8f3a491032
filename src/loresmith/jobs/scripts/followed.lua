-- Acknowledges ended jobs that a group has followed, and trims the stream up to the first entry that a group still
-- needs: one that was given to a reader and not acknowledged, else the last that was given out. The newest entries stay
-- for the figures of the queue; they are counted out only when there are twice as many.
-- KEYS  1 ended (stream)
-- ARGV  1 group  2 how many stay  then entry ids
-- returns the number of entries that were removed
for from = 3, #ARGV, 2000 do
  redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, from, math.min(from + 1999, #ARGV)))
end
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local function before(one, other)
  local ms, seq = parts(one)
  local other_ms, other_seq = parts(other)
  return ms < other_ms or (ms == other_ms and seq < other_seq)
end
local stay = tonumber(ARGV[2])
if redis.call('XLEN', KEYS[1]) <= 2 * stay then
  return 0
end
local needed
if stay > 0 then
  needed = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', stay)[stay][1]
end
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
for _, group in ipairs(groups.err and {} or groups) do
  local info = {}
  for i = 1, #group, 2 do
    info[group[i]] = group[i + 1]
  end
  local first = info['last-delivered-id']
  if info.pending > 0 then
    first = redis.call('XPENDING', KEYS[1], info.name)[2]
  end
  if not needed or before(first, needed) then
    needed = first
  end
end
return needed and redis.call('XTRIM', KEYS[1], 'MINID', needed) or 0
