--- Where migrations come from: a directory of files, or a list.
---
--- Each becomes { version, name, label, checksum, description, up | batch, down, ... }; they are in order of version. Whether the numbers
--- make sense is not judged here (problem.lua).
local bytecode = require "larder.migrate.bytecode"
local core = require "larder.core"
local problem = require "larder.migrate.problem"

local source = {}

local OP = "larder.migrations"
local SIZE = 500

local function fail(label, text, cause)
  if text:sub(1, #label + 1) ~= label .. ":" then text = label .. ": " .. text end
  problem.raise(OP, text, { cause = cause })
end

-- ---- the fields of one ----

local function is_count(value) return math.type(value) == "integer" and value > 0 end
local function is_duration(value) return math.type(value) ~= nil and value >= 0 and value < math.huge end
local function is(kind) return function(value) return type(value) == kind end end

--- What each may be, and how that is called.
local fields = {
  up = { is "function", "a function" },
  down = { is "function", "a function" },
  batch = { is "function", "a function" },
  description = { is "string", "a string" },
  collection = { is "string", "a string" },
  where = { is "table", "a filter, a table" },
  size = { is_count, "a whole number from 1" },
  pause_ms = { is_duration, "ms, a number from 0" },
}
local fields_in_list = {
  version = { is_count, "a whole number from 1" },
  name = { is "string", "a string" },
  checksum = { is "string", "a string" },
}
local of_batches = { "collection", "where", "size", "pause_ms" }

local function names_of(...)
  local names = {}
  for _, set in ipairs { ... } do
    for name in pairs(set) do names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function refuse_field(label, name, ...)
  local _, e = pcall(core.unknown, OP, "field", tostring(name), table.unpack(names_of(...)))
  fail(label, e.message)
end

local function check_fields(label, given, more)
  for name, value in pairs(given) do
    local rule = fields[name] or more[name]
    if not rule then refuse_field(label, name, fields, more) end
    if not rule[1](value) then
      local got = type(value) == "number" and tostring(value) or "a " .. type(value)
      fail(label, ("%s: expected %s, got %s"):format(name, rule[2], got))
    end
  end
end

local function check_shape(label, given)
  if given.up and given.batch then fail(label, "has both up and batch") end
  if not given.up and not given.batch then fail(label, "has neither up nor batch") end
  if given.batch and not given.collection then fail(label, "collection: is missing (of which the batches are)") end
  for _, name in ipairs(of_batches) do
    if given.up and given[name] ~= nil then fail(label, name .. ": is for batch, and this has up") end
  end
end

local function label_of(version, name, path)
  return ('migration %d "%s"'):format(version, name) .. (path and (" (%s)"):format(path) or "")
end

local function migration(given, version, name, path, checksum)
  local made = { version = version, name = name, label = label_of(version, name, path), checksum = checksum }
  for field in pairs(fields) do made[field] = given[field] end
  made.size = made.size or SIZE
  return made
end

-- ---- files ----

--- What a migration sets as a global stays in its file; all that there is can be read. A first line that begins with # is none of Lua's.
local function run_file(path, text)
  local chunk, syntax = load((text:gsub("^#[^\n]*", "")), "@" .. path, "t", setmetatable({}, { __index = _G }))
  if not chunk then fail(path, syntax) end
  local results = table.pack(pcall(chunk))
  if not results[1] then fail(path, tostring(results[2]), results[2]) end
  local given = results[2]
  if type(given) ~= "table" then
    fail(path, "expected it to return a table, got " .. (results.n == 1 and "nothing" or "a " .. type(given)))
  end
  return given
end

--- What a checkout may change is not seen, by the checksum neither: how lines end, and a byte order mark.
local function read_file(path)
  local file, why = io.open(path, "rb")
  if not file then fail(path, why) end
  local text, problem_text = file:read "a"
  file:close()
  if not text then fail(path, problem_text) end
  return (text:gsub("^\xef\xbb\xbf", ""):gsub("\r\n", "\n"))
end

local function load_file(directory, file)
  local path = directory .. "/" .. file
  local digits, name = file:match "^(%d+)_(.+)%.lua$"
  local version = digits and math.tointeger(tonumber(digits))
  if not version or version == 0 then
    fail(path, 'expected a name such as "0001_add_owner.lua", with a number from 1')
  end
  local text = read_file(path)
  local given = run_file(path, text)
  check_fields(path, given, {})
  check_shape(path, given)
  return migration(given, version, name, path, core.checksum(text))
end

local function from_directory(directory)
  local list = {}
  if directory == "" then fail("source", "the name of a directory is not empty") end
  directory = directory:match "^(.-)/*$"
  for _, file in ipairs(core.names(directory == "" and "/" or directory, OP)) do
    if file:lower():find "%.lua$" and not file:find "^%." then list[#list + 1] = load_file(directory, file) end
  end
  return list
end

-- ---- lists ----

--- As text that is another for what does something else.
local function written(value)
  local kind = type(value)
  if kind == "function" then return bytecode.of(value) end
  if kind == "userdata" then return "null" end
  if kind ~= "table" then return ("%q"):format(value) end
  local parts = {}
  for key, field in next, value do parts[#parts + 1] = written(key) .. "=" .. written(field) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function checksum_of(label, given)
  local parts = { up = given.up, down = given.down, batch = given.batch, collection = given.collection, where = given.where }
  local ok, text = pcall(written, parts)
  if not ok then fail(label, "checksum: is missing, and cannot be made: " .. tostring(text)) end
  return core.checksum(text)
end

local function from_entry(given, position)
  local label = ("migration %d of the list"):format(position)
  if type(given) ~= "table" then fail(label, "expected a table, got a " .. type(given)) end
  check_fields(label, given, fields_in_list)
  if not given.name or given.name == "" then fail(label, "name: is missing") end
  local version = given.version or position
  label = label_of(version, given.name)
  check_shape(label, given)
  return migration(given, version, given.name, nil, given.checksum or checksum_of(label, given))
end

local function from_list(entries)
  local list, count = {}, 0
  for _ in pairs(entries) do count = count + 1 end
  if count ~= #entries then fail("the list", "expected migrations as 1..n") end
  for i, given in ipairs(entries) do list[i] = from_entry(given, i) end
  return list
end

--- Raises INVALID naming the file, or the place in the list, and what is wrong.
function source.load(from)
  if type(from) ~= "string" and type(from) ~= "table" then
    fail("source", "expected a directory or a list, got a " .. type(from))
  end
  local list = type(from) == "string" and from_directory(from) or from_list(from)
  table.sort(list, function(a, b)
    if a.version ~= b.version then return a.version < b.version end
    return a.name < b.name
  end)
  return list
end

return source
