--- Migrations: changes of the data that are run once, in order, each in one transaction with its row in the history.
---
---     local migrations = larder.migrations(store, "migrations")
---     migrations:up()
---
--- Here: the methods and their options. source: files and lists. problem: what is refused. plan: what is to be run. run, step: running it.
--- check: what comes before. history: what was run. record, kind, jobs, rule: the accounts of a dry run.
local core = require "larder.core"
local history = require "larder.migrate.history"
local plan = require "larder.migrate.plan"
local problem = require "larder.migrate.problem"
local run = require "larder.migrate.run"
local source = require "larder.migrate.source"
local step = require "larder.migrate.step"

local methods = {}
local mt = { __name = "larder.migrations", __index = methods }

-- ---- options ----

local function is_count(value) return math.type(value) == "integer" and value >= 0 end
local function is_duration(value) return math.type(value) ~= nil and value >= 0 and value < math.huge end
local function is(kind) return function(value) return type(value) == kind end end

local flag, hook = { is "boolean", "a boolean" }, { is "function", "a function" }
local count = { is_count, "a whole number from 0" }

--- For larder.migrations and for each call, which wins.
local general = {
  out_of_order = flag, changed = flag, missing = flag, gaps = flag,
  program = { is "string", "a string" }, log = hook, progress = hook, sleep = hook,
  pause_ms = { is_duration, "ms, a number from 0" }, samples = count,
}

--- For one call.
local particular = { dry_run = flag, restart = flag, batches = count }

local function names_of(...)
  local names = {}
  for _, rules in ipairs { ... } do
    for name in pairs(rules) do names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function check_option(op, name, value, ...)
  for _, rules in ipairs { ... } do
    local rule = rules[name]
    if rule then
      if not rule[1](value) then
        core.fail(op, ("option %s: expected %s, got %s"):format(name, rule[2],
          type(value) == "number" and tostring(value) or "a " .. type(value)))
      end
      return
    end
  end
  core.unknown(op, "option", tostring(name), table.unpack(names_of(...)))
end

--- The given ones over the defaults.
local function take_options(op, defaults, given, ...)
  if given ~= nil and type(given) ~= "table" then
    core.fail(op, ("options: expected a table, got a %s"):format(type(given)))
  end
  local options = {}
  for name, value in pairs(defaults) do options[name] = value end
  for name, value in pairs(given or {}) do
    check_option(op, name, value, ...)
    options[name] = value
  end
  return options
end

--- A version that there is; 0 is before the first.
local function check_version(self, op, version, lowest)
  if lowest == 0 and math.type(version) == "integer" and version == 0 then return version end
  if math.type(version) ~= "integer" or not plan.by_version(self.list, version) then
    core.fail(op, ("version: expected the number of a migration%s, got %s"):format(
      lowest == 0 and " or 0" or "", tostring(version)))
  end
  return version
end

-- ---- running ----

--- Taking back goes by the history alone.
local of_up_only = { gap = true, out_of_order = true }

--- Run what was not run yet, in order.
function methods:up(options)
  local op = "migrations:up"
  options = take_options(op, self.options, options, general, particular, { to = count })
  local target = options.to and check_version(self, op, options.to, 0) or math.huge
  return run.new(self.store, self.list, op, options, function(rows) return plan.up(self.list, rows, target) end)
end

--- Take back the last one, or the last `n`.
function methods:down(options)
  local op = "migrations:down"
  options = take_options(op, self.options, options, general, particular, { n = count })
  return run.new(self.store, self.list, op, options, function(rows)
    return plan.down(op, self.list, rows, options.n or 1, 0)
  end, of_up_only)
end

--- Take back the last one, and run it again.
function methods:redo(options)
  local op = "migrations:redo"
  options = take_options(op, self.options, options, general, particular)
  return run.new(self.store, self.list, op, options, function(rows)
    return plan.redo(op, self.list, rows)
  end, of_up_only)
end

--- Take back what is above the version, and run what is missing up to it.
function methods:to(version, options)
  local op = "migrations:to"
  options = take_options(op, self.options, options, general, particular)
  check_version(self, op, version, 0)
  return run.new(self.store, self.list, op, options, function(rows) return plan.to(op, self.list, rows, version) end)
end

-- ---- the history ----

local function is_baseline(list, rows, version)
  for _, one in ipairs(list) do
    local row = rows[one.version]
    if (row ~= nil) ~= (one.version <= version) or (row and row.state ~= "done") then return false end
  end
  return true
end

--- Enter all up to the version as done, without running them: for a store that was made so.
function methods:baseline(version, options)
  local op = "migrations:baseline"
  options = take_options(op, self.options, options, general)
  check_version(self, op, version, 1)
  return self.store:update(function(tx)
    local rows, report = history.read(tx), {}
    problem.refuse(op, self.list, rows, options, {})
    if next(rows) and is_baseline(self.list, rows, version) then return report end
    if next(rows) then core.fail(op, "is for a store without migrations, and some were run") end
    for _, one in ipairs(self.list) do
      if one.version <= version then report[#report + 1] = step.baseline({ options = options }, tx, one, #report + 1) end
    end
    return report
  end)
end

local function read_history(self)
  return self.store:view(function(tx)
    local rows, state = history.read(tx)
    return { rows = rows, state = state }
  end)
end

--- What `up` would refuse.
function methods:validate(options)
  options = take_options("migrations:validate", self.options, options, general)
  local accepted = { gap = options.gaps, out_of_order = options.out_of_order, changed = options.changed, missing = options.missing }
  local problems = {}
  for _, one in ipairs(problem.find(self.list, read_history(self).rows)) do
    if not accepted[one.kind] then problems[#problems + 1] = one end
  end
  return problems
end

local shown_of_row = { "at", "took", "program", "larder", "baseline", "seen", "changed", "deleted", "batches", "total" }

local function status_of(one, row)
  local entry = { version = one.version, name = one.name, description = one.description, checksum = one.checksum, state = "pending" }
  if not row then return entry end
  entry.state = row.state
  for _, name in ipairs(shown_of_row) do entry[name] = row[name] end
  return entry
end

--- Those of the history that are gone, too.
local function all_status(self, rows)
  local list, known = {}, {}
  for _, one in ipairs(self.list) do
    known[one.version] = true
    list[#list + 1] = status_of(one, rows[one.version])
  end
  for version, row in pairs(rows) do
    if not known[version] then
      local entry = status_of({ version = version, name = row.name, description = row.description, checksum = row.checksum }, row)
      entry.gone = true
      list[#list + 1] = entry
    end
  end
  table.sort(list, function(a, b) return a.version < b.version end)
  return list
end

function methods:status()
  local read = read_history(self)
  local list = all_status(self, read.rows)
  for _, found in ipairs(problem.find(self.list, read.rows)) do
    for _, entry in ipairs(list) do
      if entry.version == found.version and entry.name == found.name then entry.problem = found.message end
    end
  end
  return list, read.state.paused
end

--- Let no migration and no batch begin, in any process, until resume.
function methods:pause()
  return history.pause(self.store, core.now(self.store))
end

function methods:resume()
  return history.resume(self.store)
end

for name, method in pairs(methods) do
  methods[name] = function(self, ...)
    if getmetatable(self) ~= mt then
      core.fail("migrations:" .. name, ("expected migrations, got a %s (it is called with a colon)"):format(type(self)))
    end
    return method(self, ...)
  end
end

function mt:__tostring()
  return ("larder.migrations: %d on %s"):format(#self.list, tostring(self.store))
end

local migrate = {}

function migrate.new(store, from, options)
  local op = "larder.migrations"
  if getmetatable(store) ~= "larder.store" then
    core.fail(op, ("expected a store, got a %s"):format(type(store)))
  end
  return setmetatable({ store = store, list = source.load(from), options = take_options(op, {}, options, general) }, mt)
end

return migrate
