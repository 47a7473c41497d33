-- moves.lua -- the rows about whole stores: copied with verification against `mdb_copy -c`, dumped against mdb_dump, which stand in
-- the column of raw liblmdb. As in rows.lua. BENCH_ROWS (200,000) sets how many documents there are.
local data = require "spec.bench.data"
local larder = require "larder"
local measure = require "spec.bench.measure"

local moves = {}

local COUNT = tonumber(os.getenv "BENCH_ROWS") or 200000
local LIST = 10000
local MOST_MEMORY = 30 << 20

local function document(i)
  return {
    id = i, name = data.name(i), status = i % 3 == 0 and "open" or "done", number = i * 3,
    createdAt = "2024-05-17T19:30:00.000Z", tags = { "a", "b", "c" },
  }
end

local function filled()
  local path = data.folder()
  local store <close> = larder.open { engine = "lmdb", path = path, durability = "none" }
  for first = 1, COUNT, LIST do
    store:update(function(tx)
      local documents = tx:collection "documents"
      for i = first, math.min(first + LIST - 1, COUNT) do documents:put(document(i)) end
    end)
  end
  return path
end

--- Whether liblmdb's own tools (lmdb-utils) are there.
local function has_tools()
  return os.execute "command -v mdb_copy mdb_dump >/dev/null 2>&1"
end

-- A contestant that writes to a new folder each time.
local function into_new_folder(move)
  local folders = {}
  return {
    least = 1,
    most = 1,
    prepare = function(n)
      for i = 1, math.max(n, #folders) do
        if folders[i] then data.remove(folders[i]) end
        folders[i] = data.folder()
      end
    end,
    run = function(n)
      for i = 1, n do move(folders[i]) end
    end,
  }
end

local function tool(command)
  return into_new_folder(function(folder) assert(os.execute(command:format(folder)), command) end)
end

local function group(title, limit, path, move, command)
  local store = larder.open { engine = "lmdb", path = path }
  local contestants = { larder = into_new_folder(function(folder) move(store, folder) end) }
  if has_tools() then
    contestants.raw = tool(command)
  else
    io.stderr:write "bench: mdb_copy and mdb_dump (lmdb-utils) are not installed: nothing to compare with\n"
  end
  local folder = data.folder()
  local bytes = measure.growth(function(look) move(store, folder, look) end)
  return {
    clock = measure.wall,
    rows = { { title = title:format(COUNT), contestants = contestants, target = { side = "raw", limit = limit } } },
    memory = { title = "  memory it took", bytes = { larder = bytes }, limit = MOST_MEMORY },
    close = function() store:close() end,
  }
end

--- A verified copy; raw: mdb_copy -c.
function moves.copy()
  local path = filled()
  return group("copy %d documents, verified", 4, path, function(store, folder, look)
    larder.copy(store, "lmdb:" .. folder .. "/copy", { progress = look })
  end, "mdb_copy -c '" .. path .. "' '%s'")
end

--- A dump to a file; raw: mdb_dump.
function moves.dump()
  local path = filled()
  return group("dump %d documents", 2, path, function(store, folder, look)
    store:dump(folder .. "/dump.jsonl", { progress = look })
  end, "mdb_dump -f '%s/dump' '" .. path .. "'")
end

return moves
