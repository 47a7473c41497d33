-- store:backup: a copy that another process has verified, or nothing.
local larder = require "larder"
local port = require "larder_port"
local support = require "support"

local function names_of(folder)
  local names = {}
  local pipe <close> = io.popen(("ls -A '%s'"):format(folder))
  for name in pipe:lines() do names[#names + 1] = name end
  return names
end

support.on_each_engine("store:backup", function(given)
  local folder

  before_each(function() folder = support.folder() end)

  local function fill()
    local plans = given.store:collection("plans", { indexes = { "title" } })
    for i = 1, 500 do plans:put { id = i, title = "plan " .. i, tags = { "a", i } } end
    given.rooms:save { roomName = "lobby", ratings = { m = { { "ada", "like", 7 } } } }
    given.store:map("seen"):set({ "a", 1 }, { x = larder.null })
    given.store:map("seen"):set(("k"):rep(700), 2)
  end

  it("writes all that is committed, as a store", function()
    fill()
    local label = given.store:backup(folder .. "/deep/er/backup")
    assert.are.equal(500, label.documents)
    assert.are.equal(1, label.rooms)
    assert.are.equal(2, label.keys)
    assert.are.equal(given.store:stats().engine, label.engine)
    support.same({ "backup.json", "data.mdb" }, names_of(folder .. "/deep/er/backup"))
    support.same({ "backup" }, names_of(folder .. "/deep/er"))
    local copy <close> = larder.open("lmdb:" .. folder .. "/deep/er/backup?read_only=true")
    assert.are.equal(500, copy:collection("plans"):count())
    support.same({ "a", 7 }, copy:collection("plans"):get(7).tags)
    support.same(given.rooms:get "lobby", copy:rooms():get "lobby")
    support.same({ x = larder.null }, copy:map("seen"):get { "a", 1 })
    assert.are.equal(2, copy:map("seen"):get(("k"):rep(700)))
    assert.are.equal(select(2, given.store:collection("plans"):get(7)), select(2, copy:collection("plans"):get(7)))
    assert.is_true(copy:verify().ok)
  end)

  it("has the same hash for the same rows, and another one for others", function()
    fill()
    local first, second = given.store:backup(folder .. "/1"), given.store:backup(folder .. "/2")
    assert.are.equal(first.hash, second.hash)
    given.store:map("seen"):set("more", 1)
    assert.are_not.equal(first.hash, given.store:backup(folder .. "/3").hash)
  end)

  it("takes an empty store", function()
    assert.are.equal(0, given.store:backup(folder .. "/1").documents)
  end)

  it("leaves out what is not committed, and lets the transaction go on", function()
    given.store:update(function(tx)
      tx:map("m"):set("k", 1)
      assert.are.equal(0, given.store:backup(folder .. "/1").keys)
      tx:map("m"):set("l", 1)
    end)
    assert.are.equal(2, given.store:map("m"):count())
    assert.are.equal(2, given.store:backup(folder .. "/2").keys)
  end)

  it("tells the store's time", function()
    local store = given.open { clock = function() return 1234567 end }
    assert.are.equal(1234567, store:backup(folder .. "/1").at)
    local failing = given.open { clock = function() error "no clock" end }
    assert.is_false(pcall(failing.backup, failing, folder .. "/2"))
    support.same({ "1" }, names_of(folder))
  end)

  it("does not call the program's log or clock in the other process", function()
    local lines, pid = {}, port.getpid()
    local store = given.open { log = function(_, line)
      if port.getpid() ~= pid then support.write_file(folder .. "/called", line) end
      lines[#lines + 1] = line
    end }
    store:backup(folder .. "/1")
    support.same({ "1" }, names_of(folder))
  end)

  it("refuses a path where something is, and changes nothing", function()
    given.store:backup(folder .. "/1")
    local before = support.read_file(folder .. "/1/data.mdb")
    fill()
    support.write_file(folder .. "/file", "mine")
    support.raises("EXISTS", "/1: is there already", given.store.backup, given.store, folder .. "/1")
    support.raises("EXISTS", "/file: is there already", given.store.backup, given.store, folder .. "/file")
    assert.are.equal(before, support.read_file(folder .. "/1/data.mdb"))
    assert.are.equal("mine", support.read_file(folder .. "/file"))
  end)

  it("refuses what is no path", function()
    support.raises("INVALID", "path: expected a string", given.store.backup, given.store)
    support.raises("INVALID", "path: is empty", given.store.backup, given.store, "")
    support.raises("INVALID", "expected a store before the colon", given.store.backup, nil, "x")
    support.raises("IO", "", given.store.backup, given.store, "/proc/nowhere/x")
    given.store:close()
    support.raises("CLOSED", "", given.store.backup, given.store, folder .. "/1")
  end)

  it("leaves nothing on a full disk", function()
    fill()
    for _, limit in ipairs { 0, 4096, 20000, 50000 } do
      local pid = port.fork()
      if pid == 0 then
        port.ignore_sigxfsz()
        port.setrlimit_fsize(limit)
        local ok, problem = pcall(given.store.backup, given.store, folder .. "/1")
        port._exit(not ok and (problem.code == "FULL" or problem.code == "IO") and 0 or 1)
      end
      local _, how, code = port.waitpid(pid)
      assert.are.same({ "exited", 0 }, { how, code }, limit .. " bytes")
      support.same({}, names_of(folder))
    end
    assert.are.equal(500, given.store:backup(folder .. "/1").documents)
  end)

  it("works for a program that reaps or ignores its children", function()
    local pid = port.fork()
    if pid == 0 then
      port._exit(pcall(given.store.backup, given.store, folder .. "/1") and 0 or 1)
    end
    local _, how, code = port.waitpid(pid)
    assert.are.same({ "exited", 0 }, { how, code })
    support.same({ "1" }, names_of(folder))
  end)
end)

describe("a backup of an LMDB store", function()
  after_each(support.remove_folders)

  it("is smaller than a store with free pages", function()
    local folder = support.folder()
    local store <close> = larder.open("lmdb:" .. folder .. "/store?durability=none")
    for i = 1, 300 do store:map("m"):set(i, ("x"):rep(3000)) end
    for i = 1, 290 do store:map("m"):set(i, nil or false) end
    local label = store:backup(folder .. "/1")
    assert.is_true(label.bytes * 3 < store:stats().bytes_used)
  end)

  -- Each flipped bit of a store: the store is refused, or its rows are those that were there.
  it("is refused where the store is damaged, whatever the damage does to liblmdb", function()
    local folder = support.folder()
    local url = "lmdb:" .. folder .. "/store?durability=none&check_on_open=0"
    local hash
    do
      local store <close> = larder.open(url)
      store:update(function(tx)
        for i = 1, 400 do tx:collection("plans", { indexes = { "t" } }):put { id = i, t = ("t"):rep(i % 9) } end
      end)
      hash = store:backup(folder .. "/sound").hash
    end
    local data = support.read_file(folder .. "/store/data.mdb")
    local refused, taken = 0, 0
    math.randomseed(7)
    for round = 1, 120 do
      local at = math.random(8193, #data)
      local damaged = data:sub(1, at - 1) .. string.char(data:byte(at) ~ (1 << math.random(0, 7))) .. data:sub(at + 1)
      support.write_file(folder .. "/store/data.mdb", damaged)
      local pid = port.fork() -- opening it may kill this process, which is not what is tested
      if pid == 0 then
        local opened, store = pcall(larder.open, url)
        if not opened then port._exit(3) end
        local ok, label = pcall(store.backup, store, folder .. "/" .. round)
        if ok then port._exit(label.hash == hash and 0 or 1) end
        port._exit(label.code == "CORRUPT" and 3 or 2)
      end
      local _, how, code = port.waitpid(pid)
      if how == "exited" then
        assert.is_true(code == 0 or code == 3, ("byte %d: %d"):format(at, code))
        if code == 0 then taken = taken + 1 else refused = refused + 1 end
      end
    end
    assert.is_true(refused > 40, refused .. " refused")
    for _, name in ipairs(names_of(folder)) do assert.is_nil(name:match "^%.", name) end
  end)

  it("holds one moment while another process writes", function()
    local folder = support.folder()
    local url = "lmdb:" .. folder .. "/store?durability=none"
    local store <close> = larder.open(url)
    local function move(tx, from, to)
      local m = tx:map "accounts"
      m:increment(from, -1)
      m:increment(to, 1)
    end
    store:update(function(tx)
      for i = 1, 200 do tx:map("accounts"):set(i, 100) end
    end)
    local pid = port.fork()
    if pid == 0 then
      for i = 1, math.huge do
        store:update(function(tx) move(tx, i % 200 + 1, i * 7 % 200 + 1) end)
      end
    end
    local hashes, different = {}, 0
    for round = 1, 8 do
      local hash = store:backup(folder .. "/" .. round).hash
      if not hashes[hash] then hashes[hash], different = true, different + 1 end
      local copy <close> = larder.open("lmdb:" .. folder .. "/" .. round .. "?read_only=true")
      local sum = 0
      for _, value in copy:map("accounts"):range() do sum = sum + value end
      assert.are.equal(20000, sum)
    end
    port.kill(pid)
    port.waitpid(pid)
    assert.is_true(different > 1)
  end)
end)
