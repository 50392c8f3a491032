-- Records the intent to enqueue jobs, unless the queue or an owner has too many open. Repeating it changes nothing.
-- KEYS  1 scheduled (zset)  2 open (zset)  3 prefix of the owners' keys
-- ARGV  1 bound of open jobs  2 ms until an intent is due of itself  3 ms by which a job must have ended
--       4 bound of open jobs of an owner
--       then one quadruple a job: letter, reference `<id>[:<owner or type>:<running limit>]…`, owner or '', delay in ms
-- returns {1 taken | 0 queue full | -1 owner has too many, jobs open}
local function in_chunks(command, key, parts) -- as many as Lua's stack takes
  for from = 1, #parts, 2000 do
    redis.call(command, key, unpack(parts, from, math.min(from + 1999, #parts)))
  end
end
local references = {}
for i = 5, #ARGV, 4 do
  references[#references + 1] = ARGV[i + 1]
end
local known = {}
for from = 1, #references, 2000 do
  local scores = redis.call('ZMSCORE', KEYS[2], unpack(references, from, math.min(from + 1999, #references)))
  for i = 1, #scores do
    known[references[from + i - 1]] = scores[i]
  end
end
local open = redis.call('ZCARD', KEYS[2])
local asked, new = {}, 0
for i = 5, #ARGV, 4 do
  -- one that is open already is repeated after a lost reply: it was admitted, and may run by now
  if not known[ARGV[i + 1]] then
    local owner = ARGV[i + 2]
    new = new + 1
    if owner ~= '' then
      asked[owner] = (asked[owner] or 0) + 1
    end
  end
end
if new > 0 and open + new > tonumber(ARGV[1]) then
  return {0, open}
end
for owner, count in pairs(asked) do
  if redis.call('SCARD', KEYS[3] .. ':open:' .. owner) + count > tonumber(ARGV[4]) then
    return {-1, open}
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due, latest = {}, {}
for i = 5, #ARGV, 4 do
  local reference, owner, delay = ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  due[#due + 1] = now + math.max(delay, tonumber(ARGV[2]))
  due[#due + 1] = ARGV[i] .. ':' .. reference
  latest[#latest + 1] = now + delay + tonumber(ARGV[3])
  latest[#latest + 1] = reference
  if owner ~= '' then
    redis.call('SADD', KEYS[3] .. ':open:' .. owner, reference)
  end
end
in_chunks('ZADD', KEYS[1], due)
in_chunks('ZADD', KEYS[2], latest)
return {1, open}
