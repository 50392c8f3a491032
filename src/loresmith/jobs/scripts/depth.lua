-- Counts what is in a queue, and names those of its jobs that ended last.
-- KEYS  1 2 3 streams high, normal, low  4 scheduled (zset)  5 open (zset)  6 ended (stream)  7 paused
-- ARGV  1 group  2 how many that ended
-- returns {waiting high, normal, low, held by workers, scheduled, open, 1 when paused, time in ms, {time in ms, id, ...},
--          time in ms at which the entry that waits longest was released, 0 when none waits}
local function first_waiting(stream)
  local after = '-'
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, facts in ipairs(groups.err and {} or groups) do
    local named = {}
    for i = 1, #facts, 2 do
      named[facts[i]] = facts[i + 1]
    end
    if named['name'] == ARGV[1] then
      after = '(' .. named['last-delivered-id']
    end
  end
  local entry = redis.call('XRANGE', stream, after, '+', 'COUNT', 1)[1]
  return entry and tonumber(string.match(entry[1], '^%d+'))
end

local reply, held, oldest = {}, 0, nil
for i = 1, 3 do
  local pending = redis.pcall('XPENDING', KEYS[i], ARGV[1])
  local count = pending.err and 0 or pending[1]
  held = held + count
  reply[i] = redis.call('XLEN', KEYS[i]) - count
  local released = first_waiting(KEYS[i])
  if released and (not oldest or released < oldest) then
    oldest = released
  end
end
reply[4] = held
reply[5] = redis.call('ZCARD', KEYS[4])
reply[6] = redis.call('ZCARD', KEYS[5])
reply[7] = redis.call('EXISTS', KEYS[7])
local time = redis.call('TIME')
reply[8] = time[1] * 1000 + math.floor(time[2] / 1000)
local ended = {}
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[6], '+', '-', 'COUNT', ARGV[2])) do
  ended[#ended + 1] = string.match(entry[1], '^%d+')
  ended[#ended + 1] = entry[2][2]
end
reply[9] = ended
reply[10] = oldest or 0
return reply
