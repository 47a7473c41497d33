-- A damaged file: the right data or CORRUPT; never wrong data, a crash or a changed file.
local larder = require "larder"
local port = require "larder_port"

local seed = tonumber(os.getenv "LARDER_SEED") or os.time()
local flips = tonumber(os.getenv "LARDER_FLIPS") or 300

local function room(number)
  local ratings = {}
  for i = 1, number do ratings["movie-" .. i] = { { "ada", "like", i }, { "grace", "dislike", i + 0.5 } } end
  return { roomName = "room-" .. number, note = ("n"):rep(number * 40), ratings = ratings, userProgress = { ada = number } }
end

local count = 25

local function make_store(directory)
  local store <close> = larder.open("lmdb:" .. directory)
  for number = 1, count do store:rooms():save(room(number)) end
  for number = 1, count, 5 do store:rooms():delete("room-" .. number) end -- so that there are free pages
end

local function read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write_file(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  file:write(bytes)
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b and math.type(a) == math.type(b) end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- In a child, since liblmdb may die: 0 all data right, 2 CORRUPT or INVALID, 3 wrong data.
local function read_all(url)
  local ok, problem = pcall(function()
    local store <close> = larder.open(url)
    local rooms = store:rooms()
    local names = 0
    for _ in rooms:names() do names = names + 1 end
    for number = 1, count do
      local expected = number % 5 ~= 1 and room(number) or nil
      if not same(expected, rooms:get("room-" .. number)) then return 3 end
    end
    return names == count - math.ceil(count / 5) and 0 or 3
  end)
  if ok then return problem end
  return type(problem) == "table" and problem.code == "CORRUPT" and 2 or 4
end

local function outcome(directory)
  local pid = port.fork()
  if pid == 0 then port._exit(read_all("lmdb:" .. directory)) end
  local _, how, code = port.waitpid(pid)
  return how == "exited" and code or how .. " " .. code
end

describe("a damaged store", function()
  local directory, path, sound

  setup(function()
    directory = assert(port.temp_dir())
    make_store(directory .. "/store")
    directory = directory .. "/store"
    path = directory .. "/data.mdb"
    sound = read_file(path)
  end)

  local function try(bytes, what)
    write_file(path, bytes)
    local code = outcome(directory)
    assert.is_true(code == 0 or code == 2, ("%s: outcome %s"):format(what, code))
    assert.is_true(read_file(path) == bytes, what .. ": the file was changed")
    return code
  end

  it("is read when it is sound", function() assert.are.equal(0, try(sound, "sound")) end)

  it("is right or CORRUPT at any truncation", function()
    local corrupt = 0
    for size = 0, #sound - 1, 509 do corrupt = corrupt + (try(sound:sub(1, size), "cut at " .. size) == 2 and 1 or 0) end
    for size = 4096, #sound - 1, 4096 do try(sound:sub(1, size), "cut at " .. size) end
    assert.is_true(corrupt > 0)
  end)

  it(("is right or CORRUPT after any of %d single bit flips (LARDER_SEED=%d)"):format(flips, seed), function()
    math.randomseed(seed)
    local corrupt = 0
    for _ = 1, flips do
      local at, bit = math.random(#sound), math.random(0, 7)
      local flipped = sound:sub(1, at - 1) .. string.char(sound:byte(at) ~ (1 << bit)) .. sound:sub(at + 1)
      corrupt = corrupt + (try(flipped, ("byte %d bit %d"):format(at - 1, bit)) == 2 and 1 or 0)
    end
    assert.is_true(corrupt > 0)
  end)

  for name, bytes in pairs{ empty = "", garbage = ("garbage "):rep(4096), text = "hello", zeros = ("\0"):rep(32768) } do
    it("that is " .. name .. " is CORRUPT, and says what was found", function()
      write_file(path, bytes)
      local ok, problem = pcall(larder.open, "lmdb:" .. directory)
      assert.is_false(ok)
      assert.are.equal("CORRUPT", problem.code)
      assert.truthy(problem.message:find("data.mdb", 1, true), problem.message)
      assert.are.equal(bytes, read_file(path))
    end)
  end
end)
