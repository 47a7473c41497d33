--- From a URL, a table or the environment to what core.open takes: an engine's name, its options as text, and hooks.
local core = require "larder.core"

local config = {}

local levels = { error = 1, warn = 2, info = 3, debug = 4 }

--- Options that are not the engine's.
local own = { "url", "engine", "log", "clock", "sleep" }

local function contains(list, name)
  for _, one in ipairs(list) do
    if one == name then return true end
  end
  return false
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- "lmdb:./data?durability=none" -> { engine = "lmdb", path = "./data", durability = "none" }
---@param url string
---@param op string what was called
---@return table<string, string>
function config.parse_url(url, op)
  local scheme, rest = url:match "^(%a[%w+.-]*):(.*)$"
  if not scheme then
    core.fail(op, ('url: expected "engine:path", such as "lmdb:./data", got "%s"'):format(url))
  end
  local path, query = rest:match "^([^?]*)%??(.*)$"
  local options = { engine = scheme }
  path = unescape((path:gsub("^//", "")))
  if path ~= "" then options.path = path end
  for pair in query:gmatch "[^&]+" do
    local name, value = pair:match "^([^=]+)=(.*)$"
    if not name then
      core.fail(op, ('url: expected name=value behind the "?", got "%s"'):format(pair))
    end
    options[unescape(name)] = unescape(value)
  end
  return options
end

--- A function that writes one line a message to standard error.
local function to_stderr(level)
  local most = levels[level]
  if not most then core.unknown("larder.open", "log level", tostring(level), "error", "warn", "info", "debug") end
  return function(of, line)
    if levels[of] <= most then io.stderr:write("larder: ", of, ": ", line, "\n") end
  end
end

local function log_hook(log, getenv)
  if log == nil then log = getenv "LOG_LEVEL" end
  if log == nil or log == "" or log == false or log == "silent" then return nil end
  if type(log) == "function" then return log end
  return to_stderr(type(log) == "string" and log:lower() or log)
end

--- Engines read their options as text.
local function as_text(name, value)
  local kind = math.type(value) or type(value)
  if kind == "string" then return value end
  if kind == "integer" or kind == "boolean" then return tostring(value) end
  core.fail("larder.open", ("option %s: expected text, a whole number or a boolean, got a %s"):format(name, kind))
end

local function check_function(options, name)
  local kind = type(options[name])
  if kind ~= "nil" and kind ~= "function" then
    core.fail("larder.open", ("option %s: expected a function, got a %s"):format(name, kind))
  end
  return options[name]
end

local function merge(from, into)
  for name, value in pairs(from) do
    if name ~= "url" then into[name] = value end
  end
  return into
end

--- The names that may stand in the options: ours and the engine's, or those of all engines where none is named.
local function known_options(engine)
  local known = table.move(own, 1, #own, 1, {})
  for _, one in ipairs(engine and { engine } or core.engines) do
    local names = core.options(one) or core.unknown("larder.open", "engine", one, table.unpack(core.engines))
    table.move(names, 1, #names, #known + 1, known)
  end
  return known
end

local function check_names(options)
  local known = known_options(options.engine)
  for name in pairs(options) do
    if type(name) ~= "string" then core.fail("larder.open", "options: expected names as keys") end
    if not contains(known, name) then core.unknown("larder.open", "option", name, table.unpack(known)) end
  end
end

--- The engine's options, as text.
local function engine_options(options)
  local texts = {}
  for name, value in pairs(options) do
    if not contains(own, name) then texts[name] = as_text(name, value) end
  end
  return texts
end

---@param where string|table
---@param getenv fun(name: string): string?
---@return string engine
---@return table<string, string> options
---@return table hooks log, clock, sleep, label
function config.resolve(where, getenv)
  if type(where) == "string" then where = { url = where } end
  if type(where) ~= "table" then
    core.fail("larder.open", ("expected a URL or a table of options, got a %s"):format(type(where)))
  end
  local options = where
  if where.url ~= nil then
    if where.engine ~= nil then core.fail("larder.open", "expected either url or engine, got both") end
    if type(where.url) ~= "string" then
      core.fail("larder.open", ("option url: expected a string, got a %s"):format(type(where.url)))
    end
    options = merge(where, config.parse_url(where.url, "larder.open"))
  end
  if options.engine ~= nil and type(options.engine) ~= "string" then
    core.fail("larder.open", ("option engine: expected a string, got a %s"):format(type(options.engine)))
  end
  check_names(options)
  if options.engine == nil then core.fail("larder.open", "option engine: is missing (or give a url)") end
  local texts = engine_options(options)
  local hooks = {
    log = log_hook(where.log, getenv),
    clock = check_function(where, "clock"),
    sleep = check_function(where, "sleep"),
    label = options.engine .. ":" .. (texts.path or ""),
  }
  return options.engine, texts, hooks
end

local function check_type(name)
  for _, known in ipairs(core.engines) do
    if known == name then return name end
  end
  core.unknown("larder.from_env", "STORAGE_TYPE", name, table.unpack(core.engines))
end

local function present(value)
  return value ~= nil and value ~= "" and value or nil
end

---@param options? table
---@param getenv fun(name: string): string?
function config.from_env(options, getenv)
  if options and (options.url or options.engine) then return config.resolve(options, getenv) end
  local url, kind, path = present(getenv "LARDER_URL"), present(getenv "STORAGE_TYPE"), present(getenv "STORAGE_PATH")
  local found = {}
  if url then
    found.url = url
  else
    found.engine = kind and check_type(kind:lower()) or "memory"
    if found.engine ~= "memory" then
      found.path = path or core.fail("larder.from_env", ("STORAGE_PATH: is missing, and STORAGE_TYPE is %s"):format(kind))
    end
  end
  return config.resolve(merge(options or {}, found), getenv)
end

return config
