-- Tells the time on the clock of the node that serves a queue, by which idle times count.
-- KEYS  1 any key of the queue
-- returns ms
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)
