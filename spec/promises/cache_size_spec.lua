-- A value larger than the memory that may be used. LARDER_CACHE_MIB (200) is how large.
local larder = require "larder"
local forked = require "spec.forked"
local port = require "larder_port"

describe("a cache", function()
  local folder

  before_each(function() folder = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(folder) end)

  -- Sanitizers need memory of their own.
  local watched = (os.getenv "LARDER_BUILD" or ""):find "/asan$" or (os.getenv "LARDER_BUILD" or ""):find "/valgrind$"
  local limit = watched and math.huge or 10 * 1024 * 1024
  local mib = tonumber(os.getenv "LARDER_CACHE_MIB") or (watched and 8 or 200)

  local function piece_of(number) return ("%015d\n"):format(number):rep(65536 // 16) end

  local function work(to)
    local uploads <close> = larder.files { path = folder .. "/uploads", durability = "none" }
    local files <close> = larder.files { path = folder .. "/files", durability = "none" }
    local store <close> = larder.open { engine = "lmdb", path = folder .. "/store", durability = "none" }
    local cache = store:cache("c", { max_bytes = 2 * mib << 20, files = files })
    local left = mib * 16
    uploads:write("warm", piece_of(0))
    cache:set("warm", uploads:open_reader "warm")
    cache:get("warm", { path = true })
    uploads:write("f", function()
      left = left - 1
      if left >= 0 then return piece_of(left) end
    end)
    collectgarbage()
    local before = port.peak()
    cache:set("f", uploads:open_reader "f")
    local path, info = cache:get("f", { path = true })
    local growth = port.peak() - before
    port.write(to, ("%s %d %d"):format(files:checksum(path) == uploads:checksum "f", info.size, growth))
  end

  it(("takes %d MiB of a reader, and verifies them, in flat memory"):format(mib), function()
    local pid, pipe = forked.start(work)
    local said = forked.drain(pipe)
    local same, bytes, growth = said:match "^(%a+) (%d+) (-?%d+)$"
    port.waitpid(pid)
    assert.are.equal("true", same, said)
    assert.are.equal(mib << 20, tonumber(bytes))
    assert.is_true(tonumber(growth) < limit, growth .. " bytes more")
  end)
end)

describe("a cache on a full disk", function()
  local folder

  before_each(function() folder = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(folder) end)

  --- Files may not grow past a MiB: what is larger fails on the way.
  local function work(to)
    local uploads <close> = larder.files { path = folder .. "/uploads", durability = "none" }
    local files <close> = larder.files { path = folder .. "/files", durability = "none" }
    local store <close> = larder.open { engine = "lmdb", path = folder .. "/store", durability = "none" }
    local cache = store:cache("c", { max_bytes = 3 << 20, files = files })
    uploads:write("f", ("x"):rep(2 << 20))
    cache:set("old", ("y"):rep(1 << 19))
    cache:set("gone", ("z"):rep(1 << 19))
    port.ignore_sigxfsz()
    assert(port.setrlimit_fsize(1 << 20))
    local said = {}
    for i, value in ipairs { uploads:open_reader "f", ("x"):rep(2 << 20) } do
      local ok, problem = pcall(cache.set, cache, "gone", value)
      said[i] = ok and "none" or problem.code
    end
    local count = 0
    for _ in files:each("", { recursive = true }) do count = count + 1 end
    cache:set("new", "1")
    local old, gone, new = cache:get "old", cache:get "gone", cache:get "new"
    port.write(to, ("%s %s %d %d %d %s %d"):format(said[1], said[2], count, #old, #gone, new, cache:sweep()))
  end

  it("fails with FULL or IO, leaves nothing, and goes on", function()
    local pid, pipe = forked.start(work)
    local said = forked.drain(pipe)
    port.waitpid(pid)
    local reader, bytes, rest = said:match "^(%u+) (%u+) (.*)$"
    assert.is_true((reader == "FULL" or reader == "IO") and (bytes == "FULL" or bytes == "IO"), said)
    assert.are.equal("2 524288 524288 1 0", rest)
  end)
end)
