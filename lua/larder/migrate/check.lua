--- What comes before running: problems are refused, or accepted for good; batches begin anew; the plan is made.
---
--- `self` is a call in progress (run.lua).
local history = require "larder.migrate.history"
local problem = require "larder.migrate.problem"

local check = {}

--- Batches that were begun begin anew.
local function restart(tx, rows)
  for version, row in pairs(rows) do
    if row.state == "running" then
      history.forget(tx, version)
      rows[version] = nil
    end
  end
end

--- What is accepted is accepted for good: the new checksum is the one from now on, a file that is gone may be so.
local function accept(self, tx, rows, accepted)
  for _, one in ipairs(accepted) do
    local row = rows[one.version]
    if one.kind == "missing" then row.gone = true end
    if one.kind == "changed" then
      for _, migration in ipairs(self.list) do
        if migration.version == one.version then row.name, row.checksum = migration.name, migration.checksum end
      end
    end
    if one.kind == "missing" or one.kind == "changed" then history.write(tx, one.version, row) end
  end
end

--- Returns the history.
function check.again(self, tx)
  local rows, state = history.read(tx)
  if self.options.restart and not self.prepared then restart(tx, rows) end
  accept(self, tx, rows, problem.refuse(self.op, self.list, rows, self.options, self.ignored))
  self.prepared = true
  return rows, state
end

--- What batches go through must be sayable: asked for none of it.
local function check_batches(self, tx, groups)
  for _, group in ipairs(groups) do
    for _, one in ipairs(group) do
      local migration = one.migration
      self.current, self.where = one, nil
      local begins = one.direction == "up" and migration.batch
      if begins then tx:collection(migration.collection):find { where = migration.where, limit = 0 } end
    end
  end
  self.current = nil
end

--- Returns the groups of the plan.
function check.first(self, tx)
  local rows, state = check.again(self, tx)
  if state.paused then
    problem.raise(self.op, ("nothing was run: migrations are paused since %s (resume ends that)"):format(
      os.date("!%Y-%m-%d %H:%M:%S UTC", state.paused // 1000)))
  end
  local groups = self.plan(rows)
  check_batches(self, tx, groups)
  return groups
end

--- Whether the checks may write.
function check.settles(options)
  return options.restart or options.changed or options.missing
end

return check
