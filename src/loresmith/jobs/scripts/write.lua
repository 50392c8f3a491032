-- Replaces the document of a job, if the lease is what the writer expects: the one way a document changes.
-- Repeating it (a lost reply) changes nothing and says yes again. The message holds JSON as it came, put together.
-- KEYS  1 document  2 lease  3 input  4 items (hash)  5 cancel
-- ARGV  1 expected lease  2 new lease  3 document  4 lifetime in s  5 channel
--       6 '1': refuse when a cancel was asked for  7 items: '' there are none, 'keep', or 'drop': the document has them as its result
--       then pairs of index and value: items finished since the last write
-- returns 0 lost to another writer, 1 written, 2 refused for the cancel mark, 3 written and a cancel is asked for
local found = redis.call('MGET', KEYS[2], KEYS[5])
if found[1] ~= ARGV[1] then
  if redis.call('GET', KEYS[1]) == ARGV[3] then
    return 1
  end
  return 0
end
local cancelled = found[2]
if cancelled and ARGV[6] == '1' then
  return 2
end
redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[4])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[4])
local items = {}
for i = 8, #ARGV, 2 do
  redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
  if string.find(ARGV[i], '^%d+$') then
    items[#items + 1] = '"' .. ARGV[i] .. '":' .. ARGV[i + 1]
  end
end
if ARGV[7] == 'drop' then
  redis.call('DEL', KEYS[4])
elseif ARGV[7] == 'keep' then
  redis.call('EXPIRE', KEYS[4], ARGV[4])
end
if cancelled then
  redis.call('EXPIRE', KEYS[5], ARGV[4])
end
redis.call('PUBLISH', ARGV[5], '{"cancelling":' .. (cancelled and 'true' or 'false')
  .. ',"items":{' .. table.concat(items, ',') .. '},"job":' .. ARGV[3] .. '}')
return cancelled and 3 or 1
