-- larder.copy with a function in between.
local larder = require "larder"
local stocked = require "stocked"
local support = require "support"
local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a copy with transform", function(given)
  it("brings what the function gives, and leaves out what it gives nothing for", function()
    stocked.fill(given.store)
    local to, kinds = given.open(), {}
    local report = larder.copy(given.store, to, { batch = 30, transform = function(kind, document, name)
      kinds[kind .. " " .. tostring(name)] = true
      if kind == "document" and name == "plans" then
        if document.id == 5 then return nil end
        document.extra = true
      elseif kind == "room" then
        document.n = (document.n or 0) + 100
      end
      return document
    end })
    assert.is_false(report.verified)
    assert.are.equal(58, report.collections.plans.count)
    assert.is_true(to:collection("plans"):get(6).extra)
    assert.is_nil(to:collection("plans"):get(5))
    assert.are.equal(107, to:rooms():get("room-7").n)
    assert.are.equal(false, to:map("seen"):get(7))
    assert.is_true(kinds["room nil"] and kinds["document plans"] and kinds["entry seen"] and kinds["job mail"])
    same(given.store:queue("mail"):counts(), to:queue("mail"):counts())
  end)

  it("goes on where it was broken off", function()
    stocked.fill(given.store)
    local to, calls = given.open(), 0
    local function keep(_, document) calls = calls + 1 return document end
    pcall(larder.copy, given.store, to, { batch = 30, transform = keep, progress = function() error "stop" end })
    assert.is_true(calls > 0 and calls <= 30)
    local report = larder.copy(given.store, to, { batch = 30, transform = keep })
    assert.is_true(report.resumed)
    assert.are.equal(given.store:collection("plans"):count(), report.collections.plans.count)
    for _, name in ipairs(given.store:collections()) do
      same(given.store:collection(name):find {}, to:collection(name):find {})
    end
    for name in given.store:rooms():names() do same(given.store:rooms():get(name), to:rooms():get(name)) end
    for key, value in given.store:map("seen"):range() do same(value, to:map("seen"):get(key)) end
  end)

  local function few()
    given.store:rooms():save { roomName = "attic" }
    local plans = given.store:collection("plans", { indexes = { { "n", unique = true } } })
    for i = 1, 9 do plans:put { id = i, n = i } end
    given.store:map("seen"):set("k", 1)
    return given.store
  end

  -- The transform that does this to documents only.
  local function with(change)
    return { batch = 4, transform = function(kind, document, name)
      if kind ~= "document" then return document end
      return change(document, name)
    end }
  end

  it("may change ids: what they then clash with is named", function()
    local to = given.open()
    larder.copy(few(), to, with(function(document) document.id = "plan-" .. document.id return document end))
    assert.are.equal(9, to:collection("plans"):count())
    assert.are.equal("plan-7", to:collection("plans"):first({ where = { n = 7 } }).id)
    assert.is_nil(to:collection("plans"):get(7))
    raises("EXISTS", { 'transform: document 2 of "plans"', "is there already" }, larder.copy, given.store, given.open(),
      with(function(document) document.id = 1 return document end))
    raises("EXISTS", { 'transform: document 2 of "plans"', 'unique index "n"' }, larder.copy, given.store, given.open(),
      with(function(document) document.n = 1 return document end))
  end)

  it("refuses what cannot be stored, and says of which record", function()
    few()
    raises("INVALID", { 'document 1 of "plans"', "a map" }, larder.copy, given.store, given.open(), with(function() return 5 end))
    raises("INVALID", { 'document 3 of "plans"', "f: a function" }, larder.copy, given.store, given.open(), with(function(document)
      document.f = document.id == 3 and print or nil
      return document
    end))
    raises("INVALID", { "room attic", "roomName" }, larder.copy, given.store, given.open(), { transform = function(kind, document)
      if kind == "room" then document.roomName = nil end
      return document
    end })
  end)

  it("raises what the function raises, as it is; the batches before stay, and the next run goes on", function()
    few()
    local to, thrown, again = given.open(), {}, {}
    local ok, problem = pcall(larder.copy, given.store, to, with(function(document)
      if document.id == 8 then error(thrown) end
      return document
    end))
    assert.is_false(ok)
    assert.are.equal(thrown, problem)
    assert.are.equal("unfinished", to:verify().findings[1].kind)
    local report = larder.copy(given.store, to, with(function(document) again[#again + 1] = document.id return document end))
    assert.is_true(report.resumed)
    same({ 7, 8, 9 }, again)
    assert.are.equal(9, report.collections.plans.count)
    assert.is_true(to:verify().ok)
  end)

  it("cannot yield in the function, only in progress", function()
    few()
    local inside = coroutine.wrap(function()
      return pcall(larder.copy, given.store, given.open(), with(function(document) coroutine.yield() return document end))
    end)
    local ok, problem = inside()
    assert.is_false(ok)
    assert.are.equal("MISUSE", problem.code)
    local steps, to = 0, given.open()
    local outside = coroutine.wrap(function()
      local options = with(function(document) return document end)
      options.progress = function() coroutine.yield "step" end
      return larder.copy(given.store, to, options).rows
    end)
    while outside() == "step" do steps = steps + 1 end
    assert.is_true(steps >= 3)
    assert.are.equal(9, to:collection("plans"):count())
  end)

  it("leaves the target as it is when the function writes to it, and the source when it changes what it gets", function()
    few()
    local to = given.open()
    raises("MISUSE", "tx", larder.copy, given.store, to, with(function(document)
      to:map("m"):set("k", 1)
      return document
    end))
    assert.are.equal("", stocked.text(to))
    local before = stocked.text(given.store)
    larder.copy(given.store, given.open(), with(function(document) document.n, document.new = -document.n, true return document end))
    stocked.holds(before, given.store)
  end)

  it("takes single collections, and replaces what is there", function()
    few()
    local to, kinds = given.open(), {}
    to:collection("plans"):put { id = "old" }
    to:map("mine"):set("k", 1)
    local options = { collections = { "plans" }, overwrite = true, transform = function(kind, document)
      kinds[kind] = true
      return document
    end }
    larder.copy(given.store, to, options)
    same({ document = true }, kinds)
    assert.are.equal(9, to:collection("plans"):count())
    assert.are.equal(1, to:map("mine"):get "k")
  end)
end)
