-- larder.backups: taking, listing, rotating, verifying.
local larder = require "larder"
local port = require "larder_port"
local support = require "support"

local DAY = 24 * 60 * 60 * 1000
local MONDAY = 1795420800000 -- 2026-11-23T08:00:00Z

describe("larder.backups", function()
  local folder, store, now

  before_each(function()
    folder, now = support.folder() .. "/backups", MONDAY
    store = larder.open { url = "memory:", clock = function() return now end }
  end)

  after_each(function()
    store:close()
    support.remove_folders()
  end)

  --- A backup of a store that has changed, `days` later.
  local function take(backups, days)
    now = now + (days or 0) * DAY
    store:map("m"):increment "changes"
    return backups:take(store)
  end

  local function numbers(backups)
    local found = {}
    for i, entry in ipairs(backups:list()) do found[i] = entry.number end
    return found
  end

  local function damage(entry)
    local data = support.read_file(entry.path .. "/data.mdb")
    local at = data:find("changes", 1, true)
    support.write_file(entry.path .. "/data.mdb", data:sub(1, at - 1) .. "C" .. data:sub(at + 1))
  end

  it("names a backup by its time and number, and lists the newest first", function()
    local backups = larder.backups(folder)
    support.same({}, backups:list())
    local entry = take(backups)
    assert.are.equal("2026-11-23T08-00-00Z-000001", entry.name)
    assert.are.equal(MONDAY, entry.at)
    support.none(entry.dropped)
    now = now - 30 * DAY -- the clock was put back
    assert.are.equal("2026-10-24T08-00-00Z-000002", take(backups).name)
    support.same({ 2, 1 }, numbers(backups))
    local listed = backups:list()[2]
    for _, field in ipairs { "name", "path", "hash", "bytes", "rows", "keys", "at", "engine" } do
      assert.are.equal(entry[field], listed[field], field)
      assert.is_not_nil(entry[field])
    end
    assert.is_true(listed.ok)
  end)

  it("passes over what is no backup", function()
    local backups = larder.backups(folder)
    take(backups)
    support.write_file(folder .. "/notes.txt", "mine")
    os.execute(("mkdir '%s/2026-11-23T08-00-00Z-x' '%s/photos'"):format(folder, folder))
    support.same({ 1 }, numbers(backups))
    larder.backups(folder, { keep = 1 }):rotate()
    assert.are.equal("mine", support.read_file(folder .. "/notes.txt"))
  end)

  it("keeps all without options", function()
    local backups = larder.backups(folder)
    for _ = 1, 4 do take(backups, 100) end
    support.same({ 4, 3, 2, 1 }, numbers(backups))
    support.none(backups:rotate(now + 1000 * DAY))
  end)

  it("keeps the newest", function()
    local backups = larder.backups(folder, { keep = 2 })
    for _ = 1, 2 do support.none(take(backups).dropped) end
    support.same({ "2026-11-23T08-00-00Z-000001" }, take(backups).dropped)
    support.same({ 3, 2 }, numbers(backups))
  end)

  it("keeps those of the last days", function()
    local backups = larder.backups(folder, { days = 7 })
    for _ = 1, 5 do take(backups, 3) end
    support.same({ 5, 4, 3 }, numbers(backups))
    assert.are.equal(3, #take(backups, 8).dropped)
    support.same({ 6 }, numbers(backups))
  end)

  it("lets go only what is neither among the newest nor young", function()
    local backups = larder.backups(folder, { keep = 2, days = 7 })
    for _ = 1, 4 do take(backups, 1) end
    support.same({ 4, 3, 2, 1 }, numbers(backups))
    take(backups, 30)
    support.same({ 5, 4 }, numbers(backups))
  end)

  it("an identical one pushes nobody out: it takes its twin's place", function()
    local backups = larder.backups(folder, { keep = 2 })
    take(backups)
    take(backups)
    for number = 3, 5 do
      local entry = backups:take(store)
      assert.is_true(entry.identical)
      assert.are.equal(1, #entry.dropped)
      support.same({ number, 1 }, numbers(backups))
    end
    assert.is_false(take(backups).identical)
    support.same({ 6, 5 }, numbers(backups))
  end)

  it("never lets the last good one go", function()
    local backups = larder.backups(folder)
    for _ = 1, 4 do take(backups) end
    for i = 1, 2 do damage(backups:list()[i]) end
    local strict = larder.backups(folder, { keep = 1 })
    support.same({ "2026-11-23T08-00-00Z-000001", "2026-11-23T08-00-00Z-000003" }, strict:rotate(now + 100 * DAY))
    support.same({ 4, 2 }, numbers(backups))
    damage(backups:list()[2])
    support.none(strict:rotate(now + 100 * DAY))
    support.same({ 4, 2 }, numbers(backups))
    assert.are.equal(2, #take(strict).dropped)
    support.same({ 5 }, numbers(backups))
  end)

  it("neither counts nor drops what cannot be read", function()
    local backups = larder.backups(folder, { keep = 2 })
    for _ = 1, 2 do take(backups) end
    support.write_file(backups:list()[1].path .. "/backup.json", "{")
    take(backups)
    take(backups)
    support.same({ 4, 3, 2 }, numbers(backups))
    local entry = backups:list()[3]
    assert.is_false(entry.ok)
    assert.are.equal("CORRUPT", entry.problem.code)
  end)

  it("changes nothing when the store is damaged", function()
    local damaged = support.folder()
    local path = damaged .. "/store"
    do
      local sound <close> = larder.open("lmdb:" .. path)
      sound:update(function(tx)
        for i = 1, 2000 do tx:map("m"):set(i, ("x"):rep(100)) end
      end)
    end
    local data = support.read_file(path .. "/data.mdb")
    local at = data:find(("x"):rep(100), 1, true) + 5
    support.write_file(path .. "/data.mdb", data:sub(1, at - 1) .. "y" .. data:sub(at + 1))
    local backups = larder.backups(folder, { keep = 1 })
    take(backups)
    local broken <close> = larder.open("lmdb:" .. path .. "?check_on_open=0")
    support.raises("CORRUPT", "damaged", backups.take, backups, broken)
    support.same({ 1 }, numbers(backups))
    assert.is_true(backups:verify("latest").ok)
  end)

  it("verifies one", function()
    local backups = larder.backups(folder)
    local entry = take(backups)
    assert.is_true(backups:verify(entry.name).ok)
    damage(entry)
    local verdict = backups:verify "latest"
    assert.is_false(verdict.ok)
    assert.are.equal("CORRUPT", verdict.problem.code)
    support.raises("INVALID", 'has no backup "x"', backups.verify, backups, "x")
    support.raises("INVALID", "expected a string", backups.verify, backups)
    support.raises("INVALID", "has no backups", larder.backups(folder .. "-none").verify,
      larder.backups(folder .. "-none"), "latest")
  end)

  it("is done by one at a time", function()
    local backups = larder.backups(folder, { keep = 1 })
    take(backups)
    local held <close> = require "larder.core".backup_folder(folder, "spec")
    support.raises("BUSY", "another one is at work", backups.take, backups, store)
    support.raises("BUSY", "another one is at work", backups.rotate, backups)
    assert.are.equal("userdata", type(held))
  end)

  it("restores the latest, or one by its name", function()
    local backups = larder.backups(folder)
    local first = take(backups)
    take(backups)
    local to = support.folder() .. "/store"
    local restored = backups:restore("latest", to)
    assert.is_nil(restored.quarantine)
    assert.are.equal("2026-11-23T08-00-00Z-000002", restored.name)
    local function changes(path)
      local opened <close> = larder.open("lmdb:" .. path)
      return opened:map("m"):get "changes"
    end
    assert.are.equal(2, changes(to))
    restored = backups:restore(first.name, "lmdb:" .. to)
    assert.are.equal(1, changes(to))
    assert.are.equal(2, changes(restored.quarantine))
    assert.truthy(restored.quarantine:find(to .. ".quarantine/", 1, true))
  end)

  it("refuses wrong options and handles", function()
    support.raises("INVALID", "option keep: expected a whole number from 1, got 0", larder.backups, folder, { keep = 0 })
    support.raises("INVALID", "option keep", larder.backups, folder, { keep = "3" })
    support.raises("INVALID", "option days", larder.backups, folder, { days = -1 })
    support.raises("INVALID", "keep", larder.backups, folder, { kep = 3 })
    support.raises("INVALID", "folder: expected a path", larder.backups)
    support.raises("INVALID", "options: expected a table", larder.backups, folder, 3)
    support.raises("INVALID", "expected backups before the colon", larder.backups(folder).list)
    support.raises("INVALID", "now: expected ms", larder.backups(folder).rotate, larder.backups(folder), "x")
    support.write_file(support.folder() .. "/file", "")
    assert.is_false(pcall(larder.backups("/proc/nowhere").take, larder.backups("/proc/nowhere"), store))
  end)

  -- Each call of the core is a step; a child is killed before each of them, and another takes up.
  it("killed at every step leaves good backups only, and the next run clears up", function()
    local backups = larder.backups(folder, { keep = 2 })
    for step = 1, 50 do
      os.execute(("rm -rf '%s'"):format(folder))
      for _ = 1, 3 do take(larder.backups(folder)) end
      local pid = port.fork()
      if pid == 0 then
        local core, count = require "larder.core", 0
        local function killer(name)
          local f = core[name]
          core[name] = function(...)
            count = count + 1
            if count == step then port.kill(port.getpid()) end
            return f(...)
          end
        end
        for _, name in ipairs { "backup_drop", "backup_folder", "backup_label", "now", "names" } do killer(name) end
        local ok = pcall(take, backups)
        port._exit(ok and 0 or 1)
      end
      local _, how, code = port.waitpid(pid)
      local left = backups:list()
      assert.is_true(#left >= 2)
      for _, entry in ipairs(left) do assert.is_true(backups:verify(entry.name).ok) end
      take(backups)
      assert.are.equal(2, #backups:list())
      local pipe <close> = io.popen(("ls -A '%s' | wc -l"):format(folder))
      assert.are.equal(2, pipe:read "n")
      if how == "exited" then
        assert.are.equal(0, code)
        assert.is_true(step > 6)
        break
      end
    end
  end)
end)
