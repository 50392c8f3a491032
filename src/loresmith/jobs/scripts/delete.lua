-- Removes all keys of a job that has ended. Repeating it changes nothing.
-- KEYS  1 lease  2 document  3 input  4 items  5 cancel  6 retry
-- returns 1 removed, 0 still open, -1 no such job
local lease = redis.call('GET', KEYS[1])
if not lease or redis.call('EXISTS', KEYS[2]) == 0 then
  return -1
end
if lease ~= 'end' then
  return 0
end
redis.call('DEL', unpack(KEYS))
return 1
