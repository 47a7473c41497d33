--- larder stats: figures of the engine, of the rooms, of the queues.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local larder = require "larder"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local stats = {
  name = "stats",
  summary = "Print figures of a store, its rooms and its queues.",
  example = { "larder stats lmdb:./data", "larder stats --json lmdb:./data" },
}

function stats.declare(command)
  arguments.url(command)
  arguments.json(command)
end

local function content_of(store)
  local content = { collections = #store:collections(), documents = 0, maps = #store:maps(), keys = 0 }
  for _, name in ipairs(store:collections()) do content.documents = content.documents + store:collection(name):count() end
  for _, name in ipairs(store:maps()) do content.keys = content.keys + store:map(name):count() end
  return content
end

local function gather(store)
  local found = { store = store:stats(), content = content_of(store), rooms = store:rooms():stats(), queues = larder.array {} }
  for i, name in ipairs(store:queues()) do
    local queue = store:queue(name):stats()
    queue.name = name
    found.queues[i] = queue
  end
  found.rooms.match_rate = math.tointeger(found.rooms.match_rate) or found.rooms.match_rate -- 1, not {"$numberDouble": "1.0"}
  return found
end

local function show_queues(queues)
  local rows = {}
  for i, queue in ipairs(queues) do
    rows[i] = { queue = queue.name, enqueued = queue.enqueued, done = queue.done, failed = queue.failed, dead = queue.dead,
      lost = queue.lost,
      ["wait ms p50"] = queue.wait.p50, ["p99"] = queue.wait.p99, ["run ms p50"] = queue.run.p50, ["p99 "] = queue.run.p99,
      paused = queue.paused and "paused" or nil }
  end
  terminal.print ""
  grid.print(
    { "queue", "enqueued", "done", "failed", "dead", "lost", "wait ms p50", "p99", "run ms p50", "p99 ", "paused" }, rows,
    { optional = { "paused" } })
end

function stats.run(args)
  local store <close> = arguments.look(args.url)
  local found = gather(store)
  if args.json then return terminal.print(json.text(found)) end
  local engine, content, rooms = found.store, found.content, found.rooms
  grid.pairs {
    { "engine", engine.engine },
    { "rows", text.count(engine.entries) },
    { "used", text.bytes(engine.bytes_used) },
    { "limit", engine.bytes_limit and text.bytes(engine.bytes_limit) or "none" },
    { "readers", engine.readers },
    { "collections", text.count(content.collections) },
    { "documents", text.count(content.documents) },
    { "maps", text.count(content.maps) },
    { "keys", text.count(content.keys) },
    { "rooms", text.count(rooms.rooms) },
    { "ratings", text.count(rooms.ratings) },
    { "likes", text.count(rooms.likes) },
    { "matches", text.count(rooms.matches) },
    { "match rate", ("%.1f %%"):format(100 * rooms.match_rate) },
  }
  if #found.queues > 0 then show_queues(found.queues) end
end

return stats
