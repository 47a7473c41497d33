local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function add_owner(tx) tx:collection("plans"):update_where({}, { owner = "ada" }) end
local function remove_owner(tx) tx:collection("plans"):update_where({}, { owner = larder.remove }) end
local function count_up(tx) tx:map("counts"):increment "runs" end

local function versions(report)
  local list = {}
  for i, entry in ipairs(report) do list[i] = entry.direction .. " " .. entry.version end
  return list
end

on_each_engine("migrations", function(given)
  local store, plans
  local now
  before_each(function()
    now = 1000000
    store = given.open { clock = function() return now end }
    plans = store:collection "plans"
    for i = 1, 5 do plans:put { id = i, title = "plan " .. i } end
  end)

  local function list()
    return {
      { name = "add_owner", description = "each plan has one", up = add_owner, down = remove_owner },
      { name = "count", up = count_up, down = function(tx) tx:map("counts"):increment("runs", -1) end },
    }
  end

  it("run in order, once", function()
    local migrations = larder.migrations(store, list())
    same({ "up 1", "up 2" }, versions(migrations:up()))
    same({}, versions(migrations:up()))
    assert.are.equal("ada", plans:get(3).owner)
    assert.are.equal(1, store:map("counts"):get "runs")
  end)

  it("run from files, and are known when the store is opened again", function()
    local folder = support.folder()
    support.write_file(folder .. "/0001_count.lua", [[return { up = function(tx) tx:map("counts"):increment "runs" end }]])
    same({ "up 1" }, versions(larder.migrations(store, folder):up()))
    support.write_file(folder .. "/0002_again.lua", [[return { up = function(tx) tx:map("counts"):increment "runs" end }]])
    same({ "up 2" }, versions(larder.migrations(store, folder .. "/"):up()))
    assert.are.equal(2, store:map("counts"):get "runs")
  end)

  it("have a row with time, duration, checksum and versions", function()
    local slow = list()
    slow[1].up = function() now = now + 1500 end
    local report = larder.migrations(store, slow, { program = "4.2" }):up { to = 1 }
    same(1.5, report[1].took)
    local status = larder.migrations(store, slow):status()
    same({
      version = 1, name = "add_owner", description = "each plan has one", state = "done", at = 1000000, took = 1.5, program = "4.2",
      larder = larder.version, checksum = status[1].checksum,
    }, status[1])
    assert.is_truthy(status[1].checksum:find "^%x+$" and #status[1].checksum == 32)
    same({ version = 2, name = "count", state = "pending", checksum = status[2].checksum }, status[2])
  end)

  it("run up to a version", function()
    local migrations = larder.migrations(store, list())
    same({}, versions(migrations:up { to = 0 }))
    same({ "up 1" }, versions(migrations:up { to = 1 }))
    same({}, versions(migrations:up { to = 1 }))
    same({ "up 2" }, versions(migrations:up { to = 2 }))
    raises("INVALID", { "version", "got 3" }, migrations.up, migrations, { to = 3 })
  end)

  it("are told about themselves", function()
    local seen
    local log = {}
    local migrations = larder.migrations(store, {
      { name = "look", description = "looks", up = function(_, ctx)
        seen = ctx
        ctx.log "one"
        ctx.log(2)
      end },
    }, { log = function(message, ctx) log[#log + 1] = ctx.name .. ": " .. message end })
    same({ "one", "2" }, migrations:up()[1].messages)
    same({ "look: one", "look: 2" }, log)
    assert.are.equal(given.engine.name, seen.store.engine)
    same({ "look", 1, "looks", "up", false, false },
      { seen.name, seen.version, seen.description, seen.direction, seen.dry_run, seen.half_done })
  end)

  it("leave nothing when they fail, keep what came before, and block what comes after", function()
    local broken = list()
    local cause = {}
    table.insert(broken, 2, { name = "broken", up = function(tx)
      tx:map("counts"):set("half", true)
      tx:collection("plans"):delete(1)
      error(cause)
    end })
    local migrations = larder.migrations(store, broken)
    for _ = 1, 2 do
      local e = raises("INVALID", { 'migration 2 "broken", up: ', "migrate_spec.lua:" }, migrations.up, migrations)
      assert.are.equal(cause, e.cause)
      assert.are.equal("migrations:up", e.op)
    end
    same({ "done", "pending", "pending" }, { migrations:status()[1].state, migrations:status()[2].state, migrations:status()[3].state })
    assert.is_nil(store:map("counts"):get "half")
    assert.is_nil(store:map("counts"):get "runs")
    assert.is_true(plans:has(1))
    broken[2].up = count_up -- repaired
    same({ "up 2", "up 3" }, versions(larder.migrations(store, broken):up()))
    assert.are.equal(2, store:map("counts"):get "runs")
  end)

  it("name the line, and keep the code, of what they raise", function()
    local folder = support.folder()
    local function failing(text)
      support.write_file(folder .. "/0001_fail.lua", "local function deep() end\nreturn { up = function(tx)\n" .. text .. "\nend }")
      local migrations = larder.migrations(store, folder)
      return select(2, pcall(migrations.up, migrations))
    end
    local e = failing "error 'boom'"
    assert.are.equal(('migration 1 "fail" (%s/0001_fail.lua), up: %s/0001_fail.lua:3: boom'):format(folder, folder), e.message)
    e = failing "\ntx:collection('plans'):create{ id = 1 }"
    assert.are.equal("EXISTS", e.code)
    assert.is_truthy(e.message:find(folder .. "/0001_fail.lua:4: collection:create: ", 1, true), e.message)
    assert.are.equal("collection:create", e.cause.op)
    e = failing "coroutine.yield()"
    assert.are.equal("MISUSE", e.code)
    assert.is_true(e.message:find("must not yield", 1, true) ~= nil)
    same({ "up 1" }, versions(failing "local x <const> = 1"))
  end)

  it("cannot end their transaction, nor write beside it", function()
    local function fails(code, up)
      local migrations = larder.migrations(store, { { name = "x", up = up } })
      raises(code, 'migration 1 "x"', migrations.up, migrations)
    end
    fails("MISUSE", function(tx) tx:commit() end)
    fails("MISUSE", function(tx) tx:rollback() end)
    fails("MISUSE", function() store:map("x"):set(1, 1) end)
    assert.are.equal("pending", larder.migrations(store, { { name = "x", up = count_up } }):status()[1].state)
    fails("CLOSED", function() store:close() end)
  end)

  it("run again from the start when a commit must be tried again", function()
    local runs = 0
    local migrations = larder.migrations(store, {
      { name = "again", up = function(tx, ctx)
        runs = runs + 1
        ctx.log(runs)
        tx:map("counts"):set("run", runs)
        if runs == 1 then plans:get(1) tx:collection("plans"):put({ id = 1 }, { if_rev = 999999 }) end
      end },
    })
    raises("CONFLICT", 'migration 1 "again"', migrations.up, migrations) -- a revision that has passed: not tried again
    same({ "2" }, migrations:up()[1].messages)
  end)

  it("are run again on a larger map when they do not fit", function()
    if given.engine.name ~= "lmdb" then return end -- only its map has a size
    local small = given.open { map_size = "1MiB" }
    local migrations = larder.migrations(small, {
      { name = "fill", up = function(tx, ctx)
        for i = 1, 100 do tx:map("big"):set(i, ("x"):rep(50000)) end
        ctx.log "filled"
      end },
    })
    local dry = migrations:up { dry_run = true }
    same({ 100, "filled" }, { dry[1].changes[1].written, dry[1].messages[1] })
    assert.are.equal(0, small:map("big"):count())
    same({ "filled" }, migrations:up()[1].messages)
    assert.are.equal(100, small:map("big"):count())
  end)

  it("raise MISUSE where a write transaction is open", function()
    local migrations = larder.migrations(store, list())
    local tx = store:begin "write"
    raises("MISUSE", nil, migrations.up, migrations)
    tx:rollback()
    same({ "up 1", "up 2" }, versions(migrations:up()))
  end)

  it("refuse options that they do not know", function()
    local migrations = larder.migrations(store, list())
    for _, method in ipairs { "up", "down", "redo", "validate" } do
      raises("INVALID", '"dryrun"', migrations[method], migrations, { dryrun = true })
      raises("INVALID", "options: expected a table, got a number", migrations[method], migrations, 1)
    end
    raises("INVALID", "option dry_run: expected a boolean, got 1", migrations.up, migrations, { dry_run = 1 })
    raises("INVALID", '"n"', migrations.up, migrations, { n = 1 })
    raises("INVALID", '"to"', migrations.down, migrations, { to = 1 })
    raises("INVALID", "option n: expected a whole number from 0, got -1", migrations.down, migrations, { n = -1 })
    raises("INVALID", "got 1.0", migrations.to, migrations, 1.0)
    raises("INVALID", "got nil", migrations.to, migrations)
    same({}, migrations:validate())
    assert.are.equal("pending", migrations:status()[1].state)
  end)

  it("can be paused: nothing begins until they are resumed", function()
    local migrations = larder.migrations(store, list())
    migrations:up { to = 1 }
    assert.is_true(migrations:pause())
    assert.is_false(migrations:pause())
    assert.are.equal(now, select(2, migrations:status()))
    raises("INVALID", "paused since 1970-01-01 00:16:40 UTC", migrations.up, migrations)
    raises("INVALID", "paused", migrations.down, migrations)
    assert.is_true(migrations:resume())
    assert.is_false(migrations:resume())
    assert.is_nil(select(2, migrations:status()))
    same({ "up 2" }, versions(migrations:up()))
  end)
end)
