-- rows.lua -- what is measured. A group is measured in one race:
-- { clock, turns, rows = { { title, contestants, target, … }, … }, close }.
--
-- `target` = { side, limit }: Larder's time must be at most `limit` times that side's; or { row, limit }: times its own in the
-- row before by that number. `contestants` has one a side, and `raw`.
local data = require "spec.bench.data"
local fixture = require "spec.bench.fixture"
local measure = require "spec.bench.measure"
local raw = require "larder_bench_raw"
local sides = require "spec.bench.sides"

local rows = {}

local ROOMS = 1000 -- in the stores of most rows
local FEW = 100 -- ratings that an "empty" room gets before the next one takes its place
local EMPTY = 50000 -- where the numbers of those rooms begin

local function small_rooms()
  local rooms = {}
  for i = 1, ROOMS do
    rooms[i] = data.small_room(i)
  end
  return rooms
end

local function repeated(op)
  return {
    run = function(n)
      for i = 1, n do
        op(i)
      end
    end,
  }
end

-- One contestant a side, and raw liblmdb's.
local function contest(make, raw_run)
  local contestants = { raw = raw_run and { run = raw_run } }
  for _, name in ipairs(sides.order) do
    contestants[name] = make(name)
  end
  return contestants
end

-- ---- get ----

local function get_row(title, stores, rooms, raw_run, target)
  local function ask(name) return stores[name].get(rooms[1].roomName) end
  fixture.agree(title, ask, rooms[1])
  local names = {}
  for i, room in ipairs(rooms) do
    names[i] = room.roomName
  end
  local function make(name)
    local get, count = stores[name].get, #names
    return repeated(function(i) return get(names[i % count + 1]) end)
  end
  return { title = title, contestants = contest(make, raw_run), target = target }
end

-- The rows of one room have a store of their own in raw liblmdb, so that reading them is one walk.
local function walk_of(room)
  local list = fixture.rows(function(side) side.save(room) end)
  local env = raw.open(data.folder(), false)
  env:put(raw.rows(list), #list // 2, #list // 2)
  return function(n) env:scan(n) end
end

function rows.get()
  local small = small_rooms()
  local rated = { data.rated_room(20001, 20, 2, 12) }
  local large = { data.rated_room(30001, 1000, 4, 900) }
  local stores = fixture.open(false, fixture.list(small))
  for _, name in ipairs(sides.order) do
    stores[name].save_all { rated[1], large[1] }
  end
  local function get_raw(n) stores.raw.env:get(stores.raw.rows, n) end
  return {
    clock = measure.cpu,
    rows = {
      get_row("get a small room", stores, small, get_raw, { side = "minimal", limit = 0.75 }),
      get_row("get a room of 20 ratings", stores, rated, walk_of(rated[1])),
      get_row("get a room of 1,000 ratings", stores, large, walk_of(large[1]), { side = "minimal", limit = 0.6 }),
    },
    close = function() fixture.close(stores) end,
  }
end

-- ---- save ----

-- A thousand rooms in one transaction, each time into a new store.
local function new_row(durable, rooms, list, title, target)
  local function save_raw(side) side.env:put(list, ROOMS, ROOMS) end
  local contestants = { raw = fixture.fresh("raw", durable, 10, save_raw) }
  for _, name in ipairs(sides.order) do
    contestants[name] = fixture.fresh(name, durable, 10, function(side) side.save_all(rooms) end)
  end
  return { title = title, contestants = contestants, target = target }
end

local function save_rows(durable, clock, least, single, all, new)
  local rooms = small_rooms()
  local stores = fixture.open(durable, fixture.list(rooms))
  local function make(name)
    local save = stores[name].save
    local contestant = repeated(function(i) save(rooms[i % ROOMS + 1]) end)
    contestant.least = least
    return contestant
  end
  local function make_all(name)
    local save_all = stores[name].save_all
    return repeated(function() save_all(rooms) end)
  end
  local env, list = stores.raw.env, stores.raw.rows
  single.contestants = contest(make, function(n) env:put(list, n, 1) end)
  single.contestants.raw.least = least
  all.contestants = contest(make_all, function(n) env:put(list, n * ROOMS, ROOMS) end)
  fixture.agree(single.title, function(name)
    stores[name].save(rooms[7])
    stores[name].save_all { rooms[7], rooms[8] }
    return { stores[name].get(rooms[7].roomName), stores[name].get(rooms[8].roomName) }
  end, { rooms[7], rooms[8] })
  local made = new_row(durable, rooms, list, new.title, new.target)
  return {
    clock = clock,
    turns = durable and 20 or 1,
    rows = { single, all, made },
    close = function() fixture.close(stores) end,
  }
end

function rows.save_durable()
  return save_rows(
    true, measure.wall, 100,
    { title = "save a small room, durable", target = { side = "raw", limit = 1 / 0.9 } },
    { title = "1,000 saves in one transaction, durable", target = { side = "raw", limit = 2.5 } },
    { title = "the same, of new rooms", target = { side = "raw", limit = 2.5 } }
  )
end

function rows.save_unsynced()
  return save_rows(
    false, measure.cpu, nil,
    { title = "save a small room, not durable" },
    { title = "1,000 saves in one transaction, not durable", target = { side = "raw", limit = 2.5 } },
    { title = "the same, of new rooms", target = { side = "raw", limit = 2.5 } }
  )
end

-- ---- rate ----

local TIME = 1715974200000

-- The i-th rating: one of four users likes a medium that nobody has rated.
local function rate_new(rate, name, i)
  return rate(name, "user-" .. 1000 + i % 4, "new-" .. i, "like", TIME + i)
end

local function rate_empty(side)
  local made = 0
  return {
    prepare = function(n)
      for k = 0, (n - 1) // FEW do
        side.save(data.small_room(EMPTY + k))
      end
    end,
    run = function(n)
      local rate = side.rate
      for i = 0, n - 1 do
        rate_new(rate, data.name(EMPTY + i // FEW), made + i)
      end
      made = made + n
    end,
  }
end

local function rate_large(side, name)
  local made = 0
  return repeated(function()
    made = made + 1
    rate_new(side.rate, name, made)
  end)
end

-- What each rating writes: its row and the user's progress.
local function rating_rows()
  local list = fixture.rows(function(side)
    side.save(data.small_room(1))
    for i = 1, 5000 do
      rate_new(side.rate, data.name(1), i)
    end
  end)
  local pairs_of = {}
  for i = 3, 2 * 5001, 2 do -- behind the room: ratings, then four rows of progress
    local progress = 2 * 5001 + 1 + 2 * (i // 2 % 4)
    table.move({ list[i], list[i + 1], list[progress], list[progress + 1] }, 1, 4, #pairs_of + 1, pairs_of)
  end
  return raw.rows(pairs_of)
end

function rows.rate()
  local large = data.rated_room(40001, 50000, 4, 20000)
  local rooms = small_rooms()
  rooms[#rooms + 1] = large
  local stores = fixture.open(false, fixture.list(rooms))
  fixture.agree("rate", function(name)
    local side, room = stores[name], rooms[1].roomName
    local first, second = side.rate(room, "a", "m", "like", 3), side.rate(room, "b", "m", "like", 2)
    local results = { first, second, side.rate(room, "a", "m", "dislike", 4), side.get(room) }
    side.save(rooms[1])
    return results
  end)
  local list = rating_rows()
  local function rate_raw(n) stores.raw.env:put(list, 2 * n, 2) end
  local function make_large(name) return rate_large(stores[name], large.roomName) end
  return {
    clock = measure.cpu,
    rows = {
      { title = "rate in an empty room", contestants = contest(function(name) return rate_empty(stores[name]) end, rate_raw) },
      { title = "rate in a room of 50,000 ratings", contestants = contest(make_large, rate_raw), target = { row = 1, limit = 1.3 } },
    },
    close = function() fixture.close(stores) end,
  }
end

return rows
