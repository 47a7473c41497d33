-- A copy that was broken off, and the next run.
local larder = require "larder"
local stocked = require "stocked"
local support = require "support"
local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a copy that was broken off", function(given)
  it("goes on where it was broken off", function()
    stocked.fill(given.store)
    for stop = 1, 12 do
      local to, calls, resumed_at = given.open(), 0, nil
      pcall(larder.copy, given.store, to, { batch = 25, progress = function()
        calls = calls + 1
        if calls == stop then error "stop" end
      end })
      local report = larder.copy(given.store, to, { batch = 25, progress = function(rows) resumed_at = resumed_at or rows end })
      assert.is_true(report.resumed)
      assert.is_true(resumed_at >= math.min(stop, 8) * 25, ("stop %d: went on at %d"):format(stop, resumed_at))
      stocked.holds(stocked.text(given.store), to)
      to:close()
    end
  end)

  it("is no source, and not dumped, until it has ended", function()
    stocked.fill(given.store)
    local to = given.open()
    pcall(larder.copy, given.store, to, { batch = 25, progress = function() error "stop" end })
    local function nothing() end
    raises("INVALID", { "the source", "a copy into this store has not ended" }, larder.copy, to, given.open())
    raises("INVALID", "a copy into this store has not ended", to.dump, to, nothing)
    raises("INVALID", "a copy into this store has not ended", to.dump, to, nothing, { collections = { "plans" } })
    to:dump(nothing, { unfinished = true })
    assert.are.equal(25, larder.copy(to, given.open(), { unfinished = true }).rows)
    larder.copy(given.store, to)
    to:dump(nothing)
    larder.copy(to, given.open())
  end)

  it("is told by verify until it has ended, and nothing else is", function()
    stocked.fill(given.store)
    for stop = 1, 9 do
      local to, calls = given.open(), 0
      pcall(larder.copy, given.store, to, { batch = 25, progress = function()
        calls = calls + 1
        if calls == stop then error "stop" end
      end })
      local report = to:verify { repair = "indexes" }
      same({ { kind = "unfinished", where = "row \"unfinished\" of the store",
        text = "a copy into this store has not ended; what its rows say of one another was not looked at" } }, report.findings)
      support.none(report.repaired)
      larder.copy(given.store, to, { batch = 25 })
      assert.is_true(to:verify().ok)
      to:close()
    end
  end)

  it("does not go on when the source or the target was written to meanwhile, or it was another source", function()
    stocked.fill(given.store)
    local function broken()
      local to = given.open()
      pcall(larder.copy, given.store, to, { batch = 25, progress = function() error "stop" end })
      return to
    end
    local first, second, third = broken(), broken(), broken()
    first:map("mine"):set("k", 1)
    raises("EXISTS", "beginning", larder.copy, given.store, first)
    local other = given.open()
    other:map("m"):set("k", 1)
    raises("EXISTS", "beginning", larder.copy, other, third)
    given.store:map("seen"):set("new", 1)
    raises("EXISTS", "before it changed", larder.copy, given.store, second)
    assert.is_true(larder.copy(given.store, second, { overwrite = true }).verified)
    stocked.holds(stocked.text(given.store), second)
  end)

  -- Two stores with the same history, but for what some rows say.
  local function twins(differs)
    local stores = {}
    for i = 1, 2 do
      stores[i] = given.open()
      for k = 1, 60 do stores[i]:map("seen"):set(k, i == 2 and differs[k] or "same") end
    end
    return stores[1], stores[2]
  end

  local function break_off(from, to, options)
    options.batch, options.progress = 20, function() error "stop" end
    pcall(larder.copy, from, to, options)
  end

  it("does not go on with another source that has come to the same number, and the same last row", function()
    local first, second = twins { [7] = "other" }
    local to = given.open()
    break_off(first, to, {})
    raises("EXISTS", "beginning", larder.copy, second, to)
    assert.is_true(larder.copy(first, to).resumed)
    local changed = given.open()
    local function keep(_, document) return document end
    break_off(first, changed, { transform = keep })
    raises("EXISTS", "beginning", larder.copy, second, changed, { transform = keep })
    raises("EXISTS", "beginning", larder.copy, first, changed)
    assert.is_true(larder.copy(first, changed, { transform = keep }).resumed)
    assert.are.equal("same", changed:map("seen"):get(7))
  end)

  it("goes on with a source whose copied rows are the same, and is then a copy of that", function()
    local first, second = twins { [55] = "other" }
    local to = given.open()
    break_off(first, to, {})
    local report = larder.copy(second, to)
    assert.is_true(report.resumed and report.verified)
    assert.are.equal("other", to:map("seen"):get(55))
  end)
end)
