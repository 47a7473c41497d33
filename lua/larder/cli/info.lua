--- larder info: what is in a store.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local larder = require "larder"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local info = {
  name = "info",
  summary = "Say what is in a store.",
  example = { "larder info lmdb:./data", "larder info --json lmdb:./data" },
}

function info.declare(command)
  arguments.url(command)
  arguments.json(command)
end

local function collections_of(tx)
  local list = larder.array {}
  for i, name in ipairs(tx:collections()) do
    local collection, indexes = tx:collection(name), larder.array {}
    for at, index in ipairs(collection:indexes()) do indexes[at] = index.name end
    list[i] = { name = name, documents = collection:count(), key = collection:key(), indexes = indexes }
  end
  return list
end

local function maps_of(tx)
  local list = larder.array {}
  for i, name in ipairs(tx:maps()) do list[i] = { name = name, keys = tx:map(name):count() } end
  return list
end

local function queues_of(tx)
  local list = larder.array {}
  for i, name in ipairs(tx:queues()) do
    local queue = tx:queue(name):counts()
    queue.name = name
    list[i] = queue
  end
  return list
end

local function rooms_of(tx)
  local count = 0
  for _ in tx:rooms():names() do count = count + 1 end
  return count
end

--- All of one snapshot.
local function gather(store)
  local found = { larder = larder.version, store = store:stats() }
  store:view(function(tx)
    found.rooms, found.collections, found.maps, found.queues = rooms_of(tx), collections_of(tx), maps_of(tx), queues_of(tx)
    found.caches = larder.array(tx:caches())
  end)
  return found
end

local function show(args, found)
  local stats = found.store
  grid.pairs {
    { "store", args.url },
    { "engine", stats.engine },
    { "rows", text.count(stats.entries) },
    { "used", text.bytes(stats.bytes_used) },
    { "rooms", text.count(found.rooms) },
    { "larder", found.larder },
    #found.caches > 0 and { "caches", text.plain(table.concat(found.caches, ", ")) } or nil,
  }
  for _, collection in ipairs(found.collections) do collection.indexes = table.concat(collection.indexes, ", ") end
  for _, of in ipairs { { "collection", found.collections, { "documents", "key", "indexes" } },
    { "map", found.maps, { "keys" } },
    { "queue", found.queues, { "ready", "delayed", "running", "done", "dead", "cancelled" } } } do
    local title, rows, names = of[1], of[2], of[3]
    if #rows > 0 then
      for _, row in ipairs(rows) do row[title] = row.name end
      terminal.print ""
      grid.print({ title, table.unpack(names) }, rows, { whole = { title } })
    end
  end
end

function info.run(args)
  local store <close> = arguments.look(args.url)
  local found = gather(store)
  if args.json then return terminal.print(json.text(found)) end
  show(args, found)
end

return info
