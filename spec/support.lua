--- What the specs share: the engines to run on, folders that go away, exact comparison, errors, child processes, random tests.
--- A test gets a store of its own, on each engine that the machine has; nothing outlives the test.
local busted = require "busted"
local assert = require "luassert"
local larder = require "larder"

local support = {}

-- ---- folders ----

local folders = {}

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- A new empty folder, removed by `remove_folders`.
---@param place string? where, "/tmp" when absent
function support.folder(place)
  local name = os.tmpname()
  os.remove(name)
  if place then name = place .. name:gsub("^/tmp", "") end
  assert(os.execute("mkdir " .. quote(name)))
  folders[#folders + 1] = name
  return name
end

--- One in memory, where the system has such a file system: for thousands of small files of which no disk is asked anything.
function support.quick_folder()
  return support.folder(os.execute "test -d /dev/shm -a -w /dev/shm" and "/dev/shm" or nil)
end

function support.remove_folders()
  for i, name in ipairs(folders) do
    os.execute("rm -rf " .. quote(name))
    folders[i] = nil
  end
end

function support.read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function support.write_file(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

-- ---- engines ----

--- `place()` makes the options of a store that does not exist yet; `durable`: what was committed is there when it is opened again.
support.engines = {
  { name = "memory", durable = false, place = function() return { engine = "memory" } end },
  {
    name = "lmdb",
    durable = true,
    place = function()
      return { engine = "lmdb", path = support.folder() .. "/store", durability = "none" }
    end,
  },
  {
    name = "file",
    durable = true,
    place = function()
      return { engine = "file", path = support.quick_folder() .. "/store", durability = "none" }
    end,
  },
}

local function with(options, more)
  local both = {}
  for name, value in pairs(options) do both[name] = value end
  for name, value in pairs(more or {}) do both[name] = value end
  return both
end

local function prepare(engine, given)
  given.engine = engine
  --- A new store, with more options; closed after the test.
  function given.open(more)
    local store = larder.open(with(engine.place(), more))
    given.opened[#given.opened + 1] = store
    return store
  end
  busted.before_each(function()
    given.opened = {}
    given.store = given.open()
    given.rooms = given.store:rooms()
  end)
  busted.after_each(function()
    for _, store in ipairs(given.opened) do store:close() end
    given.opened, given.store, given.rooms = nil, nil, nil
    support.remove_folders()
  end)
end

--- `describe` once for each engine; `body` gets `given`, whose `store` and `rooms` are new in each test.
function support.on_each_engine(noun, body)
  for _, engine in ipairs(support.engines) do
    busted.describe(noun .. " #" .. engine.name, function()
      local given = {}
      prepare(engine, given)
      body(given)
    end)
  end
end

-- ---- exact comparison ----

local function shown(value)
  if math.type(value) == "float" then return ("%.17g (float)"):format(value) end
  if type(value) == "string" then return ("%q"):format(#value > 80 and value:sub(1, 80) .. "..." or value) end
  return tostring(value)
end

local function same_scalar(a, b)
  if a ~= a then return b ~= b and math.type(b) == "float" end
  return a == b and math.type(a) == math.type(b) and (a ~= 0 or math.type(a) ~= "float" or 1 / a == 1 / b)
end

local difference

local function table_difference(expected, got, path)
  for key, value in next, expected do
    local found = difference(value, rawget(got, key), ("%s[%s]"):format(path, shown(key)))
    if found then return found end
  end
  for key in next, got do
    if rawget(expected, key) == nil then return ("%s[%s]: is one too many"):format(path, shown(key)) end
  end
  if next(expected) == nil and getmetatable(expected) ~= getmetatable(got) then
    return path .. ": only one of the two is an empty array"
  end
end

--- nil, or where and how the first difference is. Integers are no floats, -0.0 is not 0.0, NaN equals NaN, an empty array is no empty map.
function difference(expected, got, path)
  path = path or "value"
  if type(expected) == "table" and type(got) == "table" then return table_difference(expected, got, path) end
  if not same_scalar(expected, got) then
    return ("%s: expected %s, got %s"):format(path, shown(expected), shown(got))
  end
end

function support.same(expected, got)
  assert.are.equal("no difference", difference(expected, got) or "no difference")
end

--- A result without elements; whether it is marked as an array does not matter.
function support.none(list)
  assert.are.equal("table", type(list))
  assert.is_nil(next(list))
end

--- Each of `names` is in `list` once, in whatever order, and nothing else is.
function support.exactly(names, list)
  local wanted, got = table.move(names, 1, #names, 1, {}), table.move(list, 1, #list, 1, {})
  table.sort(wanted)
  table.sort(got)
  support.same(wanted, got)
end

function support.copy(value)
  if type(value) ~= "table" then return value end
  local copied = setmetatable({}, getmetatable(value))
  for key, field in next, value do copied[key] = support.copy(field) end
  return copied
end

--- "1\n1\n2\n" as { "1", "1", "2" }; what an iterator gives first, in its order.
function support.collect(...)
  local all = {}
  for first in ... do all[#all + 1] = first end
  return all
end

-- ---- errors ----

--- Calls f(...), which must raise an error object of this code whose message holds each of `texts`; returns it.
function support.raises(code, texts, f, ...)
  local ok, raised = pcall(f, ...)
  assert(not ok, "expected " .. code .. ", but nothing was raised")
  local found = type(raised) ~= "string" and raised.code
  assert.are.equal(code, found or tostring(raised), tostring(raised))
  for _, text in ipairs(type(texts) == "string" and { texts } or texts or {}) do
    assert(raised.message:find(text, 1, true), ("%q is not in the message %q"):format(text, raised.message))
  end
  return raised
end

-- ---- child processes ----

local settings = "-u LARDER_URL -u STORAGE_TYPE -u STORAGE_PATH -u LOG_LEVEL"

--- Runs a Lua program with these environment variables in a process of its own; returns its exit code, output, error output.
function support.run(program, environment)
  local folder = support.folder()
  support.write_file(folder .. "/program.lua", program)
  local command = { "env", settings, "LUA_PATH=" .. quote(package.path), "LUA_CPATH=" .. quote(package.cpath) }
  for name, value in pairs(environment or {}) do command[#command + 1] = name .. "=" .. quote(value) end
  command[#command + 1] = ("%s %s/program.lua >%s/out 2>%s/err"):format(
    os.getenv "LUA" or "lua5.4", folder, folder, folder)
  local _, _, code = os.execute(table.concat(command, " "))
  return code, support.read_file(folder .. "/out"), support.read_file(folder .. "/err")
end

-- ---- random tests ----

--- Runs f with a random sequence that LARDER_SEED repeats; a failure says the seed.
function support.at_random(f)
  local seed = math.tointeger(os.getenv "LARDER_SEED") or os.time()
  math.randomseed(seed)
  local ok, raised = xpcall(f, function(failure)
    local message = type(failure) == "table" and failure.message or failure
    return ("LARDER_SEED=%d repeats this: %s"):format(seed, debug.traceback(tostring(message)))
  end)
  assert(ok, raised)
end

--- Collects garbage at every allocation while f runs.
function support.with_constant_collection(f)
  collectgarbage()
  collectgarbage("incremental", 4, 1000, 1)
  local results = table.pack(pcall(f))
  collectgarbage("incremental", 200, 100, 13)
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

return support
