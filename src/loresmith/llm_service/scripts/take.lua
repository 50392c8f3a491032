-- Lets a request to a model begin if the limits of its provider allow it now; else it keeps its place in the line.
-- Repeating it (a lost reply) lets nothing begin twice. All keys get a new lifetime.
-- KEYS  1 requests (zset: request → time in ms until which it counts)  2 tokens (zset, likewise)
--       3 weights (hash: request → tokens, and their 'sum')  4 running (zset: request → time by which it must be renewed)
--       5 line (hash: request → '<since>:<seen>')  6 paused (string)
-- ARGV  1 request  2 tokens it may use  3 4 5 the most requests and tokens of a window, and requests at once (0: any)
--       6 window in ms  7 lease in ms  8 lifetime of the keys in ms  9 ms after which one in the line that is silent is gone
-- returns {reason, ms}: '' it has begun, else why not and after how long to ask again at the latest
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, most = ARGV[1], {tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])}
local function forget_old()
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
  local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
  for _, each in ipairs(gone) do
    redis.call('HINCRBY', KEYS[3], 'sum', -(redis.call('HGET', KEYS[3], each) or 0))
    redis.call('HDEL', KEYS[3], each)
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
end
local function soon(key)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return math.max(1, math.min(250, (tonumber(first[2]) or now) - now))
end
local function first_in_line()
  local own = redis.call('HGET', KEYS[5], id)
  local since = own and string.match(own, '^%d+') or string.format('%d', now)
  redis.call('HSET', KEYS[5], id, since .. ':' .. string.format('%d', now))
  local first = true
  local line = redis.call('HGETALL', KEYS[5])
  for i = 1, #line, 2 do
    local other, seen = string.match(line[i + 1], '^(%d+):(%d+)$')
    if tonumber(seen) < now - tonumber(ARGV[9]) then
      redis.call('HDEL', KEYS[5], line[i])
    elseif tonumber(other) < tonumber(since) or (other == since and line[i] < id) then
      first = false
    end
  end
  return first
end
local function hindrance()
  forget_old()
  if not first_in_line() then
    return 'line', 100
  end
  if most[3] > 0 and redis.call('ZCARD', KEYS[4]) >= most[3] then
    return 'calls', 100
  end
  if most[1] > 0 and redis.call('ZCARD', KEYS[1]) >= most[1] then
    return 'requests', soon(KEYS[1])
  end
  if most[2] > 0 and tonumber(redis.call('HGET', KEYS[3], 'sum') or 0) + tonumber(ARGV[2]) > most[2] then
    return 'tokens', soon(KEYS[2])
  end
  return ''
end
local paused = redis.call('PTTL', KEYS[6])
if paused > 0 then
  return {'paused', paused}
end
if most[1] + most[2] + most[3] == 0 then
  return {'', 0} -- without limits nothing is counted
end
if not redis.call('ZSCORE', KEYS[4], id) then
  local reason, wait = hindrance()
  if reason ~= '' then
    redis.call('PEXPIRE', KEYS[5], ARGV[8])
    return {reason, wait}
  end
  redis.call('HDEL', KEYS[5], id)
  redis.call('ZADD', KEYS[4], now + ARGV[7], id)
  redis.call('ZADD', KEYS[1], now + ARGV[6] + math.ceil(ARGV[6] / 60), id) -- more than a window: it is on its way yet
  redis.call('ZADD', KEYS[2], now + ARGV[7] + ARGV[6], id)
  redis.call('HSET', KEYS[3], id, ARGV[2])
  redis.call('HINCRBY', KEYS[3], 'sum', ARGV[2])
end
for i = 1, 5 do
  redis.call('PEXPIRE', KEYS[i], ARGV[8])
end
return {'', 0}
