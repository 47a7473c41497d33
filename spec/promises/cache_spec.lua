-- A cache that four processes work on while they are killed. LARDER_CACHE_SECONDS (3) sets how long.
local larder = require "larder"
local forked = require "spec.forked"
local port = require "larder_port"
local support = require "spec.support"

describe("a cache with four processes that are killed", function()
  local folder

  before_each(function() folder = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(folder) end)

  local MAX <const>, KEYS <const> = 40000, 40

  --- Each key has its own contents, which say their size, so that any other is wrong; some are shared by two keys.
  local function content(key, size)
    return ("%d,%d;"):format(key // 2, size):rep(size)
  end

  local function is_right(key, data)
    local of, size = data:match "^(%d+),(%d+);"
    return of ~= nil and tonumber(of) == key // 2 and data == content(key, tonumber(size))
  end

  local function open(policy, clock)
    local store = larder.open {
      engine = "lmdb", path = folder .. "/store-" .. policy, durability = "system", clock = clock,
    }
    local files = larder.files("local:" .. folder .. "/files-" .. policy, { durability = "none" })
    return store, store:cache("c", { max_bytes = MAX, files = files, large = 500, policy = policy }), files
  end

  local function open_uploads() return larder.files("local:" .. folder .. "/uploads", { durability = "none" }) end

  local function work_one(cache, key, uploads)
    local name, what = "k" .. key, math.random(10)
    if what <= 3 then
      cache:set(name, content(key, math.random(1, 400)), { ttl = math.random(4) == 1 and math.random() or nil })
    elseif what <= 5 then
      local path = ("%d"):format(math.random(1 << 60))
      uploads:write(path, content(key, math.random(1, 400)))
      local reader <close> = uploads:open_reader(path)
      uploads:delete(path)
      cache:set(name, reader)
    elseif what <= 8 then
      local data = cache:get(name)
      if data and not is_right(key, data) then error("wrong content of " .. name) end
    elseif what == 9 then
      cache:delete(name)
    else
      if math.random(8) == 1 then cache:sweep() end
      local data = cache:fetch(name, function() return content(key, 300) end, { lease = 0.05 })
      if not is_right(key, data) then error("wrong content fetched of " .. name) end
    end
    local bytes = cache:stats().bytes
    if bytes > MAX then error(("%d bytes"):format(bytes)) end
  end

  local function work_forever(pipe, policy, seed)
    math.randomseed(seed)
    local _, cache, files = open(policy)
    local uploads = open_uploads()
    while files do
      work_one(cache, math.random(KEYS), uploads)
      port.write(pipe, ".")
    end
  end

  --- By a clock by which nothing has expired yet.
  local function check(policy)
    local store, cache, files = open(policy, function() return 0 end)
    cache:sweep()
    assert.are.equal(0, cache:sweep())
    local there, bytes, on_disk = {}, 0, 0
    for _, name in ipairs(cache:keys()) do
      local data, info = cache:get(name)
      assert.is_true(is_right(tonumber(name:match "%d+"), data))
      bytes = bytes + #data
      if info.path then there[info.path] = true end
    end
    for path, entry in files:each("", { recursive = true }) do
      assert.is_true(there[path], path .. " belongs to nobody")
      on_disk = on_disk + entry.size
    end
    local stats = cache:stats()
    assert.are.equal(bytes, stats.bytes)
    local report = store:verify()
    assert.is_true(report.ok, report.findings[1] and report.findings[1].text)
    assert.is_true(bytes <= MAX and on_disk <= MAX)
    assert.are.equal(0, stats.quarantined)
    store:close()
    files:close()
  end

  local function run(policy, seconds)
    local rounds, done = 0, 0
    local deadline = os.time() + seconds
    repeat
      local children = {}
      for i = 1, 4 do
        local seed = math.random(1 << 30)
        children[i] = { forked.start(function(to) work_forever(to, policy, seed) end) }
      end
      for _, child in ipairs(children) do
        port.sleep(0.02 + math.random() ^ 2 * 0.1)
        port.kill(child[1], 9)
        port.waitpid(child[1])
        local said = forked.drain(child[2])
        assert.is_nil(said:find "!", said)
        done = done + #said
      end
      rounds = rounds + 1
      check(policy)
    until os.time() >= deadline
    assert.is_true(done > rounds * 4, "they did next to nothing")
  end

  local seconds = tonumber(os.getenv "LARDER_CACHE_SECONDS") or 3
  for _, policy in ipairs { "lru", "s3fifo" } do
    it(("is right and within its limit, policy %s, %g s"):format(policy, seconds), function()
      support.at_random(function() run(policy, seconds) end)
    end)
  end
end)

describe("a cache that is killed while it takes a reader", function()
  local folder

  before_each(function() folder = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(folder) end)

  local PIECE <const> = ("0123456789abcdef"):rep(4096)
  local PIECES <const> = 48

  local function open()
    local store = larder.open { engine = "lmdb", path = folder .. "/store", durability = "system" }
    local files = larder.files { path = folder .. "/files", durability = "none" }
    return store, store:cache("c", { max_bytes = 3 * PIECES * #PIECE, files = files }), files
  end

  local function work(pipe)
    local _, cache = open()
    local uploads = larder.files { path = folder .. "/uploads", durability = "none" }
    for i = 1, math.huge do
      uploads:write("up", PIECE:rep(PIECES) .. ("%d %d"):format(i, math.random(1 << 40)))
      port.write(pipe, ".")
      cache:set("k" .. i % 5, uploads:open_reader "up")
    end
  end

  it("has what it says, and no other file after a sweep", function()
    local done, left = 0, 0
    for round = 1, 15 do
      math.randomseed(round)
      local pid, pipe = forked.start(work)
      port.sleep(0.05 + math.random() * 0.1)
      port.kill(pid, 9)
      port.waitpid(pid)
      local said = forked.drain(pipe)
      assert.is_nil(said:find "!", said)
      done = done + #said
      local store, cache, files = open()
      left = left + cache:sweep()
      local there = {}
      for _, key in ipairs(cache:keys()) do
        local path = assert(cache:get(key, { path = true }))
        there[path] = true
      end
      for path in files:each("", { recursive = true }) do assert.is_true(there[path], path) end
      assert.are.equal(0, cache:sweep())
      store:close()
      files:close()
    end
    assert.is_true(done > 15, "they did next to nothing")
    assert.is_true(left > 0, "none was killed on the way")
  end)
end)
