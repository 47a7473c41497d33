--- The backups in a folder, by their names: `2026-11-21T08-03-28Z-000007`, the time and a number that grows.
local core = require "larder.core"

local listing = {}

local function number_of(name)
  return math.tointeger(tonumber(name:match "^%d%d%d%d%-%d%d%-%d%dT%d%d%-%d%d%-%d%dZ%-(%d%d%d%d%d%d+)$"))
end

--- The entry of a name. What has no readable label has a `problem`.
local function read_entry(folder, name, number)
  local ok, label = pcall(core.backup_label, folder .. "/" .. name, "backups:list")
  local entry = { name = name, number = number, path = folder .. "/" .. name, ok = ok }
  if not ok then
    entry.problem = label
    return entry
  end
  for _, field in ipairs { "at", "bytes", "rows", "rooms", "documents", "keys", "hash", "engine", "made_by" } do
    entry[field] = label[field]
  end
  return entry
end

--- A folder that is not there has no backups.
local function names_in(folder, op)
  local ok, names = pcall(core.names, folder, op)
  if ok then return names end
  if names.code == "INVALID" and not os.rename(folder, folder) then return {} end
  error(names, 0)
end

--- The newest first.
function listing.read(folder, op)
  local found = {}
  for _, name in ipairs(names_in(folder, op)) do
    local number = number_of(name)
    if number then found[#found + 1] = read_entry(folder, name, number) end
  end
  table.sort(found, function(a, b) return a.number > b.number end)
  return found
end

--- The name behind all of these.
function listing.new_name(newest_first, now)
  local last = newest_first[1] and newest_first[1].number or 0
  return os.date("!%Y-%m-%dT%H-%M-%SZ", now // 1000) .. ("-%06d"):format(last + 1)
end

--- The one that was just made under this name.
function listing.entry(folder, name)
  return read_entry(folder, name, number_of(name))
end

return listing
