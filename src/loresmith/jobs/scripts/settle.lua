-- Takes ended jobs out of the queue, after their documents were written, and releases the next of their owners and
-- types: `enter` is that of the script release.
-- KEYS  1 2 3 streams high, normal, low  4 open (zset)  5 ended (stream)  6 prefix of the owners' keys
--       7 scheduled (zset)
-- ARGV  1 group  2 length at which the ended stream is trimmed
--       then one triple a job: letter, entry id, reference; instead of the id '0-0' for one that was with no worker, or
--       '~<ms>' when it is known about when that was released: its entry is then looked for, so that it does not count as
--       waiting until a worker comes to it (if it is not found, one does)
-- returns the number of entries that were still pending
local stream = {h = KEYS[1], n = KEYS[2], l = KEYS[3]}
local function enter(member)
  local reference = string.sub(member, 3)
  for owner, limit in string.gmatch(reference, ':([^:]+):(%d+)') do
    local running = KEYS[6] .. ':running:' .. owner
    if redis.call('SISMEMBER', running, reference) == 0 and redis.call('SCARD', running) >= tonumber(limit) then
      redis.call('RPUSH', KEYS[6] .. ':waiting:' .. owner, member)
      return
    end
  end
  for owner in string.gmatch(reference, ':([^:]+):%d+') do
    redis.call('SADD', KEYS[6] .. ':running:' .. owner, reference)
  end
  redis.call('XADD', stream[string.sub(member, 1, 1)], '*', 'job', reference)
end
local function leave(reference)
  for owner in string.gmatch(reference, ':([^:]+):%d+') do
    redis.call('SREM', KEYS[6] .. ':open:' .. owner, reference)
    redis.call('SREM', KEYS[6] .. ':running:' .. owner, reference)
  end
  for owner, limit in string.gmatch(reference, ':([^:]+):(%d+)') do
    local tries = redis.call('LLEN', KEYS[6] .. ':waiting:' .. owner)
    while tries > 0 and redis.call('SCARD', KEYS[6] .. ':running:' .. owner) < tonumber(limit) do
      enter(redis.call('LPOP', KEYS[6] .. ':waiting:' .. owner)) -- or waits on: in the list of its other bound, or of this one, which may allow it less
      tries = tries - 1
    end
  end
end
local function remove_waiting(key, released, reference)
  local from = math.max(0, released - 1000)
  for _, entry in ipairs(redis.call('XRANGE', key, string.format('%.0f', from), '+', 'COUNT', 256)) do
    if entry[2][2] == reference then
      local held = redis.pcall('XPENDING', key, ARGV[1], entry[1], entry[1], 1)
      if held.err or #held == 0 then -- a worker that holds it finds out by itself
        redis.call('XDEL', key, entry[1])
      end
      return
    end
  end
end
local ids, references, seen, unclaimed = {h = {}, n = {}, l = {}}, {}, {}, {}
for i = 3, #ARGV, 3 do
  local reference = ARGV[i + 2]
  local released = string.match(ARGV[i + 1], '^~(%d+)$')
  if released or ARGV[i + 1] == '0-0' then -- else a delay of a month would keep it for a month
    for _, letter in ipairs({'h:', 'n:', 'l:'}) do
      unclaimed[#unclaimed + 1] = letter .. reference
    end
    if released then
      remove_waiting(stream[ARGV[i]], tonumber(released), reference)
    end
  else
    table.insert(ids[ARGV[i]], ARGV[i + 1])
  end
  if not seen[reference] then
    seen[reference] = true
    references[#references + 1] = reference
  end
end
local function in_chunks(list, call) -- as many as Lua's stack takes
  for from = 1, #list, 2000 do
    local to = math.min(from + 1999, #list)
    call(from, unpack(list, from, to))
  end
end
local acknowledged = 0
for letter, entries in pairs(ids) do
  in_chunks(entries, function(_, ...)
    acknowledged = acknowledged + redis.call('XACK', stream[letter], ARGV[1], ...)
    redis.call('XDEL', stream[letter], ...)
  end)
end
in_chunks(unclaimed, function(_, ...) redis.call('ZREM', KEYS[7], ...) end)
in_chunks(references, function(from, ...)
  local scores = redis.call('ZMSCORE', KEYS[4], ...)
  redis.call('ZREM', KEYS[4], ...)
  for i = 1, #scores do
    if scores[i] then
      local reference = references[from + i - 1]
      local colon = string.find(reference, ':', 1, true)
      local id = colon and string.sub(reference, 1, colon - 1) or reference
      redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[2], '*', 'id', id)
    end
  end
end)
for _, reference in ipairs(references) do
  if string.find(reference, ':', 1, true) then
    leave(reference) -- also one that ended while it waited in an owner's list: it took a place when it was released
  end
end
return acknowledged
