-- fixture.lua -- the same rooms in every side's store, and in raw liblmdb byte for byte the rows that Larder makes of them.
local data = require "spec.bench.data"
local raw = require "larder_bench_raw"
local sides = require "spec.bench.sides"

local fixture = {}

local function fill(side, lists)
  for list in lists() do
    side.save_all(list)
  end
end

--- The rows that Larder makes of rooms, for raw liblmdb.
---@param write fun(side: table) saves them
---@return string[] key, value, key, value, ...
function fixture.rows(write)
  local path = data.folder()
  local side = sides.open.larder(path, false)
  write(side)
  side.close()
  local rows = raw.dump(path)
  data.remove(path)
  return rows
end

--- Stores with the same rooms. `lists` returns an iterator of lists of rooms, each a transaction.
---@param durable boolean
---@param lists fun(): fun(): table[]?
---@return table stores one a side, and `raw`: { env, rows }
function fixture.open(durable, lists)
  local stores = {}
  for _, name in ipairs(sides.order) do
    stores[name] = sides.open[name](data.folder(), durable)
    fill(stores[name], lists)
  end
  local rows = fixture.rows(function(side) fill(side, lists) end)
  stores.raw = { env = raw.open(data.folder(), durable), rows = raw.rows(rows) }
  stores.raw.env:put(stores.raw.rows, #rows // 2, #rows // 2)
  return stores
end

--- The folders of closed stores with the same rooms.
---@param lists fun(): fun(): table[]?
---@return table<string, string> paths
function fixture.folders(lists)
  local paths = {}
  for _, name in ipairs(sides.order) do
    paths[name] = data.folder()
    local side = sides.open[name](paths[name], false)
    fill(side, lists)
    side.close()
  end
  local rows = raw.dump(paths.larder)
  paths.raw = data.folder()
  local env = raw.open(paths.raw, false)
  env:put(raw.rows(rows), #rows // 2, #rows // 2)
  env:close()
  return paths
end

function fixture.close(stores)
  for _, name in ipairs(sides.order) do
    stores[name].close()
  end
  stores.raw.env:close()
end

local function open_side(family, name, path, durable)
  if name ~= "raw" then
    return family.open[name](path, durable)
  end
  local env = raw.open(path, durable)
  return { env = env, close = function() env:close() end }
end

--- A contestant that does the thing in new, empty stores.
---@param name string
---@param durable boolean
---@param count integer how often in a measurement
---@param op fun(store: table) gets a side, or { env } for raw
---@param family table? whose side it is; of rooms when absent
---@return table contestant
function fixture.fresh(name, durable, count, op, family)
  local paths, stores = {}, {}
  local function drop()
    for i, store in ipairs(stores) do
      store.close()
      data.remove(paths[i])
    end
    stores = {}
  end
  local function prepare(n)
    drop()
    for i = 1, n do
      paths[i] = data.folder()
      stores[i] = open_side(family or sides, name, paths[i], durable)
    end
  end
  local function run(n)
    for i = 1, n do
      op(stores[i])
    end
  end
  return { least = count, most = count, prepare = prepare, run = run }
end

--- One list of rooms.
function fixture.list(rooms)
  return function()
    local given = false
    return function()
      if not given then
        given = true
        return rooms
      end
    end
  end
end

--- Small rooms 1 to n, 10,000 a list.
function fixture.many(n)
  return function()
    local last = 0
    return function()
      local rooms = {}
      for i = last + 1, math.min(last + 10000, n) do
        rooms[#rooms + 1] = data.small_room(i)
      end
      last = last + #rooms
      return rooms[1] and rooms
    end
  end
end

--- Stop unless `ask` answers the same on each side: what is expected, or else what the first side says.
---@param what string
---@param ask fun(name: string): any
---@param expected any
---@param family table? whose sides they are; of rooms when absent
function fixture.agree(what, ask, expected, family)
  for _, name in ipairs((family or sides).order) do
    local answer = ask(name)
    expected = expected == nil and answer or expected
    if not data.same(answer, expected) then
      error(what .. ": " .. name .. " answers something else", 0)
    end
  end
end

return fixture
