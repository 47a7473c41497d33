local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

--- All that is in the store, with revisions.
local function dump(store)
  return store:view(function(tx)
    local all = { entries = tx:stats().entries }
    for _, name in ipairs(tx:collections()) do
      local documents = {}
      for document in tx:collection(name):each() do
        documents[#documents + 1] = { document, select(2, tx:collection(name):get(document.id)) }
      end
      all["collection " .. name] = documents
    end
    for name, room in tx:rooms():each { ratings = true } do all["room " .. name] = room end
    for _, name in ipairs { "seen", "new", "larder.migrations" } do
      for key, value in tx:map(name):range() do all[#all + 1] = { name, key, value } end
    end
    return all
  end)
end

on_each_engine("a dry run", function(given)
  local store
  before_each(function()
    store = given.store
    for i = 1, 10 do store:collection("plans"):put { id = i, title = "plan " .. i, n = i } end
    store:rooms():save { roomName = "attic", sort = "title" }
    store:rooms():rate("attic", "ada", "movie-1", "like", 1)
    store:map("seen"):set({ "ada", 1 }, true)
    store:map("seen"):set("grace", 5)
  end)

  --- The changes that a dry run of this function reports; the store must be as before, and the true run must do it.
  local function changes_of(up, options)
    local migrations = larder.migrations(store, { { name = "it", up = up, down = up } })
    options = options or {}
    options.dry_run = true
    local before = dump(store)
    local report = migrations:up(options)
    same(before, dump(store))
    assert.is_true(report.dry_run)
    same({ 1, "it", "up" }, { report[1].version, report[1].name, report[1].direction })
    return report[1].changes
  end

  local function counts(place)
    return { place.kind, place.name or "", place.read, place.written, place.deleted }
  end

  it("reports what was written in a collection, with samples before and after", function()
    local changes = changes_of(function(tx)
      local plans = tx:collection "plans"
      plans:put { id = 2, title = "other" }
      plans:create { id = 11, n = 0 }
      plans:update(3, { n = 30 })
      plans:update(4, function(document) document.n = 40 return document end)
      assert(plans:update(99, { n = 1 }) == nil)
    end, { samples = 9 })
    assert.are.equal(1, #changes)
    same({ "collection", "plans", 0, 4, 0 }, counts(changes[1]))
    same({
      { key = 2, before = { id = 2, title = "plan 2", n = 2 }, after = { id = 2, title = "other" } },
      { key = 11, after = { id = 11, n = 0 } },
      { key = 3, before = { id = 3, title = "plan 3", n = 3 }, after = { id = 3, title = "plan 3", n = 30 } },
      { key = 4, before = { id = 4, title = "plan 4", n = 4 }, after = { id = 4, title = "plan 4", n = 40 } },
      { key = 99 },
    }, changes[1].samples)
    assert.is_nil(changes[1].calls)
  end)

  it("reports what was read in a collection", function()
    local changes = changes_of(function(tx)
      local plans = tx:collection "plans"
      assert(plans:get(1) and plans:has(2) and not plans:get(99) and not plans:has(99))
      assert(#plans:find { limit = 2 } == 2 and plans:first { sort = "-n" }.n == 10)
      for document in plans:each { where = { n = larder.q.gt(8) } } do assert(document.n > 8) end
      assert(#plans:where { n = larder.q.lt(4) }:limit(2):all() == 2 and plans:key() == "id")
      assert(tx:view(function(inner) return inner:collection("plans"):get(5) end).n == 5)
    end)
    same({ { "collection", "plans", 1 + 1 + 2 + 1 + 2 + 2 + 1, 0, 0 } }, { counts(changes[1]) })
    same({}, changes[1].samples)
  end)

  it("reports changes of many at once, and of a collection that goes", function()
    local changes = changes_of(function(tx)
      local plans = tx:collection "plans"
      assert(plans:update_where({ n = larder.q.gt(5) }, { high = true }) == 5)
      assert(plans:where { n = 1 }:delete() == 1 and plans:delete(2) and not plans:delete(2))
    end)
    same({ "collection", "plans", 0, 5, 2 }, counts(changes[1]))
    same({ 6, 7, 8 }, { changes[1].samples[1].key, changes[1].samples[2].key, changes[1].samples[3].key })
    same({ id = 8, title = "plan 8", n = 8, high = true }, changes[1].samples[3].after)
    changes = changes_of(function(tx) assert(tx:drop "plans" and not tx:drop "nothing") end, { samples = 1 })
    same({ "collection", "plans", 0, 0, 10 }, counts(changes[1]))
    same({ { key = 1, before = { id = 1, title = "plan 1", n = 1 } } }, changes[1].samples)
    assert.is_nil(changes[2])
  end)

  it("reports rooms", function()
    local changes = changes_of(function(tx)
      local rooms = tx:rooms()
      assert(rooms:get "attic" and rooms:has "attic" and #rooms:list() == 1 and #rooms:matches "attic" == 0)
      for name, room in rooms:each() do assert(name == room.roomName) end
      for name in rooms:names() do assert(name == "attic") end
      rooms:save { roomName = "cellar" }
      assert(rooms:rate("attic", "grace", "movie-1", "like", 2).match and not rooms:rate("attic", "grace", "movie-1", "like", 2).rated)
      rooms:delete "cellar"
    end)
    same({ "rooms", "", 5, 2, 1 }, counts(changes[1]))
    same({ key = "cellar" }, changes[1].samples[1])
    same({ { "ada", "like", 1 } }, changes[1].samples[2].before.ratings["movie-1"])
    same(2, #changes[1].samples[2].after.ratings["movie-1"])
  end)

  it("reports maps", function()
    local changes = changes_of(function(tx)
      local seen, new = tx:map "seen", tx:map "new"
      assert(seen:get "grace" == 5 and seen:has { "ada", 1 } and seen:before "a" == nil)
      assert(seen:first()[1] == "ada" and seen:last() == "grace")
      for key in seen:range() do assert(key) end
      seen:set("grace", 6)
      assert(not seen:set("grace", 7, { if_absent = true }))
      assert(seen:increment "grace" == 7 and seen:delete { "ada", 1 })
      for i = 1, 5 do new:set(i, i) end
      assert(new:delete_range { from = 4 } == 2)
    end, { samples = 2 })
    same({ "map", "seen", 4 + 2, 2, 1 }, counts(changes[1]))
    same({ { key = "grace", before = 5, after = 7 }, { key = { "ada", 1 }, before = true } }, changes[1].samples)
    same({ "map", "new", 0, 5, 2 }, counts(changes[2]))
    same({ { key = 1, after = 1 }, { key = 2, after = 2 } }, changes[2].samples)
    changes = changes_of(function(tx) tx:map("seen"):delete_range {} end)
    same({ { key = { "ada", 1 }, before = true }, { key = "grace", before = 5 } }, changes[1].samples)
  end)

  it("leaves out what was rolled back inside", function()
    local changes = changes_of(function(tx)
      tx:map("seen"):set("a", 1)
      local ok, e = pcall(tx.update, tx, function(inner)
        inner:map("seen"):set("b", 2)
        inner:map("new"):set("c", 3)
        error "back"
      end)
      assert(not ok and e:find "back")
      local two, three = tx:update(function(inner)
        inner:map("seen"):set("d", 4)
        return 2, 3
      end)
      assert(two == 2 and three == 3)
      do
        local left <close> = tx:begin "write"
        left:map("seen"):set("e", 5)
      end
      local inner = tx:begin()
      inner:map("seen"):set("f", 6)
      inner:rollback()
      inner = tx:begin()
      inner:map("seen"):set("g", 7)
      inner:commit()
    end)
    same({ { "map", "seen", 0, 3, 0 } }, { counts(changes[1]), changes[2] and counts(changes[2]) })
    same({ { key = "a", after = 1 }, { key = "d", after = 4 }, { key = "g", after = 7 } }, changes[1].samples)
  end)

  it("gives what looks and fails like the true ones", function()
    local changes = changes_of(function(tx)
      assert(getmetatable(tx) == "larder.tx" and tostring(tx) == "larder.tx: write")
      assert(tostring(tx:collection "plans") == 'larder.collection: "plans"' and getmetatable(tx:rooms()) == "larder.rooms")
      assert(tx.nothing == nil and tx:map("seen").nothing == nil)
      local function refuses(code, object, method, ...) raises(code, nil, object[method], object, ...) end
      local plans = tx:collection "plans"
      refuses("EXISTS", plans, "create", { id = 1 })
      refuses("INVALID", plans, "put", 1)
      refuses("INVALID", plans, "put", {})
      refuses("INVALID", plans, "get", {})
      refuses("INVALID", plans, "delete", 1.5)
      refuses("INVALID", plans, "update_where", { ["$x"] = 1 }, {})
      refuses("INVALID", plans, "delete_where", 1)
      refuses("INVALID", tx:map "seen", "set", {}, 1)
      refuses("INVALID", tx:map "seen", "delete_range", { form = 1 })
      refuses("INVALID", tx:rooms(), "save", { roomName = 1 })
      refuses("INVALID", tx, "drop", 1)
      refuses("INVALID", tx, "update", 1)
      refuses("MISUSE", tx, "commit")
      refuses("MISUSE", tx, "rollback")
    end)
    same({}, changes)
  end)

  it("counts documents that are upgraded", function()
    store:collection("plans", { version = 2, upgrade = { [2] = function(document) document.n = nil end } })
    local changes = changes_of(function(tx) assert(tx:collection("plans"):upgrade_all() == 10) end)
    same({ "collection", "plans", 0, 10, 0 }, counts(changes[1]))
  end)

  it("counts what it does not know by the names of the calls", function()
    local changes = changes_of(function(tx)
      assert(tx:collection("plans"):count { n = 1 } == 1 and tx:collection("plans"):count() == 10)
    end)
    same({ count = 2 }, changes[1].calls)
  end)

  it("runs all of them, each on what those before it have done", function()
    local migrations = larder.migrations(store, {
      { name = "a", up = function(tx, ctx) ctx.log(ctx.dry_run) tx:map("new"):set("x", 1) end },
      { name = "b", up = function(tx, ctx) ctx.log "here" assert(tx:map("new"):increment "x" == 2) end,
        down = function(tx) tx:map("new"):increment("x", -1) end },
      { name = "c", collection = "plans", size = 3, pause_ms = 1e9, batch = function(document)
        if document.n > 8 then return larder.remove end
        document.n = nil
        return document
      end },
    })
    local before = dump(store)
    local report = migrations:up { dry_run = true, samples = 1 }
    same(before, dump(store))
    same({ 3, "true", "here" }, { #report, report[1].messages[1], report[2].messages[1] })
    same({ { key = "x", before = 1, after = 2 } }, report[2].changes[1].samples)
    same({ "collection", "plans", 10, 8, 2 }, counts(report[3].changes[1]))
    same({ 10, 8, 2, 4, 10, false },
      { report[3].seen, report[3].changed, report[3].deleted, report[3].batches, report[3].total, report[3].more })
    same(1, #migrations:up({ dry_run = true, batches = 0, to = 2 })[2].changes)
    same("pending", migrations:status()[1].state)
    report = migrations:up { to = 2 }
    same({ "false" }, { report[1].messages[1], report.dry_run, report[1].changes })
    same("b", migrations:down({ dry_run = true })[1].name)
    same({ "down", "up" }, { migrations:redo({ dry_run = true })[1].direction, migrations:redo({ dry_run = true })[2].direction })
    same("done", migrations:status()[2].state)
  end)

  it("refuses, and fails, as the true run does, and changes nothing", function()
    local migrations = larder.migrations(store, {
      { name = "a", up = function(tx) tx:map("new"):set("x", 1) end },
      { name = "b", up = function(tx) tx:map("new"):set("y", 1) error "no" end },
    })
    local before = dump(store)
    raises("INVALID", { 'migration 2 "b", up: ', ": no" }, migrations.up, migrations, { dry_run = true })
    same(before, dump(store))
    local gap = larder.migrations(store, { { name = "a", version = 2, up = function() end } })
    local e = raises("INVALID", "there is none", gap.up, gap, { dry_run = true })
    same("gap", e.problems[1].kind)
    migrations:up { to = 1 }
    before = dump(store)
    larder.migrations(store, { { name = "other", up = function() end } }):up { changed = true, dry_run = true }
    same(before, dump(store)) -- what is accepted is not kept either
  end)
end)
