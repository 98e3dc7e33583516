-- Tarantool as a booking server. usage: tarantool tarantool.lua PORT WAL_MODE LIMIT HOT_LIMIT
--
-- Rows of nights are packed: a tuple holds 32 nights of a row as one string, two numbers of 16 bits
-- each (sold, limit). Small tuples are copied quickly; hardly one stay in sixteen needs two.
local where, wal_mode, limit, hot_limit = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local ROWS, HOT_ROWS, BLOCK, BLOCKS = 4000, 4, 32, 12

box.cfg{
	listen = where,
	wal_mode = wal_mode,
	memtx_memory = 6 * 2 ^ 30,
	net_msg_max = 16384, -- the default of 768 would cap what is in flight
	readahead = 2 ^ 20,
	checkpoint_interval = 0, -- snapshots when the measurement asks for one
	wal_max_size = 2 ^ 36,
	log_level = 2,
	worker_pool_threads = 2,
}

local ffi = require('ffi')
local nights = box.schema.space.create('nights')
nights:create_index('pk', {type = 'tree', parts = {1, 'unsigned'}})
local booking = box.schema.space.create('booking')
booking:create_index('pk', {type = 'hash', parts = {1, 'string'}})

local function block_of(rooms)
	local cells = ffi.new('uint16_t[?]', 2 * BLOCK)
	for night = 0, BLOCK - 1 do
		cells[2 * night + 1] = rooms
	end
	return ffi.string(cells, 4 * BLOCK)
end

box.begin()
for row = 0, ROWS - 1 do
	local cells = block_of(row < HOT_ROWS and hot_limit or limit)
	for block = 0, BLOCKS - 1 do
		nights:insert{row * BLOCKS + block, cells}
	end
end
box.commit()

local cells = ffi.new('uint16_t[?]', 2 * BLOCK)

-- The cells of `count` nights with one more sold, or nil where one is sold out.
local function sell(key, first, count)
	ffi.copy(cells, nights:get(key)[2], 4 * BLOCK)
	for night = first, first + count - 1 do
		if cells[2 * night] >= cells[2 * night + 1] then
			return nil
		end
		cells[2 * night] = cells[2 * night] + 1
	end
	return ffi.string(cells + 2 * first, 4 * count)
end

-- Answers 1 done, 0 sold out, 2 repeated. Nothing yields before the commit.
function book(row, night, count, id)
	local block = math.floor(night / BLOCK)
	local first = night - block * BLOCK
	local key = row * BLOCKS + block
	local count_1 = math.min(count, BLOCK - first)
	local count_2 = count - count_1
	local part_1 = sell(key, first, count_1)
	local part_2 = part_1 and count_2 > 0 and sell(key + 1, 0, count_2)
	if not part_1 or (count_2 > 0 and not part_2) then
		return booking:get(id) and 2 or 0
	end
	if booking:get(id) then
		return 2
	end
	box.begin()
	booking:insert{id, row, night, count}
	nights:update(key, {{':', 2, 4 * first + 1, 4 * count_1, part_1}})
	if part_2 then
		nights:update(key + 1, {{':', 2, 1, 4 * count_2, part_2}})
	end
	box.commit()
	return 1
end

box.schema.user.grant('guest', 'super', nil, nil, {if_not_exists = true})
ready = true
require('console').listen('unix/:./console') -- for snapshots
