-- A migration and the store around it: calls beside its transaction, a history that is none, migrations that are none.
local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local METHODS = { "up", "down", "redo", "to", "baseline", "validate", "status", "pause", "resume" }

on_each_engine("a migration", function(given)
  local store
  before_each(function()
    store = given.store
    for i = 1, 5 do store:collection("plans"):put { id = i } end
    store:rooms():save { roomName = "attic" }
    store:queue("mail"):enqueue("letter")
  end)

  local function of(up)
    return larder.migrations(store, { { name = "x", checksum = "1", up = up } })
  end

  it("cannot write beside its transaction, in whatever way, and nothing waits for it", function()
    local other = larder.open "memory:"
    other:map("m"):set(1, 1)
    local calls = {
      function() store:collection("plans"):put { id = 6 } end,
      function() store:collection("plans"):update_where({}, { seen = true }) end,
      function() store:collection("plans", { indexes = { "n" } }) end,
      function() store:drop "plans" end,
      function() store:rooms():delete "attic" end,
      function() store:rooms():rate("attic", "ada", "movie-1", "like") end,
      function() store:map("m"):increment "n" end,
      function() store:queue("mail"):enqueue "letter" end,
      function() store:queue("mail"):dequeue() end,
      function() store:update(function() end) end,
      function() store:begin "write" end,
      function() of(function() end):up() end,
      function() of(function() end):up { dry_run = true } end,
      function() of(function() end):pause() end,
      function() of(function() end):baseline(1) end,
      function() larder.copy(other, store, { overwrite = true }) end,
    }
    for i, call in ipairs(calls) do
      for _, dry in ipairs { false, true } do
        local migrations = of(call)
        local e = raises("MISUSE", { 'migration 1 "x", up: ', "migrate_store_spec.lua:", "use its tx" }, migrations.up, migrations,
          { dry_run = dry })
        assert.are.equal("migrations:up", e.op, "call " .. i)
      end
    end
    same({ 5, 1, "pending" }, { store:collection("plans"):count(), store:queue("mail"):counts().ready, of(print):status()[1].state })
    assert.is_nil(select(2, of(print):status()))
    other:close()
  end)

  it("sees beside its transaction what is committed", function()
    of(function(tx)
      tx:collection("plans"):delete(1)
      assert(store:collection("plans"):count() == 5 and tx:collection("plans"):count() == 4)
      store:view(function(shown) assert(shown:collection("plans"):has(1)) end)
    end):up()
    assert.are.equal(4, store:collection("plans"):count())
  end)

  it("cannot write through another handle to the same store", function()
    if given.engine.name ~= "lmdb" then return end -- of a store in memory there is one
    local options = given.engine.place()
    local first <close> = larder.open(options)
    local second <close> = larder.open(options)
    local migrations = larder.migrations(first, { { name = "x", up = function() second:map("m"):set(1, 1) end } })
    raises("MISUSE", { 'migration 1 "x"', "another handle" }, migrations.up, migrations)
    assert.is_nil(second:map("m"):get(1))
  end)

  it("in batches writes elsewhere by the batch's transaction", function()
    local list = { { name = "x", checksum = "1", collection = "plans", size = 2, batch = function(document, ctx)
      if document.id == 4 then error "no" end
      ctx.tx:map("seen"):set(document.id, true)
    end } }
    local migrations = larder.migrations(store, list)
    raises("INVALID", { 'migration 1 "x", up: ', ": no" }, migrations.up, migrations)
    same({ 1, 2 }, support.collect(store:map("seen"):range())) -- 3 went back with its batch
    list[1].batch = function(document, ctx) ctx.tx:map("seen"):set(document.id, true) end
    migrations = larder.migrations(store, list)
    local report = migrations:up { dry_run = true, samples = 9 }
    same({ "map", "seen", 3 }, { report[1].changes[2].kind, report[1].changes[2].name, report[1].changes[2].written })
    same({ 1, 2 }, support.collect(store:map("seen"):range()))
    migrations:up()
    same({ 1, 2, 3, 4, 5 }, support.collect(store:map("seen"):range()))
    list[1].batch = function() store:map("seen"):set("x", true) end
    migrations = larder.migrations(store, list)
    migrations:up { restart = true }
    store:map("larder.migrations"):delete(1)
    raises("MISUSE", { 'migration 1 "x", up: ', "use its tx" }, migrations.up, migrations)
  end)

  it("in batches must say what it goes through, before anything is run", function()
    for text, fields in pairs {
      ['unknown operator "$x"'] = { where = { ["$x"] = 1 } },
      ["is not empty"] = { collection = "" },
      ["the limit is 1023"] = { collection = ("c"):rep(1024) },
    } do
      local one = { name = "x", checksum = "1", collection = "plans", batch = function() end }
      for name, value in pairs(fields) do one[name] = value end
      local migrations = larder.migrations(store, { { name = "first", checksum = "1", up = function() end }, one })
      for _, dry in ipairs { false, true } do
        local ok, e = pcall(migrations.up, migrations, { dry_run = dry })
        assert.is_false(ok)
        assert.is_truthy(e.message:find('migration 2 "x", up: ', 1, true) and e.message:find(text, 1, true), e.message)
      end
      assert.are.equal("pending", migrations:status()[1].state)
    end
  end)

  it("may raise anything", function()
    local odd = setmetatable({}, { __tostring = function() return "odd" end })
    for text, cause in pairs { odd = odd, ["true"] = true, ["12"] = 12 } do
      local migrations = of(function() error(cause) end)
      local e = raises("INVALID", { 'migration 1 "x", up: ', text }, migrations.up, migrations)
      assert.are.equal(tostring(cause), tostring(e.cause))
    end
    local migrations = of(function() error() end)
    raises("INVALID", { 'migration 1 "x", up: ', "nil" }, migrations.up, migrations)
  end)
end)

on_each_engine("the history", function(given)
  it("is INVALID where something else is in its map, and says where", function()
    local map = given.store:map "larder.migrations"
    local migrations = larder.migrations(given.store, { { name = "x", up = function() end } })
    migrations:up()
    local row = map:get(1)
    local function wrong(key, value)
      map:set(key, value)
      for _, method in ipairs { "up", "down", "redo", "status", "validate" } do
        raises("INVALID", { 'map "larder.migrations"', "the value of " .. key }, migrations[method], migrations)
      end
      raises("INVALID", "larder.migrations", migrations.up, migrations, { dry_run = true })
      raises("INVALID", "larder.migrations", migrations.baseline, migrations, 1)
      map:delete(key)
    end
    wrong(2, "x")
    wrong(2, {})
    for _, field in ipairs { "name", "state", "serial", "at", "took" } do
      local broken = support.copy(row)
      broken[field] = true
      wrong(2, broken)
    end
    wrong("paused", "yes")
    map:set("other", 1) -- nobody asks for that
    same({}, migrations:up())
  end)
end)

describe("migrations", function()
  it("are called with a colon", function()
    local migrations = larder.migrations(larder.open "memory:", {})
    for _, method in ipairs(METHODS) do
      raises("INVALID", "expected migrations, got a table (it is called with a colon)", migrations[method], { dry_run = true })
      local e = raises("INVALID", "expected migrations, got a nil", migrations[method])
      assert.are.equal("migrations:" .. method, e.op)
    end
  end)
end)
