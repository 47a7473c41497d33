local people_of = require "people"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises
local declare, ids = people_of.declare, people_of.ids

on_each_engine("indexes and versions", function(given)
  --- The name of the index that is used, or why none is.
  local function reason(collection, query)
    local explained = collection:explain(query)
    return explained.index or explained.candidates[2].reason
  end

  it("do not meet while older documents are there", function()
    local raw = given.store:collection("people", { indexes = { "name", "who.last" } })
    for i = 1, 30 do raw:create { id = i, name = ("F%d L%d"):format(i, i % 3) } end
    local query = { where = { ["who.last"] = "L1" } }
    same({}, ids(raw:find(query)))
    local people = declare(given.store, 3)
    assert.are.equal("30 documents of older versions are not upgraded yet", reason(people, query))
    assert.are.equal(10, #people:find(query))
    people:update(2, { a = 1 })
    people:delete(3)
    assert.are.equal("28 documents of older versions are not upgraded yet", reason(people, query))
    assert.are.equal(10, people:count(query.where))
    assert.are.equal(28, people:upgrade_all())
    assert.are.equal("who.last", reason(people, query))
    assert.are.equal(10, #people:find(query))
    assert.are.equal(0, people:count { name = "F1 L1" })
    people:delete(1)
    assert.are.equal(9, people:count(query.where))
  end)

  it("are built of what is stored, and follow each write", function()
    local raw = given.store:collection "people"
    for i = 1, 10 do raw:create { id = i, name = ("F%d L%d"):format(i, i % 2) } end
    local people = declare(given.store, 2)
    for i = 1, 5 do people:update(i, { seen = true }) end
    declare(given.store, 2, { indexes = { "last", { "seen", sparse = true } } })
    assert.are.equal(5, people:count { last = "L1" })
    for i = 6, 10 do people:update(i, { seen = true }) end
    assert.are.equal("last", reason(people, { where = { last = "L1" } }))
    same({ 1, 3, 5, 7, 9 }, ids(people:find { where = { last = "L1" } }))
    same({ 10, 8, 6, 4, 2 }, ids(people:find { where = { last = "L0", seen = true }, sort = "-id" }))
    people:delete_where { last = "L1" }
    same({ 2, 4, 6, 8, 10 }, ids(people:find { sort = "last", limit = 100 }))
  end)

  it("enforce uniqueness when a document is upgraded", function()
    local raw = given.store:collection("people", { indexes = { { "last", unique = true } } })
    raw:create { id = 1, name = "Ada Byron" }
    raw:create { id = 2, name = "Anne Byron" }
    local people = declare(given.store, 2)
    assert.are.equal(2, people:count { last = "Byron" })
    raises("EXISTS", { "1", "2" }, people.upgrade_all, people)
    people:delete(2)
    assert.are.equal(1, people:upgrade_all())
  end)
end)

on_each_engine("declaring a version", function(given)
  it("refuses what is none, and steps that cannot be", function()
    local function refused(texts, options) raises("INVALID", texts, given.store.collection, given.store, "c", options) end
    for _, version in ipairs { 0, -1, 1.5, "2", true, {} } do refused("version", { version = version }) end
    refused({ "upgrade", "version" }, { upgrade = {} })
    refused({ "upgrade", "table", "function" }, { version = 2, upgrade = print })
    refused({ "upgrade", "2 to 3", "1" }, { version = 3, upgrade = { print, print, print } })
    refused({ "upgrade", "2 to 3", "4" }, { version = 3, upgrade = { [4] = print } })
    refused({ "upgrade", "2 to 3", "2.5" }, { version = 3, upgrade = { [2.5] = print } })
    refused({ "upgrade", "2 to 3", "x" }, { version = 3, upgrade = { x = print } })
    refused({ "upgrade[2]", "function", "string" }, { version = 3, upgrade = { [2] = "x" } })
    refused({ "validate", "function", "table" }, { validate = {} })
    support.none(given.store:collections())
    local c = given.store:collection "c"
    raises("INVALID", "no version", c.upgrade_all, c)
  end)

  it("differently for one store shows both, and changes nothing", function()
    local people = declare(given.store, 3)
    raises("INVALID", { '"people"', "version = 3", "version = 2" }, declare, given.store, 2)
    raises("INVALID", { '"people"', "version = 3", "version = 4" }, declare, given.store, 4, { indexes = { "a" } })
    support.none(people:indexes())
    given.store:update(function(tx) raises("INVALID", "version = 3", declare, tx, 2) end)
    declare(given.store, 3)
  end)

  it("again replaces the functions for all handles, and without them keeps them", function()
    local c = given.store:collection "c"
    c:create { id = 1 }
    given.store:collection("c", { version = 2, upgrade = { [2] = function(doc) doc.by = "first" end } })
    given.store:collection("c", { version = 2, indexes = { "a" } })
    given.store:collection "c"
    assert.are.equal("first", c:get(1).by)
    given.store:collection("c", { version = 2, upgrade = { [2] = function(doc) doc.by = "second" end } })
    assert.are.equal("second", c:get(1).by)
  end)

  it("outlives the handle that it was declared with", function()
    local c = given.store:collection "c"
    c:create { id = 1 }
    given.store:collection("c", { version = 2, upgrade = { [2] = function(doc) doc.v = 2 end } })
    collectgarbage()
    collectgarbage()
    assert.are.equal(2, c:get(1).v)
    assert.are.equal(2, given.store:collection("c"):get(1).v)
  end)

  it("holds a copy of the table of steps", function()
    local c = given.store:collection "c"
    c:create { id = 1 }
    local upgrade = { [2] = function(doc) doc.v = 2 end }
    given.store:collection("c", { version = 2, upgrade = upgrade })
    upgrade[2] = error
    assert.are.equal(2, c:get(1).v)
  end)
end)
