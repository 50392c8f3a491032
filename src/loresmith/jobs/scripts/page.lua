-- Reads a stretch of an index, newest first, that follows a member; the member itself may be gone by now.
-- KEYS  1 index (zset)
-- ARGV  1 score of the member, or '' to begin with the newest  2 member  3 how many at the most
-- returns flat pairs of member and score
local start = 0
if ARGV[1] ~= '' then
  local rank = redis.call('ZREVRANK', KEYS[1], ARGV[2])
  if rank then
    start = rank + 1
  else
    start = redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], '+inf')
    for _, member in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[1])) do
      if member > ARGV[2] then
        start = start + 1
      end
    end
  end
end
local found = redis.call('ZREVRANGE', KEYS[1], start, start + ARGV[3] - 1, 'WITHSCORES')
local out = {}
for i = 1, #found do
  out[i] = tostring(found[i])
end
return out
