--- One step in an open transaction: a migration, or one batch of it, and its row in the history.
---
--- `run` is a call in progress (run.lua): its options, and `current` and `where`, which say in an error what was running and where.
local core = require "larder.core"
local history = require "larder.migrate.history"
local same = require "larder.migrate.same"

local step = {}

-- ---- the functions of migrations ----

--- Of the stack of an error: the innermost line in the source of f.
local function line_in(f)
  local source = debug.getinfo(f, "S").source
  for level = 3, math.huge do
    local frame = debug.getinfo(level, "Sl")
    if not frame then return nil end
    if frame.source == source and frame.currentline > 0 then
      return ("%s:%d"):format(source:find "^@" and source:sub(2) or frame.short_src, frame.currentline)
    end
  end
end

--- Its first result. What it raises is raised, and `run.where` says where.
local function call(run, f, ...)
  local ok, result = xpcall(f, function(e)
    run.where = line_in(f)
    return e
  end, ...)
  if not ok then error(result, 0) end
  return result
end

local function new_entry(one, direction)
  return { version = one.version, name = one.name, direction = direction, messages = {} }
end

local function context(run, tx, one, entry, row)
  local ctx = {
    name = one.name, version = one.version, description = one.description, direction = entry.direction,
    dry_run = run.options.dry_run or false, half_done = row ~= nil and row.state == "running", store = tx:stats(),
  }
  function ctx.log(message)
    message = tostring(message)
    entry.messages[#entry.messages + 1] = message
    if run.options.log then run.options.log(message, ctx) end
  end
  return ctx
end

-- ---- whole migrations ----

local function new_row(run, tx, one, state, serial)
  return {
    name = one.name, description = one.description, checksum = one.checksum, state = state, serial = serial,
    at = core.now(tx), took = 0.0, program = run.options.program, larder = core.version,
  }
end

local function seconds_since(tx, began)
  return (core.now(tx) - began) / 1000
end

--- `shown` is the transaction that the migration gets; `tx` is for the history. Returns an entry of the report.
function step.up(run, tx, shown, one, _, state)
  local entry = new_entry(one, "up")
  local row = new_row(run, tx, one, "done", state.serial + 1)
  call(run, one.up, shown, context(run, tx, one, entry))
  row.took = seconds_since(tx, row.at)
  entry.took = row.took
  history.write(tx, one.version, row)
  return entry
end

function step.down(run, tx, shown, one, row)
  local entry, began = new_entry(one, "down"), core.now(tx)
  call(run, one.down, shown, context(run, tx, one, entry, row))
  entry.took = seconds_since(tx, began)
  history.forget(tx, one.version)
  return entry
end

function step.baseline(run, tx, one, serial)
  local row = new_row(run, tx, one, "done", serial)
  row.baseline = true
  history.write(tx, one.version, row)
  local entry = new_entry(one, "baseline")
  entry.took = 0.0
  return entry
end

-- ---- batches ----

local function refuse(one, id, text)
  core.fail("batch", ("%s: document %s: %s"):format(one.collection, type(id) == "string" and ("%q"):format(id) or tostring(id), text))
end

--- What the batch function has made of a document is written; `before` is how it was.
local function apply(one, collection, key, before, result, row)
  local id = before[key]
  if result == core.remove then
    collection:delete(id)
    row.deleted = row.deleted + 1
  elseif type(result) ~= "table" then
    refuse(one, id, ("expected the document, larder.remove or nothing, got a %s"):format(type(result)))
  elseif result[key] ~= id then
    refuse(one, id, ("its %s was changed"):format(key))
  elseif not same(before, result) then
    collection:put(result)
    row.changed = row.changed + 1
  end
end

local function run_batch(run, shown, one, ctx, row)
  local collection = shown:collection(one.collection)
  local documents, cursor = collection:find { where = one.where, limit = one.size, after = row.cursor }
  local key = collection:key()
  for _, document in ipairs(documents) do
    local before = same.copy(document)
    local result = call(run, one.batch, document, ctx)
    if result == nil then result = document end
    apply(one, collection, key, before, result, row)
  end
  row.seen, row.batches, row.cursor = row.seen + #documents, row.batches + 1, cursor
end

--- The next batch. The entry counts what all batches have done so far; its `more` tells whether there is another.
function step.batch(run, tx, shown, one, row, state)
  local entry, began = new_entry(one, "up"), core.now(tx)
  local ctx = context(run, tx, one, entry, row)
  ctx.tx = shown
  if not row then
    row = new_row(run, tx, one, "running", state.serial + 1)
    row.seen, row.changed, row.deleted, row.batches, row.total = 0, 0, 0, 0, run.total
  end
  run_batch(run, shown, one, ctx, row)
  if not row.cursor then row.state = "done" end
  row.took = row.took + seconds_since(tx, began)
  history.write(tx, one.version, row)
  for _, name in ipairs { "took", "seen", "changed", "deleted", "batches", "total" } do entry[name] = row[name] end
  entry.more = row.state ~= "done"
  return entry
end

return step
