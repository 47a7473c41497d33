--- A folder of backups: taken, listed, rotated, verified, restored.
---
---     local backups = larder.backups("backups", { keep = 3, days = 7 })
---     backups:take(store)
---     backups:restore("latest", "./data")
---
--- A backup's name is its time and a number that grows, `2026-11-21T08-03-28Z-000007`; the numbers give the order, whatever the clock did.
--- Invariant: a backup has its name only after another process has verified it, and others go only behind it.
local core = require "larder.core"
local listing = require "larder.backups.listing"
local options_of = require "larder.copy.options"
local restore = require "larder.restore"

local DAY_MS = 24 * 60 * 60 * 1000

local methods = {}
local mt = { __name = "larder.backups", __index = methods }

local function check_backups(self, op)
  if getmetatable(self) ~= mt then core.fail(op, "expected backups before the colon") end
end

local function path_of(self, name)
  return self.folder .. "/" .. name
end

---@return larder.Backup[]
function methods:list()
  check_backups(self, "backups:list")
  return listing.read(self.folder, "backups:list")
end

-- ---- verifying ----

local function is_good(entry, op)
  return entry.ok and (pcall(core.backup_check, entry.path, op))
end

--- The newest good one; nil without any.
local function newest_good(list, op)
  for _, entry in ipairs(list) do
    if is_good(entry, op) then return entry end
  end
end

local function find(self, name, op)
  if type(name) ~= "string" then core.fail(op, ("name: expected a string, got a %s"):format(type(name))) end
  local all = listing.read(self.folder, op)
  if name == "latest" then
    if not all[1] then core.fail(op, ("%s: has no backups"):format(self.folder)) end
    return all[1]
  end
  for _, entry in ipairs(all) do
    if entry.name == name then return entry end
  end
  core.fail(op, ("name: %s has no backup %q"):format(self.folder, name))
end

--- { progress = }, so that each of its calls may be told from a finding: what `progress` raises is no verdict.
local function check_call(options, op)
  options = options_of.check(op, options, { progress = "function" })
  local call = {}
  if options.progress then
    function call.progress(done, total)
      call.raised = true
      options.progress(done, total)
      call.raised = false
    end
  end
  return call
end

---@param name string
---@param options? larder.BackupOptions
---@return larder.Backup
function methods:verify(name, options)
  local op = "backups:verify"
  check_backups(self, op)
  local call = check_call(options, op)
  local entry = find(self, name, op)
  local ok, problem = pcall(core.backup_check, entry.path, op, call)
  if call.raised then error(problem, 0) end
  entry.ok, entry.problem = ok, not ok and problem or nil
  return entry
end

-- ---- rotation ----

--- Which go: neither among the `keep` newest nor younger than `days`. Those that cannot be read neither count nor go.
local function surplus(self, list, now)
  local going, kept = {}, 0
  if not self.keep and not self.days then return going end
  for _, entry in ipairs(list) do
    local young = entry.ok and self.days and now - entry.at < self.days * DAY_MS
    if entry.ok and kept >= (self.keep or 0) and not young then
      going[#going + 1] = entry
    elseif entry.ok then
      kept = kept + 1
    end
  end
  return going
end

local function without(list, gone)
  local left = {}
  for _, entry in ipairs(list) do
    if not gone[entry] then left[#left + 1] = entry end
  end
  return left
end

local function drop(list, op)
  local names = {}
  for i = #list, 1, -1 do -- the oldest first
    core.backup_drop(list[i].path, op)
    names[#names + 1] = list[i].name
  end
  return names
end

local function marked(list)
  local set = {}
  for _, entry in ipairs(list) do set[entry] = true end
  return set
end

--- Unless a good one stays, the newest good one of those that would go stays; without any, all do.
local function spare_last_good(list, going, op)
  if #going == 0 or newest_good(without(list, marked(going)), op) then return going end
  local good = newest_good(going, op)
  return good and without(going, { [good] = true }) or {}
end

local function check_now(now, op)
  if now == nil then return os.time() * 1000 end
  if math.type(now) ~= "integer" then core.fail(op, "now: expected ms since 1970") end
  return now
end

---@param now? integer
---@return string[]
function methods:rotate(now)
  local op = "backups:rotate"
  check_backups(self, op)
  now = check_now(now, op)
  local _ <close> = core.backup_folder(self.folder, op)
  local all = listing.read(self.folder, op)
  return drop(spare_last_good(all, surplus(self, all, now), op), op)
end

-- ---- taking ----

--- Older ones with the same rows: the new one takes their place, so that it takes nobody else's.
local function twins_of(entry, list)
  local twins = {}
  for _, older in ipairs(list) do
    if older.ok and older.hash == entry.hash then twins[#twins + 1] = older end
  end
  return twins
end

local function check_store(store, op)
  local kind = type(store) == "userdata" and getmetatable(store) or type(store)
  if kind ~= "larder.store" then core.fail(op, ("store: expected a store, got a %s"):format(tostring(kind))) end
end

---@param store larder.Store
---@param options? larder.BackupOptions
---@return larder.Backup
function methods:take(store, options)
  local op = "backups:take"
  check_backups(self, op)
  options = options_of.check(op, options, { progress = "function" })
  check_store(store, op)
  local now = core.now(store, op)
  local _ <close> = core.backup_folder(self.folder, op)
  local older = listing.read(self.folder, op)
  local name = listing.new_name(older, now)
  store:backup(path_of(self, name), options)
  local entry = listing.entry(self.folder, name)
  local twins = twins_of(entry, older)
  local all = without(older, marked(twins))
  table.insert(all, 1, entry)
  local going = without(surplus(self, all, now), { [entry] = true }) -- it has just been verified
  entry.identical = #twins > 0
  entry.dropped = drop(twins, op)
  table.move(drop(going, op), 1, #going, #entry.dropped + 1, entry.dropped)
  return entry
end

-- ---- restoring ----

---@param name string
---@param to string
---@param options? larder.BackupOptions
---@return larder.Restored
function methods:restore(name, to, options)
  local op = "backups:restore"
  check_backups(self, op)
  local entry = find(self, name, op)
  local restored = restore(entry.path, to, options, op)
  restored.name = entry.name
  return restored
end

-- ---- making the handle ----

local rules = {
  keep = { function(value) return math.type(value) == "integer" and value >= 1 end, "a whole number from 1" },
  days = { function(value) return math.type(value) ~= nil and value >= 0 and value < math.huge end, "a number from 0" },
}

local function check_options(options, op)
  if type(options) ~= "table" then core.fail(op, ("options: expected a table, got a %s"):format(type(options))) end
  for name, value in pairs(options) do
    local rule = rules[name]
    if not rule then core.unknown(op, "option", tostring(name), "days", "keep") end
    if not rule[1](value) then
      core.fail(op, ("option %s: expected %s, got %s"):format(name, rule[2], tostring(value)))
    end
  end
end

return function(folder, options)
  local op = "larder.backups"
  if type(folder) ~= "string" or folder == "" then core.fail(op, "folder: expected a path") end
  options = options == nil and {} or options
  check_options(options, op)
  return setmetatable({ folder = folder, keep = options.keep, days = options.days }, mt)
end
