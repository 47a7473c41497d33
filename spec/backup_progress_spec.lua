-- The option `progress` of store:backup, larder.backups and larder.restore: it hears of all of the work, and its errors end it.
local larder = require "larder"
local support = require "support"

local function names_of(folder)
  local names = {}
  local pipe <close> = io.popen(("ls -A '%s' 2>/dev/null"):format(folder))
  for name in pipe:lines() do names[#names + 1] = name end
  return names
end

support.on_each_engine("the progress of store:backup", function(given)
  local folder

  before_each(function()
    folder = support.folder()
    local plans = given.store:collection("plans", { indexes = { "title" } })
    for i = 1, 100 do plans:put { id = i, title = "plan " .. i } end
  end)

  local function backup(options)
    return given.store:backup(folder .. "/1", options)
  end

  it("grows up to its end, where each row was gone through four times", function()
    local last, of = 0, nil
    local label = backup { progress = function(done, total)
      assert.is_true(done >= last and done <= total)
      assert.are.equal(of or total, total)
      last, of = done, total
    end }
    assert.are.equal(4 * label.rows, of)
    assert.are.equal(of, last)
  end)

  it("ends the work with what it raises; nothing is left", function()
    local raised = {}
    local ok, got = pcall(backup, { progress = function() error(raised) end })
    assert.is_false(ok)
    assert.are.equal(raised, got)
    support.same({}, names_of(folder))
    assert.are.equal(100, backup().documents)
  end)

  it("may not use the store", function()
    support.raises("MISUSE", "called from one of the store's own functions", backup,
      { progress = function() given.store:map("m"):set(1, 1) end })
    support.same({}, names_of(folder))
    assert.are.equal(0, given.store:map("m"):count())
  end)

  it("is a function, and the only option", function()
    support.raises("INVALID", "option progress: expected a function, got a number", backup, { progress = 1 })
    support.raises("INVALID", 'unknown option "progres", did you mean', backup, { progres = print })
    support.raises("INVALID", "options: expected a table", backup, print)
    support.same({}, names_of(folder))
  end)
end)

describe("the progress of a backup that takes a while", function()
  after_each(support.remove_folders)

  it("is told in between, and ends it there", function()
    local folder = support.folder()
    local store <close> = larder.open("lmdb:" .. folder .. "/store?durability=none")
    store:update(function(tx)
      local plans = tx:collection("plans", { indexes = { "a", "b", "c", "d", "e" } })
      for i = 1, 30000 do plans:put { id = i, a = i, b = i, c = i, d = i, e = i } end
    end)
    local calls, ended_at = 0, nil
    store:backup(folder .. "/1", { progress = function() calls = calls + 1 end })
    if calls < 3 then return pending "this machine is too quick to be asked in between" end
    local ok = pcall(store.backup, store, folder .. "/2", { progress = function(done, total)
      ended_at = done / total
      error "enough"
    end })
    assert.is_false(ok)
    assert.is_true(ended_at < 1)
    support.same({ "1", "store" }, names_of(folder))
    assert.are.equal(30000, store:collection("plans"):count())
  end)
end)

describe("the progress of larder.backups and larder.restore", function()
  local folder, store, backups

  before_each(function()
    folder = support.folder()
    store = larder.open "memory:"
    store:map("m"):set("k", "new")
    backups = larder.backups(folder .. "/backups")
  end)
  after_each(function()
    store:close()
    support.remove_folders()
  end)

  it("is told of taking, verifying and restoring", function()
    local last, of
    local options = { progress = function(done, total) last, of = done, total end }
    local rows = backups:take(store, options).rows
    support.same({ 4 * rows, 4 * rows }, { last, of })
    assert.is_true(backups:verify("latest", options).ok)
    support.same({ 2 * rows, 2 * rows }, { last, of })
    backups:restore("latest", folder .. "/a", options)
    support.same({ 3 * rows, 3 * rows }, { last, of })
    last, of = nil, nil
    larder.restore(backups:list()[1].path, folder .. "/b", options)
    support.same({ 3 * rows, 3 * rows }, { last, of })
  end)

  --- Whatever the call number `at` of progress interrupts, nothing has changed.
  local function interrupted(at, call, ...)
    local count, arguments = 0, { ... }
    arguments[#arguments + 1] = { progress = function()
      count = count + 1
      if count == at then error { at } end
    end }
    local ok, got = pcall(call, table.unpack(arguments))
    if count < at then return false end
    assert.is_false(ok)
    assert.are.equal(at, got[1])
    return true
  end

  it("ends each of them with what it raises; nothing has changed", function()
    assert.is_true(interrupted(1, backups.take, backups, store))
    support.same({}, names_of(folder .. "/backups"))
    local path = backups:take(store).path
    assert.is_true(interrupted(1, backups.verify, backups, "latest"))
    local target = folder .. "/target"
    do
      local old <close> = larder.open("lmdb:" .. target)
      old:map("m"):set("k", "old")
    end
    local times = 0
    while interrupted(times + 1, larder.restore, path, target) do
      times = times + 1
      support.same({ "data.mdb", "lock.mdb" }, names_of(target))
      support.same({}, names_of(target .. ".quarantine"))
      local old <close> = larder.open("lmdb:" .. target)
      assert.are.equal("old", old:map("m"):get "k")
    end
    assert.is_true(times >= 2)
    local new <close> = larder.open("lmdb:" .. target) -- the last one was not interrupted any more
    assert.are.equal("new", new:map("m"):get "k")
  end)

  it("is a function, and the only option", function()
    backups:take(store)
    local function restore(options) return larder.restore(backups:list()[1].path, folder .. "/a", options) end
    support.raises("INVALID", "option progress: expected a function, got a string", backups.take, backups, store, { progress = "x" })
    support.raises("INVALID", "options: expected a table", backups.verify, backups, "latest", 7)
    support.raises("INVALID", 'unknown option "keep"', backups.restore, backups, "latest", folder .. "/a", { keep = 1 })
    support.raises("INVALID", 'unknown option "keep"', restore, { keep = 1 })
    support.raises("INVALID", "option progress: expected a function", restore, { progress = 1 })
    support.same({}, names_of(folder .. "/a"))
  end)
end)
