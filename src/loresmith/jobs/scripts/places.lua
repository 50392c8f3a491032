-- Tells the places of waiting jobs: how many open ones were due before, without those that workers hold.
-- KEYS  1 open (zset)  2 3 4 streams high, normal, low
-- ARGV  1 group, then for each job the time in ms by which it must have started
-- returns the places, from 1
local held = 0
for i = 2, 4 do
  local pending = redis.pcall('XPENDING', KEYS[i], ARGV[1])
  if not pending.err then
    held = held + pending[1]
  end
end
local places = {}
for i = 2, #ARGV do
  places[i - 1] = math.max(1, redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[i]) - held + 1)
end
return places
