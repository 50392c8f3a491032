-- Reserves a part of a budget for a request to a model; what is reserved and never settled counts as used.
-- Repeating it (a lost reply) reserves nothing twice. The key gets a new lifetime.
-- KEYS  1 account (hash: 'tokens', 'nano' used so far; `r:<request>` → '<until>:<tokens>:<nano>', reserved)
-- ARGV  1 request  2 tokens  3 nano-dollars  4 5 the most of each ('': any)  6 ms for which the reservation holds
--       7 lifetime of the key in ms
-- returns 1 reserved, 0 too little is left, 2 enough may be left once others have settled
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local used, reserved = {0, 0}, {0, 0}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'tokens' then
    used[1] = used[1] + value
  elseif name == 'nano' then
    used[2] = used[2] + value
  else
    local till, tokens, nano = string.match(value, '^(%d+):(%d+):(%d+)$')
    if name == 'r:' .. ARGV[1] then
      return 1
    elseif tonumber(till) < now then
      redis.call('HDEL', KEYS[1], name)
      redis.call('HINCRBY', KEYS[1], 'tokens', tokens)
      redis.call('HINCRBY', KEYS[1], 'nano', nano)
      used = {used[1] + tokens, used[2] + nano}
    else
      reserved = {reserved[1] + tokens, reserved[2] + nano}
    end
  end
end
local waits = false
for i = 1, 2 do
  local wanted, most = tonumber(ARGV[1 + i]), tonumber(ARGV[3 + i])
  if most and used[i] + wanted > most then
    return 0
  end
  waits = waits or (most and used[i] + reserved[i] + wanted > most)
end
if waits then
  return 2
end
redis.call('HSET', KEYS[1], 'r:' .. ARGV[1], string.format('%d', now + ARGV[6]) .. ':' .. ARGV[2] .. ':' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 1
