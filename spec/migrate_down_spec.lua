local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function versions(report)
  local list = {}
  for i, entry in ipairs(report) do list[i] = entry.direction .. " " .. entry.version end
  return list
end

on_each_engine("migrations taken back", function(given)
  local store, list, migrations
  local function letters() return store:map("letters"):get "all" or "" end

  --- Adds its letter, and takes it away.
  local function adds(letter)
    return {
      name = letter,
      up = function(tx) tx:map("letters"):set("all", (tx:map("letters"):get "all" or "") .. letter) end,
      down = function(tx)
        local all = tx:map("letters"):get "all"
        assert(all:sub(-1) == letter, all .. " does not end with " .. letter)
        tx:map("letters"):set("all", all:sub(1, -2))
      end,
    }
  end

  before_each(function()
    store = given.store
    list = { adds "a", adds "b", adds "c", adds "d" }
    migrations = larder.migrations(store, list)
  end)

  it("go one at a time, or several, the last one first", function()
    migrations:up()
    same({ "down 4" }, versions(migrations:down()))
    assert.are.equal("abc", letters())
    same({ "down 3", "down 2" }, versions(migrations:down { n = 2 }))
    same({ "down 1" }, versions(migrations:down { n = 9 }))
    same({}, versions(migrations:down()))
    same({ "up 1", "up 2", "up 3", "up 4" }, versions(migrations:up()))
    same({}, versions(migrations:down { n = 0 }))
    assert.are.equal("abcd", letters())
  end)

  it("need a down, and nothing is run when one has none", function()
    list[2].down = nil
    migrations = larder.migrations(store, list)
    migrations:up()
    raises("INVALID", { "nothing was run", 'migration 2 "b": cannot be taken back, for it has no down' },
      migrations.down, migrations, { n = 3 })
    assert.are.equal("abcd", letters())
    raises("INVALID", "no down", migrations.to, migrations, 0)
    assert.are.equal("abcd", letters())
    same({ "down 4", "down 3" }, versions(migrations:to(2)))
  end)

  it("cannot go when they are gone", function()
    migrations:up()
    local less = larder.migrations(store, { list[1], list[2], list[3] })
    raises("INVALID", 'migration 4 "d": was run', less.down, less)
    raises("INVALID", 'migration 4 "d": cannot be taken back, for it is gone', less.down, less, { missing = true })
    assert.are.equal("abcd", letters())
  end)

  it("leave what they failed to take back as done", function()
    list[3].down = function(tx)
      tx:map("letters"):set("all", "?")
      error "no"
    end
    migrations = larder.migrations(store, list)
    migrations:up()
    raises("INVALID", 'migration 3 "c", down: ', migrations.down, migrations, { n = 3 })
    assert.are.equal("abc", letters())
    same({ "up 4" }, versions(migrations:up()))
  end)

  it("go to a version, from above and from below", function()
    same({ "up 1", "up 2", "up 3" }, versions(migrations:to(3)))
    same({ "down 3", "down 2" }, versions(migrations:to(1)))
    same({ "up 2" }, versions(migrations:to(2)))
    same({}, versions(migrations:to(2)))
    same({ "down 2", "down 1" }, versions(migrations:to(0)))
    assert.are.equal("", letters())
    raises("INVALID", "got 5", migrations.to, migrations, 5)
    raises("INVALID", "got -1", migrations.to, migrations, -1)
  end)

  it("can be done again, in one transaction", function()
    migrations:up()
    same({ "down 4", "up 4" }, versions(migrations:redo()))
    assert.are.equal("abcd", letters())
    list[4].up = function() error "no" end
    local broken = larder.migrations(store, list)
    raises("INVALID", { 'migration 4 "d", up: ', ": no" }, broken.redo, broken, { changed = true })
    assert.are.equal("abcd", letters()) -- the down is undone
    assert.are.equal("done", broken:status()[4].state)
    same({}, versions(larder.migrations(given.open(), list):redo()))
  end)

  it("are the last that were run, not the highest", function()
    larder.migrations(store, { list[1], { name = "c", version = 3, up = list[3].up, down = list[3].down } }, { gaps = true }):up()
    local all = larder.migrations(store, { list[1], list[2], list[3] }, { out_of_order = true })
    same({ "up 2" }, versions(all:up()))
    assert.are.equal("acb", letters())
    same({ "down 2", "up 2" }, versions(all:redo { out_of_order = false }))
    same({ "down 2", "down 3", "down 1" }, versions(all:to(0)))
  end)
end)

on_each_engine("a baseline", function(given)
  local store, ran
  before_each(function() store, ran = given.store, {} end)

  local function three()
    local list = {}
    for i = 1, 3 do
      list[i] = { name = "m" .. i, up = function() ran[#ran + 1] = i end, down = function() ran[#ran + 1] = -i end }
    end
    return larder.migrations(store, list, { program = "7" })
  end

  it("enters what is there already without running it", function()
    local migrations = three()
    same({ "baseline 1", "baseline 2" }, versions(migrations:baseline(2)))
    same({}, ran)
    local status = migrations:status()
    same({ "done", true, "7" }, { status[2].state, status[2].baseline, status[2].program })
    same({ "up 3" }, versions(migrations:up()))
    same({ "down 3", "down 2" }, versions(migrations:down { n = 2 }))
    same({ 3, -3, -2 }, ran)
  end)

  it("is for a store without a history, and the same again changes nothing", function()
    local migrations = three()
    migrations:baseline(2)
    same({}, versions(migrations:baseline(2)))
    for _, version in ipairs { 1, 3 } do
      raises("INVALID", "without migrations, and some were run", migrations.baseline, migrations, version)
    end
    for _, wrong in ipairs { 0, 4, "1", 1.0 } do
      raises("INVALID", "got " .. wrong, migrations.baseline, migrations, wrong)
    end
    same("pending", migrations:status()[3].state)
  end)

  it("does not take for done what is half done", function()
    store:collection("plans"):put { id = 1 }
    store:collection("plans"):put { id = 2 }
    local migrations = larder.migrations(store, { { name = "x", collection = "plans", size = 1, batch = function() end } })
    migrations:up { batches = 1 }
    raises("INVALID", "some were run", migrations.baseline, migrations, 1)
    migrations:up()
    same({}, versions(migrations:baseline(1)))
  end)

  it("is refused for the reasons that up is", function()
    local gap = larder.migrations(store, { { name = "a", version = 2, up = function() end } })
    raises("INVALID", "there is none", gap.baseline, gap, 2)
    same({ "baseline 2" }, versions(gap:baseline(2, { gaps = true })))
  end)
end)
