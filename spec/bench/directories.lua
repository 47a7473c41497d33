-- directories.lua -- the rows about `file:`, a directory of JSON files. As in rows.lua; raw is plain.c,
-- and the memory engine where files are not touched.
local data = require "spec.bench.data"
local larder = require "larder"
local measure = require "spec.bench.measure"
local plain = require "larder_bench_plain"

local directories = {}

local ROOMS = 10000
local RATINGS = 20 -- of each of these rooms

local function open(path, more)
  local options = { engine = "file", path = path }
  for name, value in pairs(more or {}) do options[name] = value end
  return larder.open(options)
end

local function first_file(folder)
  local file <close> = assert(io.open(folder .. "/rooms/" .. data.name(1) .. ".json"))
  return file:read "a"
end

local function save_row(title, room, limit, more)
  local ours, bare = data.folder(), data.folder()
  local store = open(ours, more)
  local rooms = store:rooms()
  rooms:save(room)
  local text, turn = first_file(ours), 0
  local function save(n)
    for _ = 1, n do
      turn = turn + 1
      room.sort = turn % 2 == 0 and "random" or "rating"
      rooms:save(room)
    end
  end
  return {
    title = title,
    contestants = {
      larder = { least = 100, run = save },
      raw = { least = 100, run = function(n) plain.replace(bare, text, n) end },
    },
    target = limit and { side = "raw", limit = limit },
    close = function() store:close() end,
  }
end

--- A room that is saved against the bare calls. Of a large one, what it takes to write
--- its 500 rows and to print 50 KB of JSON is more than a quick disk needs.
function directories.save()
  local rows = {
    save_row("save a room as a file, durable", data.small_room(1), 1.3),
    save_row("save it, without backups", data.small_room(1), 1.3, { backups = 0 }),
    save_row("save one with 1,000 ratings", data.rated_room(1, 1000, 20, 500)),
  }
  return {
    clock = measure.wall,
    turns = 20,
    rows = rows,
    close = function()
      for _, row in ipairs(rows) do row.close() end
    end,
  }
end

local function getter(store)
  local rooms = store:rooms()
  for i = 1, 1000 do rooms:save(data.small_room(i)) end
  return { run = function(n)
    for i = 1, n do rooms:get(data.name(i % 1000 + 1)) end
  end }
end

--- Reading does not touch the files.
function directories.get()
  local file, memory = open(data.folder(), { durability = "none" }), larder.open "memory:"
  return {
    clock = measure.cpu,
    rows = {
      {
        title = "get a room, file: (raw: memory:)",
        contestants = { larder = getter(file), raw = getter(memory) },
        target = { side = "raw", limit = 1.1 },
      },
    },
    close = function()
      file:close()
      memory:close()
    end,
  }
end

--- Opening reads every file.
function directories.open()
  local folder = data.folder()
  do
    local store <close> = open(folder, { durability = "none" })
    store:update(function(tx)
      for i = 1, ROOMS do tx:rooms():save(data.rated_room(i, RATINGS, 4, 200)) end
    end)
  end
  assert(plain.parse(folder .. "/rooms", 1) == ROOMS)
  return {
    clock = measure.cpu,
    rows = {
      {
        title = "open 10,000 rooms as files (raw: cJSON)",
        contestants = {
          larder = { run = function(n) for _ = 1, n do open(folder, { durability = "none" }):close() end end },
          raw = { run = function(n) plain.parse(folder .. "/rooms", n) end },
        },
        target = { side = "raw", limit = 2 },
      },
    },
  }
end

return directories
