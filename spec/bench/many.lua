-- many.lua -- the rows about many rooms: walking, opening, importing. As in rows.lua.
local data = require "spec.bench.data"
local fixture = require "spec.bench.fixture"
local measure = require "spec.bench.measure"
local raw = require "larder_bench_raw"
local sides = require "spec.bench.sides"

local many = {}

local MANY = 100000

-- Each side's contestant, from its folder; and raw liblmdb's.
local function contest(paths, make, make_raw)
  local contestants = { raw = { run = make_raw(paths.raw) } }
  for _, name in ipairs(sides.order) do
    contestants[name] = { run = make(sides.open[name], paths[name]) }
  end
  return contestants
end

-- ---- list ----

local function count_rooms(side)
  local count = 0
  for name, room in side.each() do
    count = count + 1
    if count % 997 == 0 and not data.same(room, data.small_room(count)) then
      error("each: " .. name .. " is another room", 0)
    end
  end
  return count
end

function many.list()
  local paths = fixture.folders(fixture.many(MANY))
  local opened, memory = {}, {}
  for _, name in ipairs(sides.order) do
    memory[name] = measure.walk("rooms", name, paths[name], MANY)
  end
  local function make(open, path)
    local side = open(path, false)
    opened[#opened + 1] = side
    assert(count_rooms(side) == MANY)
    return function(n)
      for _ = 1, n do
        for _ in side.each() do end
      end
    end
  end
  local function make_raw(path)
    local env = raw.open(path, false)
    opened[#opened + 1] = { close = function() env:close() end }
    return function(n) assert(env:scan(n) == MANY) end
  end
  local row = { title = "each of 100,000 rooms", contestants = contest(paths, make, make_raw) }
  return {
    clock = measure.cpu,
    rows = { row },
    memory = { title = "  memory it took", bytes = memory, limit = 1 << 20, behind_tenth = true },
    close = function()
      for _, side in ipairs(opened) do side.close() end
    end,
  }
end

-- ---- open ----

local function open_row(title, count, target)
  local paths = fixture.folders(fixture.many(count))
  local name = data.name(count // 2)
  local row = fixture.rows(function(side) side.save(data.small_room(count // 2)) end)
  local function make(open, path)
    return function(n)
      for _ = 1, n do
        local side = open(path, true)
        assert(side.has(name))
        side.close()
      end
    end
  end
  local function make_raw(path)
    local key = raw.rows(row)
    return function(n)
      for _ = 1, n do
        local env = raw.open(path, true)
        env:get(key, 1)
        env:close()
      end
    end
  end
  return { title = title, contestants = contest(paths, make, make_raw), target = target }
end

function many.open()
  return {
    clock = measure.cpu,
    rows = {
      open_row("open a store of 100 rooms, has", 100),
      open_row("open a store of 25,000 rooms, has", 25000),
      open_row("open a store of 100,000 rooms, has", MANY, { row = 1, limit = 1.3 }),
    },
  }
end

-- ---- import ----

local function imported(name, folder, files)
  local side = sides.open[name](data.folder(), false)
  side.import(folder, files)
  local names, rooms = {}, {}
  for room_name in side.each() do
    names[#names + 1] = room_name
  end
  for _, room_name in ipairs(names) do
    rooms[room_name] = side.get(room_name)
  end
  side.close()
  return rooms
end

--- Takes in a directory of MovieMatch's room files.
---@param folder string
function many.import(folder)
  local files = data.json_files(folder)
  fixture.agree("import", function(name) return imported(name, folder, files) end)
  local list = fixture.rows(function(side) side.import(folder, files) end)
  local count, bytes = #list // 2, raw.rows(list)
  local contestants = { raw = fixture.fresh("raw", true, 1, function(side) side.env:put(bytes, count, count) end) }
  for _, name in ipairs(sides.order) do
    contestants[name] = fixture.fresh(name, true, 1, function(side) side.import(folder, files) end)
  end
  return {
    clock = measure.wall,
    rows = { { title = ("import %d room files, durable"):format(#files), contestants = contestants } },
  }
end

return many
