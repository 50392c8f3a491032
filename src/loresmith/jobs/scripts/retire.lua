-- Forgets consumers that hold nothing and have been silent for some time; one that holds an entry is never deleted.
-- KEYS  streams
-- ARGV  1 group  2 idle ms that count as gone  3 consumer, '' for all
-- returns the number deleted
local deleted = 0
for i = 1, #KEYS do
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[i], ARGV[1])
  if not consumers.err then
    for _, consumer in ipairs(consumers) do
      local info = {}
      for j = 1, #consumer, 2 do
        info[consumer[j]] = consumer[j + 1]
      end
      if (ARGV[3] == '' or ARGV[3] == info.name) and info.pending == 0 and info.idle > tonumber(ARGV[2]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[i], ARGV[1], info.name)
        deleted = deleted + 1
      end
    end
  end
end
return deleted
