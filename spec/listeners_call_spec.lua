-- How store:on_commit calls listeners: order, errors, what they may do, and when it ends. What it tells them: listeners_spec.lua.
local larder = require "larder"
local support = require "support"
local port = require "larder_port"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

--- A store whose log is collected; only errors are in the list.
local function logging(given)
  local errors = {}
  return given.open { log = function(level, line)
    if level == "error" then errors[#errors + 1] = line end
  end }, errors
end

on_each_engine("listeners", function(given)
  it("are called in the order of their registration, each with a list of its own", function()
    local calls = {}
    for i = 1, 3 do
      given.store:on_commit(function(changes)
        calls[#calls + 1] = { i, changes[1].key, #changes }
        changes[1].key, changes[2] = "spoilt", "spoilt"
      end)
    end
    given.store:map("m"):set("k", 1)
    same({ { 1, "k", 1 }, { 2, "k", 1 }, { 3, "k", 1 } }, calls)
  end)

  it("are removed by what on_commit returned, twice is fine", function()
    local calls = {}
    local function add(name) return given.store:on_commit(function() calls[#calls + 1] = name end) end
    local stop_a, stop_b, _ = add "a", add "b", add "c"
    given.store:map("m"):set(1, 1)
    stop_b()
    stop_b()
    given.store:map("m"):set(2, 1)
    stop_a()
    add "d"
    given.store:map("m"):set(3, 1)
    assert.are.equal("a b c a c c d", table.concat(calls, " "))
  end)

  it("may come and go while they are called", function()
    local calls, stop = {}, {}
    local function add(name, f)
      stop[name] = given.store:on_commit(function()
        calls[#calls + 1] = name
        if f then f() end
      end)
    end
    add("a", function()
      stop.a()
      stop.c()
      if not stop.e then add "e" end
    end)
    add("b", function() stop.b() end)
    add "c"
    add "d"
    given.store:map("m"):set(1, 1)
    assert.are.equal("a b d", table.concat(calls, " "))
    given.store:map("m"):set(2, 1)
    assert.are.equal("a b d d e", table.concat(calls, " "))
  end)

  it("that fail are logged; the writer and the others do not notice", function()
    local store, errors = logging(given)
    local failures = {
      function() error "plain" end, function() error { code = 5 } end, function() error() end,
      function() error(setmetatable({}, { __tostring = function() error "inside" end })) end,
      function() error(setmetatable({}, { __tostring = function() return "shown" end })) end,
      function() coroutine.yield() end, function() store:map(5) end,
      function() local function deep() return deep() + 1 end return deep() end,
      function()
        debug.sethook(function() debug.sethook() error "interrupted" end, "", 100)
        while true do end
      end,
    }
    for _, f in ipairs(failures) do store:on_commit(f) end
    local told = 0
    store:on_commit(function() told = told + 1 end)
    local made = coroutine.wrap(function() return store:collection("c"):create { id = 1, a = "b" } end)()
    same({ id = 1, a = "b" }, made)
    assert.are.equal(1, told)
    assert.are.equal(#failures, #errors, table.concat(errors, "\n"))
    for i, text in pairs { "plain", "table", "nil", "cannot be shown", "shown", "yield", "expected a string", "overflow", "interrupted" } do
      assert.truthy(errors[i]:find("on_commit", 1, true) and errors[i]:find(text, 1, true), errors[i])
    end
    assert.is_true(store:collection("c"):has(1))
  end)

  it("may use the store; the results of the call are its own", function()
    local store = given.store
    local plans, rooms = store:collection "plans", store:rooms()
    store:on_commit(function(changes)
      if changes[1].map then return end
      assert(plans:count() + rooms:stats().rooms > 0)
      plans:find {}
      for _ in rooms:each() do store:map("log"):increment "rooms" end
      store:update(function(tx) tx:map("log"):increment(changes[1].kind) end)
    end)
    same({ id = 1, text = "one" }, plans:create { id = 1, text = "one" })
    same({ id = 1, text = "two" }, plans:update(1, { text = "two" }))
    rooms:save { roomName = "a" }
    same({ rated = true, progress = 1 }, rooms:rate("a", "jo", "m", "like"))
    assert.is_true(rooms:delete "a")
    same({ create = 1, update = 1, save = 1, rate = 1, delete = 1 }, {
      create = store:map("log"):get "create", update = store:map("log"):get "update", save = store:map("log"):get "save",
      rate = store:map("log"):get "rate", delete = store:map("log"):get "delete",
    })
    assert.are.equal(2, store:map("log"):get "rooms")
  end)

  it("are told of what they commit when all have been told of what was before", function()
    local calls, inside = {}, false
    local function listener(name)
      return function(changes)
        assert(not inside, "called while another is")
        inside = true
        local key = changes[1].key
        calls[#calls + 1] = name .. key
        if name == "a" and key < 3 then
          given.store:map("m"):set(key + 1, 1)
          given.store:map("m"):set(key + 10, 1)
        end
        inside = false
      end
    end
    given.store:on_commit(listener "a")
    given.store:on_commit(listener "b")
    given.store:map("m"):set(1, 1)
    assert.are.equal("a1 b1 a2 b2 a11 b11 a3 b3 a12 b12", table.concat(calls, " "))
  end)

  it("hear the commits of their own handle, in a view, too", function()
    local other, told = given.open(), 0
    other:on_commit(function() error "another store" end)
    given.store:on_commit(function() told = told + 1 end)
    given.store:view(function(tx)
      given.store:map("m"):set(1, 1)
      assert.are.equal(1, told)
      assert.is_nil(tx:map("m"):get(1))
    end)
  end)

  it("may close the store, which ends listening", function()
    local store, errors = logging(given)
    local told = {}
    store:on_commit(function()
      told[#told + 1] = 1
      store:map("m"):set("more", 1)
      store:close()
      error "after the end"
    end)
    local stop = store:on_commit(function() told[#told + 1] = 2 end)
    same({ id = 1, text = "kept" }, store:collection("c"):create { id = 1, text = "kept" })
    same({ 1 }, told)
    assert.are.equal(1, #errors)
    stop()
    raises("CLOSED", nil, store.on_commit, store, print)
  end)

  it("do not keep a store from being collected", function()
    local gone = setmetatable({}, { __mode = "k" })
    do
      local store = larder.open(given.engine.place())
      gone[store] = true
      store:on_commit(function() return store end)
      store:map("m"):set(1, 1)
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(gone))
  end)

  it("work while garbage is collected all the time, and finalizers use the store", function()
    local store, sum, finalized = given.store, 0, 0
    local plans = store:collection "plans"
    store:on_commit(function(changes)
      for _, change in ipairs(changes) do sum = sum + (change.id or 0) end
      if sum % 50 == 0 then collectgarbage() end
    end)
    support.with_constant_collection(function()
      for i = 1, 1000 do
        setmetatable({}, { __gc = function()
          finalized = finalized + 1
          pcall(store.map(store, "m").set, store:map "m", i, {})
        end })
        local made = plans:create { id = i, text = ("x"):rep(i) }
        same({ id = i, text = ("x"):rep(i) }, made)
      end
    end)
    assert.are.equal(500500, sum)
    assert.is_true(finalized > 500, finalized)
  end)

  it("are functions, of a store", function()
    for _, wrong in ipairs { 5, "f", {}, true } do raises("INVALID", "function", given.store.on_commit, given.store, wrong) end
    raises("INVALID", "nothing", given.store.on_commit, given.store)
    raises("INVALID", "store", given.store.on_commit, {}, print)
    assert.is_nil(given.store:begin("read").on_commit)
    local store, results
    store = given.open { clock = function()
      if store then results = table.pack(pcall(store.on_commit, store, print)) end
      return 5
    end }
    store:rooms():save { roomName = "a" }
    assert.are.equal("MISUSE", results[2].code)
  end)
end)

describe("listeners", function()
  after_each(support.remove_folders)

  it("hear their own handle and process only, on LMDB", function()
    local place = { engine = "lmdb", path = support.folder(), durability = "none" }
    local first <close> = larder.open(place)
    local told = {}
    first:on_commit(function(changes) told[#told + 1] = changes[1].key end)
    local pid = port.fork()
    if pid == 0 then
      local ok = pcall(first.map(first, "m").set, first:map "m", "child", 1)
      port._exit(ok and told[1] == "child" and #told == 1 and 0 or 1)
    end
    same({ "exited", 0 }, { select(2, port.waitpid(pid)) })
    local other <close> = larder.open(place)
    other:map("m"):set("other", 1)
    first:map("m"):set("own", 1)
    same({ "own" }, told)
  end)

  -- A sanitizer keeps what was freed.
  local watched = (os.getenv "LARDER_BUILD" or ""):find "/asan$" or (os.getenv "LARDER_BUILD" or ""):find "/valgrind$"
  it("cost no memory when the last one is removed", function()
    if watched then return end
    local code, _, err = support.run [[
      local larder, port = require "larder", require "larder_port"
      local store <close>, name = larder.open "memory:", ("n"):rep(1000)
      local function growth()
        local tx <close>, before = store:begin(), port.rss()
        for _ = 1, 50000 do tx:map(name):set(1, 1) end
        return port.rss() - before
      end
      store:on_commit(print)()
      local without, _ = growth(), store:on_commit(print)
      assert(growth() > without + 25e6, without)]]
    assert.are.equal(0, code, err)
  end)
end)
