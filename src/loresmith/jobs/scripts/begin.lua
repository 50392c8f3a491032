-- Takes the lease of a job for one worker and reads all that the worker needs.
-- Repeating it (a lost reply) gives the same run again. Lifetimes are renewed by the write that follows.
-- KEYS  1 lease  2 document  3 input  4 items (hash)  5 cancel
-- ARGV  1 worker  2 entry, `<h|n|l><entry id>`  3 lifetime in s  4 '1' when the entry was rescued from another worker
--       5 an entry that was seen to be gone, or '': who holds the job through that one has lost it
-- returns {'gone'} no such job any more, {'ended'}, {'held', entry} through another entry,
--         {'taken'} through this entry, by a worker that rescued it from us,
--         or {run, '1' if taken over from another worker, document, input, cancel mark or '', items...}
local found = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3], KEYS[5])
local lease, document, input, cancel = found[1], found[2], found[3], found[4]
if not lease or (lease ~= 'end' and not (document and input)) then
  return {'gone'}
end
if lease == 'end' then
  return {'ended'}
end
local run, worker, entry = string.match(lease, '^(%d+):(.-):?([^:]*)$')
local taken = ''
if entry == '' then
  run = run + 1
elseif entry ~= ARGV[2] and entry == ARGV[5] then
  run = run + 1
  taken = '1'
elseif entry ~= ARGV[2] then
  return {'held', entry}
elseif worker ~= ARGV[1] then
  if ARGV[4] ~= '1' then
    return {'taken'}
  end
  run = run + 1
  taken = '1'
end
run = string.format('%d', run)
redis.call('SET', KEYS[1], run .. ':' .. ARGV[1] .. ':' .. ARGV[2], 'EX', ARGV[3])
local reply = {run, taken, document, input, cancel or ''}
local items = redis.call('HGETALL', KEYS[4])
if #items > 0 then
  for i = 1, #items do
    reply[5 + i] = items[i]
  end
end
return reply
