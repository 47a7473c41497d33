--- store:dump(path or writer, options) and larder.load(path, to, options): a store as one text, JSON Lines, and back.
local core = require "larder.core"
local options_of = require "larder.copy.options"

local dump = {}

-- ---- dump ----

local dump_op = "store:dump"
local dump_rules = { progress = "function", overwrite = "boolean", collections = "table", unfinished = "boolean" }

--- A function that takes pieces of text; nil for a path.
local function writer_of(where)
  if type(where) == "string" then return nil end
  if type(where) == "function" then return where end
  local ok, write = pcall(function() return where.write end)
  if not ok or type(write) ~= "function" then
    core.fail(dump_op, ("expected a path, a function or something with a method write, got a %s"):format(type(where)))
  end
  return function(text)
    local written, problem = where:write(text)
    if not written then error("store:dump: write: " .. tostring(problem), 0) end
  end
end

local others = { zst = "zstd", xz = "xz", bz2 = "bzip2", lz4 = "lz4", zip = "zip" }

--- Whether the extension asks for gzip.
local function is_packed(path)
  local extension = (path:match "%.(%w+)$" or ""):lower()
  if others[extension] then
    core.fail(dump_op, ("%q: larder packs by gzip only (.gz); give a writer, such as io.popen(\"%s >...\", \"w\")"):format(
      path, others[extension]))
  end
  return extension == "gz"
end

local function write_all(box, snapshot, write, progress)
  repeat
    local done, records, total, text = core.dump_some(box, snapshot)
    if write then write(text) end
    if progress then progress(records, total) end
  until done
end

local function dump_from(snapshot, where, options)
  local write = writer_of(where)
  local names, path = options_of.names(dump_op, options.collections), not write and where or nil
  local box <close> = core.dump_open(snapshot, names, path, path and is_packed(path), options.unfinished)
  write_all(box, snapshot, write, options.progress)
  if not write then core.dump_publish(box, options.overwrite or false) end
  local counts = core.dump_counts(box)
  counts.left_out = options.collections and {} or snapshot:caches()
  return counts
end

local function check_place(place, kind)
  if type(place) ~= "userdata" or getmetatable(place) ~= kind then
    core.fail(dump_op, ("expected a store or a transaction before the colon, got a %s"):format(type(place)))
  end
end

function core.store_methods.dump(store, where, options)
  check_place(store, "larder.store")
  options = options_of.check(dump_op, options, dump_rules)
  local snapshot <close> = store:begin "read"
  return dump_from(snapshot, where, options)
end

function core.tx_methods.dump(tx, where, options)
  check_place(tx, "larder.tx")
  return dump_from(tx, where, options_of.check(dump_op, options, dump_rules))
end

-- ---- load ----

local load_op = "larder.load"
local load_rules = { progress = "function", replace = "boolean", batch = "integer" }
local LINES = 1000 -- between two calls of progress

--- Everything in one transaction: a failure leaves nothing. One that is run again begins with the text anew.
local function load_whole(path, first, to, options)
  return to:update(function(tx)
    local box <close> = first or core.load_open(path)
    first = nil
    repeat
      local done, records, total = core.load_some(box, tx, LINES, options.replace or false)
      if options.progress then options.progress(records, total) end
    until done
    return core.load_counts(box)
  end)
end

--- Read all of it, without a store.
local function check(path)
  local box, again = core.load_open(path)
  if not again then
    core.fail(load_op, ("option batch: the text is read twice, and %q cannot be"):format(path))
  end
  while not core.load_check(box, LINES) do end -- luacheck: ignore
  return box
end

--- In batches. A batch that is run again begins with the text anew.
local function load_batches(path, whole, to, options)
  local box
  repeat
    local runs = 0
    local done, records, total = to:update(function(tx)
      runs = runs + 1
      if runs > 1 or not box then box = core.load_open(path) end
      return core.load_some(box, tx, options.batch, false, whole)
    end)
    if options.progress then options.progress(records, total) end
  until done
  return core.load_counts(box)
end

--- The text is opened, and for batches checked to its end, before a store is made.
function dump.load(path, to, options)
  options = options_of.check(load_op, options, load_rules)
  if options.batch and options.batch < 1 then core.fail(load_op, "option batch: expected a whole number from 1") end
  if options.batch and options.replace then
    core.fail(load_op, "option batch: fills an empty store, where there is nothing to replace")
  end
  local first <close> = options.batch and check(path) or core.load_open(path)
  local target <close> = options_of.open(load_op, "to", to)
  if options.batch and not target.is_store then core.fail(load_op, "option batch: expected a store, got a transaction") end
  return (options.batch and load_batches or load_whole)(path, first, target.place, options)
end

return dump
