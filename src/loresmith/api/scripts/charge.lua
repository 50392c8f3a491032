-- Counts requests of an owner by the generic cell rate algorithm: moves the time at which all of them are worked off.
-- Not to be repeated: what it adds is added once by each run.
-- KEYS  1 rate (string: that time in microseconds, with a lifetime until then)
-- ARGV  1 requests  2 microseconds that each is worth
-- returns microseconds until all of them are worked off
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + ARGV[1] * ARGV[2]
redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000) + 1)
return string.format('%.0f', free - now)
