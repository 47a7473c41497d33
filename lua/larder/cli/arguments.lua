--- What commands have in common: their arguments, opening a store, ids and filters as people type them, a question before destroying.
local core = require "larder.core"
local config = require "larder.config"
local json = require "larder.cli.json"
local larder = require "larder"
local terminal = require "larder.cli.terminal"
local plain = require("larder.cli.text").plain

local arguments = {}

--- End the command: the command line is wrong.
function arguments.refuse(...)
  error({ usage = string.format(...) }, 0)
end

-- ---- declaring ----

function arguments.url(command)
  return command:argument("url", "The store: lmdb:./data, or - for the one of the environment.")
end

function arguments.json(command)
  return command:flag("--json", "JSON for programs, a line a result.")
end

function arguments.dry_run(command)
  return command:flag("-n --dry-run", "Say what would be done, and change nothing.")
end

function arguments.yes(command)
  return command:flag("-y --yes", "Do not ask.")
end

function arguments.create(command)
  return command:flag("--create", "Make the store when it is not there.")
end

--- For `convert`: a whole number, of at least so much.
---@param least integer
---@param what string the option or argument
function arguments.whole(least, what)
  return function(text)
    local number = math.tointeger(tonumber(text))
    if number and number >= least then return number end
    local from = least > math.mininteger and (" from %d"):format(least) or ""
    return nil, ("%s: expected a whole number%s, got %q"):format(what, from, text)
  end
end

function arguments.count(command, name, description, least)
  return command:option(name, description):argname "<n>":convert(arguments.whole(least or 0, name:match "%-%-%S+"))
end

local units = { s = 1, m = 60, h = 3600, d = 86400, w = 7 * 86400 }

--- For `convert`: "30d" -> seconds
local function duration(what)
  return function(text)
    local number, unit = text:match "^([%d.]+)([smhdw]?)$"
    local seconds = tonumber(number)
    if seconds then return seconds * (units[unit] or 1) end
    return nil, ("%s: expected a time such as 90, 15m, 12h or 30d, got %q"):format(what, text)
  end
end

function arguments.duration(command, name, description)
  return command:option(name, description):argname "<time>":convert(duration(name))
end

-- ---- reading ----

--- JSON on the command line.
---@param text string
---@param what string
function arguments.value(text, what)
  local ok, value = pcall(json.value, text)
  if ok then return value end
  arguments.refuse("%s: %s", what, value.message)
end

--- A filter, a patch.
---@return table?
function arguments.object(text, what)
  if text == nil then return nil end
  local value = arguments.value(text, what)
  if type(value) == "table" and not json.is_array(value) then return value end
  arguments.refuse("%s: expected an object in JSON, got %s", what, text)
end

--- An id as people type it: 7 is the number, "7" in double quotes the text, all else is text as it is.
---@param text string
---@return string|integer
function arguments.id(text)
  if text:find "^%-?%d+$" then return math.tointeger(tonumber(text)) or text end
  if text:find '^".*"$' then return arguments.value(text, "id") end
  return text
end

--- The same, or a tuple: ["ada", 2]
function arguments.key(text)
  if text:find "^%[.*%]$" then return arguments.value(text, "key") end
  return arguments.id(text)
end

--- "a,-b" -> { "a", "-b" }
function arguments.names(text)
  if text == nil then return nil end
  local names = {}
  for name in text:gmatch "[^,]+" do names[#names + 1] = name end
  if #names == 0 then arguments.refuse("expected names of fields, got %q", text) end
  return names
end

-- ---- opening ----

local function is_set(name)
  local value = os.getenv(name)
  return value ~= nil and value ~= ""
end

--- Where nothing is set a program gets a store in memory; what is typed would be lost.
local function resolve(url)
  if url == "-" and not (is_set "LARDER_URL" or is_set "STORAGE_TYPE") then
    arguments.refuse "-: neither LARDER_URL nor STORAGE_TYPE is set"
  end
  if url == "-" then return config.from_env(nil, os.getenv) end
  return config.resolve(url, os.getenv)
end

local function can(engine, option)
  for _, name in ipairs(core.options(engine)) do
    if name == option then return true end
  end
  return false
end

local function open(url, more)
  if url == "-" then return larder.from_env(more) end
  more.url = url
  return larder.open(more)
end

--- Without the check of all pages, or of files, which would refuse a damaged store: for what finds out what is damaged.
local function unchecked(engine, options)
  if can(engine, "check_on_open") then options.check_on_open = 0 end
  if can(engine, "damaged") then options.damaged = "skip" end
  return options
end

--- A store to look at. It is never made; nothing in it can be changed.
---@param url string
---@return larder.Store
function arguments.look(url)
  local engine = resolve(url)
  return open(url, can(engine, "read_only") and { read_only = true } or {})
end

--- Whether a file, or a folder, is there and can be read.
---@param path string
---@return boolean
function arguments.exists(path)
  return core.readable(path)
end

--- A store to look at; nil where there is none yet.
---@param url string
---@return larder.Store?
function arguments.look_if_there(url)
  local there, store = pcall(arguments.look, url)
  if there then return store end
  local _, options = resolve(url)
  local path = options and options.path
  local absent = store.code == "IO" or store.code == "INVALID" -- no folder; an empty one
  if not absent or path and arguments.exists(path .. "/data.mdb") then error(store, 0) end
end

--- A store to write to. One that is not there is a mistake in the URL, unless `create`; with `dry_run` it is made in memory.
---@param url string
---@param create? boolean
---@param dry_run? boolean
---@return larder.Store
function arguments.open(url, create, dry_run)
  local there = create and arguments.look_if_there(url) or not create and arguments.look(url)
  if there then there:close() end
  if dry_run and not there then return larder.open "memory:" end
  return open(url, {})
end

--- A store that may be damaged; to be looked at, or to be written to.
---@param url string
---@param writes boolean
---@return larder.Store
function arguments.open_damaged(url, writes)
  local engine = resolve(url)
  local options = unchecked(engine, can(engine, "read_only") and { read_only = true } or {})
  local store = open(url, options)
  if not writes then return store end
  store:close()
  return open(url, unchecked(engine, {}))
end

--- The queue of that name; nil, and it is said, where there is none.
---@param place larder.Store|larder.Tx
---@param name string
---@return larder.Queue?
function arguments.queue(place, name)
  for _, there in ipairs(place:queues()) do
    if there == name then return place:queue(name) end
  end
  terminal.note("larder: there is no queue %s", plain(name))
end

-- ---- asking and telling ----

--- What was done: `result` for programs, else a line for people.
---@param args table
---@param result table
---@param ... any what string.format takes
function arguments.tell(args, result, ...)
  if not args.json then return terminal.note(...) end
  result.dry_run = args.dry_run or nil
  terminal.print(json.text(result))
end

--- Whether to go on. Refuses where nobody can answer.
---@param args table
---@param ... any what string.format takes: "delete 3 documents?"
---@return boolean
function arguments.sure(args, ...)
  if args.yes then return true end
  local answer = terminal.ask(string.format(...))
  if answer == nil then arguments.refuse "--yes is needed where nobody can be asked" end
  if not answer then terminal.note "nothing was changed" end
  return answer
end

--- Run f(tx) in a write transaction; with --dry-run it is rolled back.
function arguments.write(store, args, f)
  if not args.dry_run then return store:update(f) end
  local tx <close> = store:begin "write"
  return f(tx)
end

return arguments
