local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function versions(report)
  local list = {}
  for i, entry in ipairs(report) do list[i] = entry.direction .. " " .. entry.version end
  return list
end

on_each_engine("what speaks against migrations", function(given)
  local store, ran, folder
  before_each(function()
    store, ran = given.store, {}
    folder = support.folder()
  end)

  --- One that says it ran; more fields by name.
  local function one(version, name, more)
    local function run(number) return function() ran[#ran + 1] = number end end
    local made = { version = version, name = name, up = run(version), down = run(-version) }
    for field, value in pairs(more or {}) do made[field] = value end
    return made
  end

  local function on(...)
    return larder.migrations(store, { ... })
  end

  --- `up` is INVALID with these texts and kinds of problems, nothing runs, and validate says the same.
  local function refused(migrations, kinds, texts, options)
    local before = #ran
    local e = raises("INVALID", texts, migrations.up, migrations, options)
    assert.are.equal(before, #ran)
    local found = {}
    for i, problem in ipairs(e.problems) do found[i] = problem.kind .. " " .. problem.version end
    same(kinds, found)
    same(e.problems, migrations:validate())
    return e
  end

  local function accepted(migrations, options, expected)
    same({}, migrations:validate(options))
    same(expected, versions(migrations:up(options)))
  end

  it("is a number twice, whatever is accepted", function()
    local all = { gaps = true, changed = true, missing = true, out_of_order = true }
    refused(on(one(1, "a"), one(2, "b"), one(2, "c")), { "twice 2" }, { 'migration 2 "c": has the number of migration 2 "b"' }, all)
    support.write_file(folder .. "/01_b.lua", "return { up = print }")
    support.write_file(folder .. "/1_a.lua", "return { up = print }")
    refused(larder.migrations(store, folder), { "twice 1" }, { folder .. "/01_b.lua", folder .. "/1_a.lua" }, all)
  end)

  it("is a name twice", function()
    refused(on(one(1, "a"), one(2, "b"), one(3, "a")), { "twice 3" }, { 'migration 3 "a": has the name of migration 1 "a"' })
  end)

  it("is a gap, unless it is accepted", function()
    local gaps = on(one(3, "a"), one(4, "b"), one(6, "c"))
    refused(gaps, { "gap 1", "gap 5" }, { "migrations 1 to 2: there are none", "migration 5: there is none", "gaps = true" })
    accepted(gaps, { gaps = true }, { "up 3", "up 4", "up 6" })
    refused(gaps, { "gap 1", "gap 5" }, {})
    local dates = larder.migrations(store, { one(3, "a"), one(4, "b"), one(6, "c"), one(20260101120000, "d") }, { gaps = true })
    same({ "up 20260101120000" }, versions(dates:up()))
  end)

  it("is one that was not run though a later one was", function()
    on(one(1, "a"), one(2, "b"), one(3, "c")):up()
    local late = on(one(1, "a"), one(2, "b"), one(3, "c"), one(4, "d"))
    late:up()
    store:map("larder.migrations"):delete(2)
    refused(late, { "out_of_order 2" }, { 'migration 2 "b": was not run, and 4 was', "out_of_order = true" })
    accepted(late, { out_of_order = true }, { "up 2" })
    same({ 1, 2, 3, 4, 2 }, ran)
    same({}, late:validate())
    same({ "down 2" }, versions(late:down())) -- what was run last
  end)

  it("is a file that was changed since", function()
    local path = folder .. "/0001_a.lua"
    support.write_file(path, "return { up = function() end }")
    larder.migrations(store, folder):up()
    support.write_file(path, "return { up = function() end } ")
    support.write_file(folder .. "/0002_b.lua", "return { up = function() end }")
    local changed = larder.migrations(store, folder)
    refused(changed, { "changed 1" }, { 'migration 1 "a" (' .. path .. "): was changed since it was run (2", "changed = true" })
    assert.is_truthy(changed:status()[1].problem:find("was changed", 1, true))
    assert.is_nil(changed:status()[2].problem)
    accepted(changed, { changed = true }, { "up 2" })
    same({}, changed:validate()) -- for good
    same({}, versions(changed:up()))
  end)

  it("is a name that was changed since", function()
    on(one(1, "a")):up()
    local renamed = on(one(1, "b"))
    refused(renamed, { "changed 1" }, { 'migration 1 "b": was "a" when it was run' })
    accepted(renamed, { changed = true }, {})
    same({}, renamed:validate())
    assert.are.equal("b", renamed:status()[1].name)
  end)

  it("is one that was run and is gone", function()
    on(one(1, "a"), one(2, "b"), one(3, "c")):up()
    local less = on(one(1, "a"), one(3, "c"), one(4, "d"))
    refused(less, { "missing 2" }, { 'migration 2 "b": was run (', "and is gone", "missing = true" })
    local status = less:status()
    same({ 2, "b", "done", true }, { status[2].version, status[2].name, status[2].state, status[2].gone })
    assert.is_truthy(status[2].problem:find("is gone", 1, true))
    accepted(less, { missing = true }, { "up 4" })
    same({}, less:validate()) -- for good, and no gap either
    same({}, versions(less:up()))
  end)

  it("is a program that is older than the store", function()
    on(one(1, "a"), one(2, "b")):up()
    refused(on(one(1, "a")), { "missing 2" }, {})
  end)

  it("is told all at once", function()
    on(one(1, "a"), one(2, "b"), one(3, "c")):up()
    local kinds = { "twice 5", "gap 4", "missing 3", "changed 2" }
    local e = refused(on(one(1, "a"), one(2, "x"), one(5, "d"), one(5, "e")), kinds, { "gaps = true, missing = true, changed = true" })
    assert.are.equal(5, select(2, e.message:gsub("\n", "")))
    local fewer = on(one(1, "a"), one(2, "x"), one(5, "d"))
    local few = raises("INVALID", {}, fewer.up, fewer, { changed = true, gaps = true })
    same({ "missing" }, { few.problems[1].kind, few.problems[2] and few.problems[2].kind })
    same("b", store:map("larder.migrations"):get(2).name) -- accepting is part of running
  end)

  it("can be accepted for all calls", function()
    local migrations = larder.migrations(store, { one(2, "a") }, { gaps = true })
    same({}, migrations:validate())
    same({ "gap" }, { migrations:validate({ gaps = false })[1].kind })
    raises("INVALID", "there is none", migrations.up, migrations, { gaps = false })
    same({ "up 2" }, versions(migrations:up()))
  end)

  it("does not all keep from taking back", function()
    on(one(2, "a"), one(4, "b")):up { gaps = true }
    same({ "down 4" }, versions(on(one(1, "x"), one(2, "a"), one(4, "b")):down()))
    local changed = on(one(2, "a", { checksum = "other" }))
    raises("INVALID", "was changed", changed.down, changed)
    same({ "down 2" }, versions(changed:down { changed = true }))
    same({ 2, 4, -4, -2 }, ran)
  end)
end)
