-- store:verify of caches: each kind of damage, made by writing raw rows, is found and named; what follows from the entries is put
-- right, and what cannot be read goes.
local damages = require "cache_damages"
local larder = require "larder"
local raw = require "raw_rows"
local support = require "support"

local same, raises = support.same, support.raises

local ENTRY, DATA, STATE, QUEUE, GHOST, FILE = 1, 2, 3, 4, 6, 8
local NOW <const> = 1700000000000

local function varints(payload)
  local list, n, shift = {}, 0, 0
  for i = 1, #payload do
    local byte = payload:byte(i)
    n = n | (byte & 127) << shift
    shift = shift + 7
    if byte < 128 then list[#list + 1], n, shift = n, 0, 0 end
  end
  return list
end

-- What the caches have to begin with, and where their rows are. `a` and `b` are small, `b` expires, `f` and `g` share a file.
local function fill(store, files)
  local c = store:cache("c", { max_bytes = 10000, files = files, large = 100 })
  c:set("a", "of a")
  c:set("b", "of b", { ttl = 60, type = "t", metadata = { 1 } })
  c:set("f", ("f"):rep(200))
  c:set("g", ("f"):rep(200))
  c:get "a"
  c:set("z", "of z")
  local s3 = store:cache("s3", { max_bytes = 30, policy = "s3fifo" })
  for i = 1, 9 do s3:set("k" .. i, ("x"):rep(5)) end
end

local function find_rows(w, s)
  s.c, s.s3 = w.payload(raw.key("cache", "c")):byte(1), w.payload(raw.key("cache", "s3")):byte(1)
  for _, key in ipairs { "a", "b", "f", "g", "z" } do
    local n = varints(w.payload(raw.key("cached", s.c, ENTRY, key)))
    s[key] = { id = n[1], place = n[3], expires = n[6] - 1 }
  end
  s.file = w.payload(assert(w.first(raw.key("cached", s.c, FILE)))) and assert(w.first(raw.key("cached", s.c, FILE)))
  s.ghost = assert(w.first(raw.key("cached", s.s3, GHOST)))
end

local function row(...) return raw.key("cached", ...) end

local function has(report, kind, where, text)
  for _, f in ipairs(report.findings) do
    if f.kind == kind and f.where:find(where, 1, true) and f.text:find(text, 1, true) then return true end
  end
  return false
end

local function listed(report)
  local lines = {}
  for _, f in ipairs(report.findings) do lines[#lines + 1] = ("%s | %s | %s"):format(f.kind, f.where, f.text) end
  return table.concat(lines, "\n")
end

describe("a damaged cache", function()
  local path, folder, files, s

  local function open()
    return larder.open { engine = "lmdb", path = path, durability = "none", check_on_open = 0, clock = function() return NOW end }
  end

  before_each(function()
    folder = support.folder()
    path, s = folder .. "/store", {}
    files = larder.files { path = folder .. "/files", durability = "none" }
    local store <close> = open()
    fill(store, files)
    local report = store:verify()
    assert.is_true(report.ok, listed(report))
    same({ 2, 11 }, { report.caches, report.cached })
    store:close()
    raw.write(path, function(w) find_rows(w, s) end)
  end)
  after_each(function()
    files:close()
    support.remove_folders()
  end)

  local function works(store, left, quarantined)
    local cache = store:cache("c", { max_bytes = 10000, files = files, large = 100 })
    same(larder.array(left), cache:keys())
    local bytes = 0
    for _, key in ipairs(left) do
      local data = cache:get(key)
      assert.are.equal((key == "f" or key == "g") and ("f"):rep(200) or "of " .. key, data)
      bytes = bytes + #data
    end
    same({ bytes, quarantined or 0 }, { cache:stats().bytes, cache:stats().quarantined })
    cache:sweep()
    for i = 1, 60 do cache:set("n" .. i, ("%03d"):format(i):rep(100)) end
    assert.is_true(cache:stats().bytes <= 10000 and cache:stats().bytes > 9000)
    cache:clear()
    local report = store:verify()
    assert.is_true(report.ok, listed(report))
  end

  for _, damage in ipairs(damages) do
    local name, make, kind, where, text, left, quarantined = table.unpack(damage, 1, 7)
    it(("is found and put right: %s"):format(name), function()
      raw.write(path, function(w) make(w, s) end)
      local store <close> = open()
      local report = store:verify()
      where = type(where) == "function" and where(s) or where
      assert.is_true(has(report, kind, where, text), listed(report))
      report = store:verify { repair = "indexes" }
      if not left then return assert.is_false(report.ok) end
      assert.is_true(report.ok, listed(report))
      works(store, left, quarantined)
    end)
  end

  it("keeps its order when it is put right", function()
    raw.write(path, function(w)
      w.delete(row(s.c, QUEUE, 1, -s.a.place))
      w.delete(row(s.c, DATA, s.z.id))
      w.put(row(s.c, DATA, 1000), "lost", 0)
    end)
    local store <close> = open()
    same({ { what = 'cache "c"', ok = true } }, store:verify({ repair = "indexes" }).repaired)
    local cache = store:cache("c", { files = files })
    store:cache("c", { max_bytes = 205, files = files, replace = true })
    same({ "a", "g" }, cache:keys()) -- a was used last
  end)

  it("puts itself right when a call meets the damage, and says so in the log", function()
    local calls = {
      get = function(cache) assert.is_nil(cache:get "a") end,
      set = function(cache) cache:set("a", "new") end,
      delete = function(cache) assert.is_false(cache:delete "a") end,
      touch = function(cache) assert.is_false(cache:touch "a") end,
      fetch = function(cache) assert.are.equal("made", (cache:fetch("a", function() return "made" end))) end,
      keys = function(cache) same({ "b", "f", "g", "z" }, cache:keys()) end,
      clear = function(cache) assert.are.equal(4, cache:clear()) end,
      evict = function(cache) for i = 1, 100 do cache:set("n" .. i, ("n"):rep(99)) cache:set("l" .. i, ("l"):rep(99) .. i) end end,
    }
    for name, call in pairs(calls) do
      local copy, lines = folder .. "/" .. name, {}
      os.execute(("cp -r '%s' '%s'"):format(path, copy))
      raw.write(copy, function(w) w.spoil(row(s.c, ENTRY, "a")) end)
      local store <close> = larder.open {
        engine = "lmdb", path = copy, durability = "none", check_on_open = 0,
        log = function(level, line) if level == "warn" then lines[#lines + 1] = line end end,
      }
      local cache = store:cache("c", { files = files })
      call(cache)
      assert.are.equal(1, #lines, name)
      assert.is_truthy(lines[1]:find("put right", 1, true))
      cache:set("a", "again")
      assert.are.equal("again", (cache:get "a"))
      local report = store:verify()
      assert.is_true(report.ok, listed(report))
    end
  end)

  it("whose settings are lost is to be opened again", function()
    raw.write(path, function(w) w.spoil(row(s.c, STATE)) end)
    local store <close> = open()
    raises("CORRUPT", nil, store.cache, store, "c", { files = files })
    store:verify { repair = "indexes" }
    local cache = store:cache("c", { max_bytes = 100, files = files })
    cache:set("a", "1")
    store:close()
    raw.write(path, function(w)
      w.delete(raw.key("cached", w.payload(raw.key("cache", "c")):byte(1), STATE))
    end)
    local again <close> = open()
    raises("CORRUPT", "settings", again.cache, again, "c", { max_bytes = 100, files = files })
    assert.are.equal('cache "c"', again:verify({ repair = "indexes" }).repaired[1].what)
    again:cache("c", { max_bytes = 100, files = files }):set("a", "2")
    assert.is_true(again:verify().ok)
  end)

  it("raises CORRUPT where it cannot put itself right", function()
    raw.write(path, function(w) w.spoil(row(s.c, ENTRY, "a")) end)
    local store <close> = open()
    local cache = store:cache("c", { files = files })
    local tx <close> = store:begin "write"
    raises("CORRUPT", "checksum", cache.get, cache, "a")
    assert.are.equal("of b", (cache:get "b"))
    tx:rollback()
    assert.is_nil(cache:get "a")
  end)

  it("is not made anew by recover: its name and settings are kept, its files go with the next sweep", function()
    local report = larder.recover(path, folder .. "/new")
    assert.is_true(report.ok)
    local told = false
    for _, lost in ipairs(report.lost) do told = told or lost.where == 'cache "c"' and lost.text:find "there are 0" ~= nil end
    assert.is_true(told)
    local store <close> = larder.open("lmdb:" .. folder .. "/new")
    local cache = store:cache("c", { files = files })
    support.none(cache:keys())
    same({ 10000, 0, 0 }, { cache:stats().max_bytes, cache:stats().entries, cache:stats().bytes })
    assert.are.equal(1, cache:sweep())
    works(store, {})
  end)
end)
