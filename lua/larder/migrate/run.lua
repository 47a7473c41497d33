--- Running a plan: the checks, then each group of steps in a transaction of its own, that reads the history again. So what another
--- process has run meanwhile is passed over, and of two that begin at once one waits for the other's lock and finds nothing to do.
---
--- The dry run is the same in one transaction, with accounts kept (record.lua), and rolls it back.
local check = require "larder.migrate.check"
local core = require "larder.core"
local history = require "larder.migrate.history"
local problem = require "larder.migrate.problem"
local record = require "larder.migrate.record"
local step = require "larder.migrate.step"

local run = {}

-- ---- errors ----

local function text_of(e)
  if type(e) == "table" and e.message and e.op then return ("%s: %s"):format(e.op, e.message) end
  return tostring(e)
end

--- What a migration has raised, with its name and the line; our own refusals as they are.
local function raise(self, e)
  local current = self.current
  if not current or (type(e) == "table" and e.op == self.op) then error(e, 0) end
  local text = text_of(e)
  if self.where and text:sub(1, #self.where) ~= self.where then text = self.where .. ": " .. text end
  local given = type(e) == "table" and e or {}
  problem.raise(self.op, ("%s, %s: %s"):format(current.migration.label, current.direction, text),
    { code = given.code, retryable = given.retryable, problems = given.problems, cause = e })
end

--- `kind`: "update" or "view".
local function transact(self, kind, f)
  local results = table.pack(pcall(self.store[kind], self.store, f))
  if not results[1] then raise(self, results[2]) end
  self.current = nil
  return table.unpack(results, 2, results.n)
end

-- ---- before ----

local function prepare(self)
  if check.settles(self.options) then
    return transact(self, "update", function(tx)
      self.prepared = nil
      return check.first(self, tx)
    end)
  end
  return transact(self, "view", function(tx) return check.first(self, tx) end)
end

-- ---- steps ----

local function is_due(one, row)
  if one.direction == "down" then return row ~= nil end
  return row == nil or row.state ~= "done"
end

--- One step, if it is still due: its entry.
local function run_step(self, tx, shown, one)
  local rows, state = check.again(self, tx)
  if state.paused then
    self.report.paused = true
    return
  end
  local migration = one.migration
  local row = rows[migration.version]
  if not is_due(one, row) then return end
  self.current, self.where = one, nil
  local act = one.direction == "up" and migration.batch and step.batch or step[one.direction]
  return act(self, tx, shown, migration, row, state)
end

local function add(self, entry)
  self.report[#self.report + 1] = entry
end

local function run_group(self, group)
  local entries = transact(self, "update", function(tx)
    local made = {}
    for _, one in ipairs(group) do made[#made + 1] = run_step(self, tx, tx, one) end
    return made
  end)
  for _, entry in ipairs(entries) do add(self, entry) end
end

-- ---- batches ----

--- How many there are for batches that begin now; it is kept with the first one.
local function count_total(tx, migration)
  if history.read(tx)[migration.version] then return nil end
  return tx:collection(migration.collection):count(migration.where)
end

local function told(self, entry)
  if self.options.progress then self.options.progress(entry) end
end

local function keep_messages(entry, before)
  if not before then return entry end
  entry.messages = table.move(entry.messages, 1, #entry.messages, #before.messages + 1, before.messages)
  return entry
end

--- Whether this call may run another batch.
local function take_batch(self)
  if not self.batches_left then return true end
  self.batches_left = self.batches_left - 1
  if self.batches_left < 0 then self.report.paused = true end
  return self.batches_left >= 0
end

local function wait(self, migration)
  local pause = self.options.pause_ms or migration.pause_ms or 0
  if pause > 0 then (self.options.sleep or core.sleep)(pause / 1000) end
end

--- All batches of one migration, each by `one_batch()`.
local function run_batches(self, migration, one_batch)
  local entry, last
  while take_batch(self) do
    entry = one_batch()
    if not entry then break end
    last = keep_messages(entry, last)
    told(self, last)
    if not last.more then break end
    if not self.options.dry_run then wait(self, migration) end
  end
  if last then add(self, last) end
end

local function run_batch_group(self, one)
  self.current, self.where = one, nil
  self.total = transact(self, "view", function(tx) return count_total(tx, one.migration) end)
  run_batches(self, one.migration, function()
    return transact(self, "update", function(tx) return run_step(self, tx, tx, one) end)
  end)
end

local function is_batched(group)
  return group[1].direction == "up" and group[1].migration.batch ~= nil
end

-- ---- the whole ----

local function run_all(self)
  for _, group in ipairs(prepare(self)) do
    if self.report.paused then break end
    if is_batched(group) then
      run_batch_group(self, group[1])
    else
      run_group(self, group)
    end
  end
end

-- ---- dry ----

local function dry_step(self, tx, one)
  local recorder, shown = record.new(tx, self.options.samples or 3)
  local before = #self.report
  if is_batched { one } then
    self.total = count_total(tx, one.migration)
    run_batches(self, one.migration, function() return run_step(self, tx, shown, one) end)
  else
    add(self, run_step(self, tx, shown, one))
  end
  local entry = self.report[before + 1]
  if entry then entry.changes = record.changes(recorder) end
end

local function dry_all(self)
  local undo = {}
  local _, e = pcall(self.store.update, self.store, function(tx)
    self.report, self.prepared, self.batches_left = { dry_run = true }, nil, self.options.batches
    for _, group in ipairs(check.first(self, tx)) do
      for _, one in ipairs(group) do
        if not self.report.paused then dry_step(self, tx, one) end
      end
    end
    error(undo, 0)
  end)
  if e ~= undo then raise(self, e) end
end

--- `plan(rows)` makes the groups; `ignored` is the set of kinds of problems that do not matter. Returns the report: its entries, `paused`,
--- `dry_run`.
function run.new(store, list, op, options, plan, ignored)
  local self = {
    store = store, list = list, op = op, options = options, plan = plan, ignored = ignored or {},
    report = {}, batches_left = options.batches,
  }
  if options.dry_run then
    dry_all(self)
  else
    run_all(self)
  end
  return self.report
end

return run
