local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local nine = { "1", "2", "3", "4", "5", "6", "7", "8", "9" }
local many = {}
for i = 1, 65 do many[i] = "f" .. i end

--- What is no declaration, and what its error says.
local bad = {
  { { indexes = "a" }, "indexes: expected a list, got a string" },
  { { indexes = { a = "b" } }, "indexes: expected a list, got a map" },
  { { indexes = true }, "indexes: expected a list" },
  { { indexes = many }, "indexes: more than 64" },
  { { indexes = { "a", "a" } }, 'indexes: two are called "a"' },
  { { indexes = { "a", "b", { "c", name = "a" } } }, 'two are called "a"' },
  { { indexes = { "a,b", { "a", "b" } } }, 'two are called "a,b"' },
  { { indexes = { "a", 1 } }, "indexes[2]: expected a field, or a list of fields, got an integer" },
  { { indexes = { "a", "" } }, "indexes[2]: path" },
  { { indexes = { "-" } }, "indexes[1]: path" },
  { { indexes = { { "a", "b..c" } } }, 'indexes[1]: path "b..c"' },
  { { indexes = { {} } }, "indexes[1]: an index needs a field at least" },
  { { indexes = { { name = "n" } } }, "indexes[1]: an index needs a field at least" },
  { { indexes = { { "a", 2 } } }, "indexes[1]: expected the name of a field, got an integer" },
  { { indexes = { { { "a" } } } }, "indexes[1]: expected the name of a field, got an array" },
  { { indexes = { { [1] = "a", [3] = "c" } } }, "indexes[1]: field 2 is missing" },
  { { indexes = { { "a", [0] = "b" } } }, "indexes[1]: an index has 1 to 8 fields" },
  { { indexes = { { "a", [1.5] = "b" } } }, "indexes[1]: a key that is no option's name" },
  { { indexes = { { "a", [true] = "b" } } }, "indexes[1]: a key that is no option's name" },
  { { indexes = { nine } }, "indexes[1]: an index has 1 to 8 fields" },
  { { indexes = { "a", { "b", uniqe = true } } }, { "indexes[2]: ", '"uniqe"', '"unique"' } },
  { { indexes = { { "a", unique = 1 } } }, "indexes[1]: unique: expected true or false" },
  { { indexes = { { "a", sparse = "yes" } } }, "indexes[1]: sparse: expected true or false" },
  { { indexes = { { "a", name = 1 } } }, "indexes[1]: name: expected a string" },
  { { indexes = { { "a", name = "" } } }, "indexes[1]: name: is empty" },
  { { indexes = { { "a", where = 1 } } }, "indexes[1]: where: expected a filter" },
  { { indexes = { { "a", where = larder.array { 1 } } } }, "indexes[1]: where: expected a filter" },
  { { indexes = { "a", { "b", where = { age = { ["$gtt"] = 1 } } } } }, { "indexes[2]: where: age.$gtt: ", '"$gt"' } },
  { { indexes = { { "b", where = { ["$or"] = { { a = 1 }, { b = { ["$in"] = 1 } } } } } } }, "indexes[1]: where: $or[2].b.$in: " },
  { { indexes = { { "b", where = { ["$or"] = {} } } } }, "indexes[1]: where: $or: " },
  { { indexes = { { "b", where = { f = print } } } }, { "indexes[1].where.f", "function" } },
  { { version = 0 }, "version: expected a whole number from 1" },
  { { version = 1.0 }, "version: expected a whole number from 1" },
  { { key = 1, indexes = { "a" } }, "key: expected the name of a field" },
  { { keys = "id" }, { '"keys"', '"key"' } },
  { { index = { "a" } }, { '"index"', '"indexes"' } },
}

--- Declarations of an index, and what `indexes` tells of each.
local forms = {
  { "a", { name = "a", parts = { "a" } } },
  { { "a" }, { name = "a", parts = { "a" } } },
  { "-a.b.0", { name = "-a.b.0", parts = { "-a.b.0" } } },
  { { "-a", "b" }, { name = "-a,b", parts = { "-a", "b" } } },
  { { [1] = "a", [2] = "b", name = "both" }, { name = "both", parts = { "a", "b" } } },
  { { "a", unique = true, sparse = true }, { name = "a", parts = { "a" }, unique = true, sparse = true } },
  { { "a", unique = false, sparse = false }, { name = "a", parts = { "a" } } },
  { { "a", where = { b = { ["$gt"] = 1 } } }, { name = "a", parts = { "a" }, where = { b = { ["$gt"] = 1 } } } },
  { { "a", where = {} }, { name = "a", parts = { "a" }, where = {} } },
  { { "\xff", "ä b", name = "\0" }, { name = "\0", parts = { "\xff", "ä b" } } },
  { table.move(nine, 1, 8, 1, {}), { name = "1,2,3,4,5,6,7,8", parts = table.move(nine, 1, 8, 1, {}) } },
}

on_each_engine("the text of a declaration", function(given)
  local store
  before_each(function() store = given.store end)

  it("that is bad is refused where it is bad, and nothing is written", function()
    local entries = store:stats().entries
    for _, case in ipairs(bad) do
      raises("INVALID", case[2], store.collection, store, "c", case[1])
      store:update(function(tx) raises("INVALID", case[2], tx.collection, tx, "c", case[1]) end)
    end
    support.none(store:collections())
    assert.are.equal(entries, store:stats().entries)
  end)

  it("is a string, a list, a list with options", function()
    for i, form in ipairs(forms) do
      form[2].ready = true
      same({ form[2] }, store:collection("c" .. i, { indexes = { form[1] } }):indexes())
      same({ form[2] }, store:collection("c" .. i):indexes())
      store:collection("c" .. i, { indexes = { form[1] } })
    end
    support.none(store:collection("none"):indexes())
    support.none(store:collection("none", { indexes = {} }):indexes())
  end)
end)
