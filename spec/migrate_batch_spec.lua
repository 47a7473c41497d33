local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

on_each_engine("a migration in batches", function(given)
  local store, plans, visited
  before_each(function()
    store, visited = given.store, {}
    plans = store:collection "plans"
    for i = 1, 10 do plans:put { id = i, n = i, status = i % 2 == 0 and "even" or "odd" } end
  end)

  --- Marks each document, and notes its id.
  local function mark(document)
    visited[#visited + 1] = document.id
    document.marked = (document.marked or 0) + 1
    return document
  end

  local function batched(fields, options)
    local one = { name = "mark", collection = "plans", size = 3, batch = mark, checksum = "v1" }
    for name, value in pairs(fields or {}) do one[name] = value end
    return larder.migrations(store, { one, { name = "after", up = function(tx) tx:map("m"):set("after", true) end } }, options)
  end

  local function all_marked_once()
    for document in plans:each() do assert.are.equal(1, document.marked, "document " .. document.id) end
  end

  it("goes through all, in order of id, and those behind it follow", function()
    local report = batched():up()
    same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, visited)
    all_marked_once()
    local entry = report[1]
    same({ 10, 10, 0, 4, 10, false }, { entry.seen, entry.changed, entry.deleted, entry.batches, entry.total, entry.more })
    assert.are.equal("after", report[2].name)
    local status = batched():status()[1]
    same({ "done", 10, 4 }, { status.state, status.seen, status.batches })
  end)

  it("goes through those that the filter finds, even when they match no longer", function()
    local report = batched({ where = { status = "even" }, batch = function(document)
      visited[#visited + 1] = document.id
      document.status = "done"
      return document
    end, size = 2 }):up()
    same({ 2, 4, 6, 8, 10 }, visited)
    same({ 5, 5, 5 }, { report[1].seen, report[1].changed, report[1].total })
    assert.are.equal(5, plans:count { status = "done" })
  end)

  it("goes through nothing where nothing is", function()
    local report = batched { collection = "nothing" }:up()
    same({ 0, 1, 2 }, { report[1].seen, report[1].batches, #report })
    same({ "plans" }, store:collections())
  end)

  it("writes what is returned, deletes for larder.remove, and leaves what is returned unchanged", function()
    local before = {}
    for i = 1, 10 do before[i] = select(2, plans:get(i)) end
    local report = batched { batch = function(document)
      if document.n > 8 then return larder.remove end
      if document.n > 7 then return nil end
      if document.n > 6 then
        document.new = false
        return
      end
      if document.n > 4 then return document end
      if document.n > 2 then return support.copy(document) end
      return { id = document.id, new = true }
    end }:up()
    same({ 10, 3, 2 }, { report[1].seen, report[1].changed, report[1].deleted })
    same({ id = 1, new = true }, (plans:get(1)))
    assert.are.equal(8, plans:count())
    same({ id = 7, n = 7, status = "odd", new = false }, (plans:get(7))) -- changed in place
    for _, i in ipairs { 3, 4, 5, 6, 8 } do assert.are.equal(before[i], select(2, plans:get(i))) end
  end)

  it("knows what is not the same: integers and floats, empty arrays and maps", function()
    plans:delete_where {}
    local values = { 1, 1.0, 0.0, -0.0, {}, larder.array {}, { 1 }, { 1, 2 }, "1", true, 0 / 0 }
    for i, value in ipairs(values) do
      plans:put { id = 1, value = value }
      for j, other in ipairs(values) do
        local report = larder.migrations(store, { { name = "x", collection = "plans", batch = function(document)
          return { id = document.id, value = other }
        end } }):up { dry_run = true }
        assert.are.equal(i == j and 0 or 1, report[1].changed, ("%d and %d"):format(i, j))
      end
    end
  end)

  it("works with another key", function()
    local users = store:collection("users", { key = "email" })
    for i = 1, 5 do users:put { email = "u" .. i } end
    local report = batched { collection = "users", batch = function(document)
      document.seen = true
      return document
    end, size = 2 }:up { dry_run = true }
    same({ key = "u1", before = { email = "u1" }, after = { email = "u1", seen = true } }, report[1].changes[1].samples[1])
    same(5, batched { collection = "users", batch = function(document) document.seen = 1 return document end }:up()[1].changed)
    same(5, users:count { seen = 1 })
  end)

  it("refuses what no document may become, and keeps the batches before it", function()
    local function fails(text, batch)
      local migrations = batched { batch = function(document)
        if document.id < 5 then return mark(document) end
        return batch(document)
      end }
      raises("INVALID", { 'migration 1 "mark", up: ', text }, migrations.up, migrations)
      local status = migrations:status()
      same({ "running", 3, 1, "pending" }, { status[1].state, status[1].seen, status[1].batches, status[2].state })
      assert.is_nil(plans:get(4).marked)
    end
    fails("plans: document 5: its id was changed", function(document) document.id = nil end)
    fails("a function cannot be stored", function(document) document.status = { print } end)
    fails("expected the document, larder.remove or nothing, got a boolean", function() return true end)
    fails("its id was changed", function(document) document.id = 50 return document end)
    fails("its id was changed", function() return {} end)
    fails("a function cannot be stored", function(document) document.f = print return document end)
    fails("no", function() error "no" end)
    same({ 1, 2, 3, 4, 4, 4, 4, 4, 4, 4 }, visited) -- the document before it goes back with it
    batched():up()
    all_marked_once()
  end)

  it("goes on where it stopped, and is told so", function()
    local seen
    local migrations = batched { batch = function(document, ctx)
      seen = ctx.half_done
      return mark(document)
    end }
    local report = migrations:up { batches = 1 }
    same({ true, 1, 3, true }, { report.paused, #report, report[1].seen, report[1].more })
    assert.is_false(seen)
    assert.is_true(migrations:up { batches = 2 }.paused)
    assert.is_true(seen)
    same({ "running", 9, 10 }, { migrations:status()[1].state, migrations:status()[1].seen, migrations:status()[1].total })
    same({ 10, 4 }, { migrations:up()[1].seen, migrations:status()[1].batches })
    all_marked_once()
    same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, visited)
    assert.is_true(migrations:up { batches = 0 }.paused == nil)
  end)

  it("takes in what came and went meanwhile, behind where it is", function()
    local migrations = batched()
    migrations:up { batches = 1 }
    plans:put { id = 0 }
    plans:put { id = 11 }
    plans:delete(3)
    plans:delete(5)
    migrations:up()
    same({ 1, 2, 3, 4, 6, 7, 8, 9, 10, 11 }, visited)
  end)

  it("is refused when the script was changed in between, unless that is accepted", function()
    batched():up { batches = 2 }
    local changed = batched { checksum = "v2" }
    local e = raises("INVALID", 'migration 1 "mark": was changed since it was begun', changed.up, changed)
    same("changed", e.problems[1].kind)
    same(6, #visited)
    same(10, changed:up({ changed = true })[1].seen)
    all_marked_once()
    same({}, changed:validate())
  end)

  it("ends for the old script when another one has taken over", function()
    local changed = batched { checksum = "v2" }
    local old = batched({}, { progress = function() changed:up { changed = true, batches = 1 } end })
    raises("INVALID", 'migration 1 "mark": was changed since it was begun', old.up, old)
    same({ 1, 2, 3, 4, 5, 6 }, visited)
    changed:up()
    all_marked_once()
  end)

  it("begins anew when it is told so", function()
    batched():up { batches = 2 }
    local changed = batched { checksum = "v2", batch = function(document)
      document.marked = 7
      return document
    end }
    changed:up { batches = 1, restart = true }
    same({ "running", 3 }, { changed:status()[1].state, changed:status()[1].seen })
    changed:up { batches = 9, restart = true } -- begins once, not at each batch
    same(10, plans:count { marked = 7 })
    same({}, changed:up { restart = true }) -- what is done stays so
    raises("INVALID", "was changed", batched().up, batched(), { restart = true })
  end)

  it("tells its progress and waits between batches", function()
    local log = {}
    local options = {
      progress = function(entry) log[#log + 1] = ("%d of %d%s"):format(entry.seen, entry.total, entry.more and "" or ".") end,
      sleep = function(seconds) log[#log + 1] = seconds end,
    }
    batched({ pause_ms = 250 }, options):up()
    same({ "3 of 10", 0.25, "6 of 10", 0.25, "9 of 10", 0.25, "10 of 10." }, log)
    log = {}
    options.pause_ms = 0
    larder.migrations(given.open(), { { name = "x", collection = "c", batch = mark, pause_ms = 9 } }, options):up()
    same({ "0 of 0." }, log)
  end)

  it("waits by itself, too", function()
    local port = require "larder_port"
    local began = port.monotonic()
    batched({ pause_ms = 20 }):up()
    assert.is_true(port.monotonic() - began >= 0.06)
  end)

  it("stops behind its batch when it is paused, and goes on when it is resumed", function()
    local migrations
    migrations = batched({}, { progress = function(entry) if entry.batches == 2 then migrations:pause() end end })
    local report = migrations:up()
    same({ true, 1, 6 }, { report.paused, #report, report[1].seen })
    raises("INVALID", "paused", migrations.up, migrations)
    migrations:resume()
    migrations:up()
    all_marked_once()
    assert.is_true(store:map("m"):get "after")
  end)

  it("gathers the messages of its batches", function()
    local migrations = batched { size = 4, batch = function(document, ctx) ctx.log(document.id) end }
    same({ "1", "2", "3", "4", "5", "6", "7", "8", "9", "10" }, migrations:up()[1].messages)
  end)

  it("can be taken back, half done too, and done again", function()
    local halves = {}
    local fields = { down = function(tx, ctx)
      halves[#halves + 1] = ctx.half_done
      tx:collection("plans"):update_where({}, { marked = larder.remove })
    end }
    local migrations = batched(fields)
    migrations:up { batches = 1 }
    same("down", migrations:down()[1].direction)
    same("pending", migrations:status()[1].state)
    migrations:up { to = 1 }
    all_marked_once()
    local report = migrations:redo()
    same({ "down", "up", 10 }, { report[1].direction, report[2].direction, report[2].seen })
    all_marked_once()
    same({ true, false }, halves)
  end)
end)
