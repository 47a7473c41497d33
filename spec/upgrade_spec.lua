local larder = require "larder"
local port = require "larder_port"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function fill(store, from, to)
  store:update(function(tx)
    local plans = tx:collection "plans"
    for i = from, to do plans:put { id = i, n = i } end
  end)
end

local function declare(place, step)
  return place:collection("plans", { version = 2, upgrade = { [2] = step or function(doc) doc.n, doc.m = nil, doc.n end } })
end

on_each_engine("upgrade_all", function(given)
  it("writes all older documents, in batches, telling how far it is", function()
    fill(given.store, 1, 25)
    local plans, told = declare(given.store), {}
    plans:update(7, { seen = true })
    assert.are.equal(24, plans:upgrade_all { batch = 10, progress = function(done, total) told[#told + 1] = { done, total } end })
    same({ { 10, 24 }, { 20, 24 }, { 24, 24 } }, told)
    for i = 1, 25 do same({ id = i, m = i, seen = i == 7 or nil }, (plans:get(i))) end
    local called = false
    assert.are.equal(0, plans:upgrade_all { progress = function() called = true end })
    assert.is_false(called)
    assert.are.equal(0, given.store:collection("empty", { version = 5 }):upgrade_all())
  end)

  it("calls the upgrade once for each, and not for what is current", function()
    fill(given.store, 1, 10)
    local calls = 0
    local plans = declare(given.store, function() calls = calls + 1 end)
    plans:update_where({ id = { ["$lte"] = 4 } }, { a = 1 })
    calls = 0
    plans:upgrade_all { batch = 3 }
    assert.are.equal(6, calls)
    plans:find()
    assert.are.equal(6, calls)
  end)

  it("goes past long runs of current documents", function()
    fill(given.store, 1, 400)
    local plans = declare(given.store)
    plans:update_where({ id = { ["$lt"] = 399 } }, { a = 1 })
    assert.are.equal(2, plans:upgrade_all { batch = 1 })
    assert.are.equal(400, plans:count { m = { ["$exists"] = true } })
  end)

  it("keeps the batches before a document that fails, and names it", function()
    fill(given.store, 1, 20)
    local mended = false
    local plans = declare(given.store, function(doc)
      if doc.id == 14 and not mended then error "is odd" end
      doc.m = doc.n
    end)
    raises("INVALID", { '"plans"', "document 14", "version 1 to 2", "is odd" }, plans.upgrade_all, plans, { batch = 5 })
    mended = true
    assert.are.equal(10, plans:upgrade_all { batch = 5 })
  end)

  it("validates what it writes", function()
    fill(given.store, 1, 20)
    local most = 13
    given.store:collection("plans", { validate = function(doc) return doc.m <= most, "m is too large" end })
    local plans = declare(given.store)
    raises("INVALID", { '"plans"', "document 14", "m is too large" }, plans.upgrade_all, plans, { batch = 4 })
    most = 20
    assert.are.equal(8, plans:upgrade_all())
  end)

  it("in a transaction belongs to it, and a batch that fails leaves nothing", function()
    fill(given.store, 1, 20)
    local bad = 14
    local plans = declare(given.store, function(doc) assert(doc.id ~= bad) end)
    given.store:update(function(tx)
      local inside = tx:collection "plans"
      assert.is_false(pcall(inside.upgrade_all, inside, { batch = 10 }))
      inside:create { id = 99 }
    end)
    bad = nil
    pcall(given.store.update, given.store, function(tx)
      assert.are.equal(10, tx:collection("plans"):upgrade_all())
      error "roll back"
    end)
    assert.are.equal(10, plans:upgrade_all())
    assert.are.equal(21, plans:count())
    given.store:view(function(tx) raises("MISUSE", "read", plans.upgrade_all, tx:collection "plans") end)
  end)

  it("may yield in progress, and stops where that raises", function()
    fill(given.store, 1, 20)
    local plans = declare(given.store)
    local run = coroutine.wrap(function() return plans:upgrade_all { batch = 8, progress = coroutine.yield } end)
    assert.are.equal(8, (run()))
    plans:create { id = 100 } -- nothing is locked
    assert.are.equal(16, (run()))
    assert.is_false(pcall(plans.upgrade_all, plans, { batch = 1, progress = function() error "enough" end }))
    assert.are.equal(3, plans:upgrade_all())
  end)

  it("moves the indexes along", function()
    given.store:collection("plans", { indexes = { "n", "m" } })
    fill(given.store, 1, 30)
    local plans = declare(given.store)
    plans:upgrade_all { batch = 7 }
    assert.are.equal("m", plans:explain({ where = { m = 3 } }).index)
    same({ { id = 3, m = 3 } }, (plans:find { where = { m = 3 } }))
    assert.are.equal(0, plans:count { n = { ["$gt"] = 0 } })
  end)

  it("refuses wrong options", function()
    fill(given.store, 1, 2)
    local plans = declare(given.store)
    for name, wrong in pairs { batch = { 0, -1, 1.5, "2" }, progress = { 5, "x", {} }, bach = { 5 } } do
      for _, value in ipairs(wrong) do raises("INVALID", name, plans.upgrade_all, plans, { [name] = value }) end
    end
    raises("INVALID", "options", plans.upgrade_all, plans, 5)
    assert.are.equal(2, plans:upgrade_all { batch = math.maxinteger })
  end)
end)

describe("upgrade_all #lmdb", function()
  local directory
  before_each(function() directory = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(directory) end)

  local function url() return "lmdb:" .. directory .. "/store" end

  --- A byte to the pipe for each batch; the process is killed between two of them or in the middle of one.
  local function upgrade_in_child()
    local from, to = port.pipe()
    local pid = port.fork()
    if pid == 0 then
      port.close(from)
      local ok, problem = pcall(function()
        local store = larder.open(url())
        declare(store):upgrade_all { batch = 10, progress = function() port.write(to, "b") end }
      end)
      if not ok then io.stderr:write("child: ", tostring(problem), "\n") end
      port._exit(ok and 0 or 1)
    end
    port.close(to)
    return pid, from
  end

  it("goes on where a killed process stopped: nothing is lost, nothing done twice", function()
    local all = 600
    do
      local store <close> = larder.open(url())
      store:collection("plans", { indexes = { "n", "m" } })
      fill(store, 1, all)
    end
    local kills, left = 0, all
    for round = 1, 6 do
      local pid, pipe = upgrade_in_child()
      local acknowledged = #port.read(pipe, 1)
      if round % 2 == 0 then acknowledged = acknowledged + #port.read(pipe, 1) end
      port.kill(pid, 9)
      local _, how = port.waitpid(pid)
      kills = kills + (how == "killed" and 1 or 0)
      while true do
        local more = port.read(pipe)
        if more == "" then break end
        acknowledged = acknowledged + #more
      end
      port.close(pipe)
      local store <close> = larder.open(url())
      local raw = store:collection "plans"
      local older = raw:count { n = { ["$exists"] = true } }
      assert.are.equal(all, raw:count())
      assert.are.equal(all - older, raw:count { m = { ["$exists"] = true } })
      assert.are.equal(0, older % 10, "a batch is all or nothing")
      assert.is_true(older <= left - acknowledged * 10 or older == 0, ("round %d: %d of %d are left"):format(round, older, left))
      left = older
    end
    assert.is_true(kills > 0, "no child was killed in time")
    local store <close> = larder.open(url())
    local plans = declare(store)
    assert.are.equal(left, plans:upgrade_all())
    for i = 1, all do same({ id = i, m = i }, (plans:get(i))) end
    same({ { id = 17, m = 17 } }, (plans:find { where = { m = 17 } }))
    assert.are.equal("m", plans:explain({ where = { m = 17 } }).index)
    local engine = assert(port.open("lmdb", { path = directory .. "/store" }, { rows = true }))
    store:close()
    same({}, engine:check())
    engine:close()
  end)
end)
