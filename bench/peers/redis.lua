-- One booking: three nights of a row, all or nothing, and the id that was booked.
--
-- KEYS: the row, the id (16 bytes). ARGV: the first night. Answers 1 done, 0 sold out, 2 repeated.
-- A row is one string: for each night two numbers of 16 bits, sold and limit. Three nights are
-- unrolled: a loop over them cost a tenth of the rate.
local row, id, night = KEYS[1], KEYS[2], ARGV[1]
local first = night * 4
local cells = redis.call('GETRANGE', row, first, first + 11)
local a, a_limit, b, b_limit, c, c_limit = struct.unpack('>HHHHHH', cells)
if a >= a_limit or b >= b_limit or c >= c_limit then
	return redis.call('EXISTS', id) * 2
end
if not redis.call('SET', id, row .. ' ' .. night, 'NX') then
	return 2
end
redis.call('SETRANGE', row, first,
	struct.pack('>HHHHHH', a + 1, a_limit, b + 1, b_limit, c + 1, c_limit))
return 1
