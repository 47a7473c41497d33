-- bench.lua -- `lua spec/bench/bench.lua [directory of room files]`: Larder side by side with raw liblmdb in C, with a minimal
-- binding and lua-cjson, with SQLite and lua-cjson. What is measured: rows.lua, many.lua, collections.lua, queues.lua, caches.lua,
-- backups.lua, directories.lua; how: measure.lua.
--
-- ROUNDS (7) sets the rounds, BENCH_DIR (TMPDIR, /tmp) where the stores are: durable rows mean something only on a disk.
-- ONLY picks groups by a Lua pattern. LARGE=1: evictions from 1,000,000 entries, which take a while to put in.
local backups = require "spec.bench.backups"
local caches = require "spec.bench.caches"
local collections = require "spec.bench.collections"
local data = require "spec.bench.data"
local directories = require "spec.bench.directories"
local files = require "spec.bench.files"
local many = require "spec.bench.many"
local measure = require "spec.bench.measure"
local moves = require "spec.bench.moves"
local queues = require "spec.bench.queues"
local report = require "spec.bench.report"
local rows = require "spec.bench.rows"
local sides = require "spec.bench.sides"

local function measure_group(group)
  if group.measure then return group.measure() end
  local contestants, order, times = {}, {}, {}
  for index, row in ipairs(group.rows) do
    times[index] = {}
    for _, side in ipairs { "larder", "raw", "minimal", "sqlite" } do
      local key = index .. side
      contestants[key] = row.contestants[side]
      order[#order + 1] = contestants[key] and key
    end
  end
  for key, rounds in pairs(measure.race(contestants, order, group.clock, group.turns)) do
    local index, side = key:match "^(%d+)(.*)$"
    times[tonumber(index)][side] = rounds
  end
  return times
end

local function run(group)
  local times = measure_group(group)
  for index, row in ipairs(group.rows) do
    report.row(row, times[index])
    if row.target and row.target.row then
      report.growth(row, times[index], times[row.target.row])
    end
  end
  if group.memory then
    report.memory(group.memory)
  end
  if group.close then
    group.close()
  end
end

local function groups(folder)
  local list = {
    { "get", rows.get },
    { "save durable", rows.save_durable },
    { "save unsynced", rows.save_unsynced },
    { "rate", rows.rate },
    { "list", many.list },
    { "open", many.open },
    { "copy", moves.copy },
    { "dump", moves.dump },
    { "document get", collections.get },
    { "document find", collections.find },
    { "document create durable", collections.create_durable },
    { "document create unsynced", collections.create_unsynced },
    { "document many", collections.many },
    { "replace files", files.replace },
    { "list files", files.list },
    { "directory save", directories.save },
    { "directory get", directories.get },
    { "directory open", directories.open },
    { "queue durable", queues.durable },
    { "queue unsynced", queues.unsynced },
    { "queue memory", queues.memory },
    { "queue many", queues.many },
    { "backup durable", backups.durable },
    { "backup unsynced", backups.unsynced },
    { "cache get", caches.get },
    { "cache evict", caches.evict },
    { "cache hits", caches.hits },
  }
  if folder then
    list[#list + 1] = { "import", function() return many.import(folder) end }
  end
  return list
end

local function main(folder)
  for module in pairs(sides.missing) do
    io.stderr:write(("bench: lua module %s is not installed: what needs it is left out\n"):format(module))
  end
  if not folder then
    io.stderr:write "bench: no directory of room files given: nothing is imported\n"
  end
  local names, ran = {}, 0
  report.head()
  for i, group in ipairs(groups(folder)) do
    names[i] = group[1]
    if group[1]:find(os.getenv "ONLY" or "") then
      run(group[2]())
      ran = ran + 1
    end
  end
  if ran == 0 then
    error("ONLY: no such group, there are: " .. table.concat(names, ", "), 0)
  end
  report.foot()
end

local done, problem = xpcall(main, debug.traceback, arg[1])
data.clean()
if not done then
  io.stderr:write("bench: ", tostring(problem), "\n")
  os.exit(1)
end
