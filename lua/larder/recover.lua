--- larder.recover: what can still be read of a damaged store, into a new one.
local core = require "larder.core"
local config = require "larder.config"

local op = "larder.recover"

local function no_env() end

local function has_scheme(where)
  return where:find "^%a[%w+.-]+:" ~= nil
end

--- The engine and its options of the damaged store.
local function source(path)
  if type(path) ~= "string" then core.fail(op, ("path: expected a path, got a %s"):format(type(path))) end
  if not has_scheme(path) then return "lmdb", { path = path } end
  return config.resolve(path, no_env)
end

--- The data file that a path stands for, itself or its folder.
local function data_of(path)
  local inside = path .. "/data.mdb"
  return core.same_file(inside, inside) and inside or path
end

local function check_options(options)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.fail(op, ("options: expected a table, got a %s"):format(type(options)))
  end
  for name in pairs(options) do
    if name ~= "progress" then core.unknown(op, "option", tostring(name), "progress") end
  end
  if options.progress ~= nil and type(options.progress) ~= "function" then
    core.fail(op, ("option progress: expected a function, got a %s"):format(type(options.progress)))
  end
  return options
end

--- The new store is made only when the damaged one is there.
local function check_source(engine, from)
  if engine ~= "lmdb" then core.fail(op, ("path: engine %s has nothing that could be recovered"):format(engine)) end
  local file = from.path and io.open(data_of(from.path), "rb")
  if not file then core.fail(op, ("path: %s: cannot be opened"):format(from.path)) end
  file:close()
end

--- The engine, options and hooks of the new store, which is not the damaged one under another name.
local function target(to, from)
  local kind = type(to)
  if kind ~= "string" and kind ~= "table" then
    core.fail(op, ("to: expected a path, a URL or a table of options, got a %s"):format(kind))
  end
  if kind == "string" and not has_scheme(to) then to = { engine = "lmdb", path = to } end
  local engine, options, hooks = config.resolve(to, os.getenv)
  if options.path and core.same_file(data_of(options.path), data_of(from.path)) then
    core.fail(op, "to: is the damaged store itself")
  end
  return engine, options, hooks
end

---@param path string
---@param to string|table
---@param options? table
---@return table
return function(path, to, options)
  options = check_options(options)
  local engine, from = source(path)
  check_source(engine, from)
  local store <close> = core.open(target(to, from))
  return core.recover(engine, { path = from.path }, store, options)
end
