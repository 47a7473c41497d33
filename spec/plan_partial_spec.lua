-- Which filters let an index be used that has only the documents of another filter.
local larder = require "larder"
local support = require "support"

local on_each_engine, same = support.on_each_engine, support.same

local ONLY_SOME = "it has only some documents, and the filter may find others"
local NO_LACKING = "it has no documents that lack its fields, and the filter may find such"
local nan = 0 / 0

--- The filter of the index on n, then filters (besides n) that find its documents only, then filters that may find others.
local cases = {
  { {}, { {}, { s = 1 } }, {} },
  { { s = "open" }, { { s = "open" }, { s = { ["$eq"] = "open" } }, { s = { ["$in"] = { "open" } } }, { ["$and"] = { { s = "open" } } },
    { s = "open", a = 1 } },
    { {}, { s = "shut" }, { s = { ["$in"] = { "open", "shut" } } }, { ["$or"] = { { s = "open" }, { a = 1 } } }, { s = {
      ["$ne"] = "open" } },
      { s = { ["$prefix"] = "open" } }, { s = { ["$not"] = { ["$eq"] = "open" } } }, { ["s.x"] = "open" } } },
  { { a = { ["$gt"] = 3 } }, { { a = { ["$gt"] = 3 } }, { a = { ["$gt"] = 4 } }, { a = { ["$gte"] = 4 } }, { a = 5 }, { a = 3.5 },
    { a = { ["$in"] = { 4, 5 } } }, { a = { ["$gt"] = 4, ["$lt"] = 9 } }, { a = { ["$gt"] = 3.0 } } },
    { { a = 3 }, { a = { ["$gte"] = 3 } }, { a = { ["$gt"] = 2 } }, { a = { ["$lt"] = 9 } }, { a = { ["$in"] = { 3, 4 } } }, { a = {
      ["$in"] = {} } },
      { a = { ["$gt"] = "a" } }, { a = "x" }, { a = larder.null }, { a = { ["$ne"] = 1 } }, { a = { ["$not"] = { ["$gt"] = 4 } } } } },
  { { a = { ["$gte"] = 5 } }, { { a = { ["$gt"] = 5 } }, { a = { ["$gte"] = 5.0 } }, { a = { ["$gt"] = 5.0, ["$lt"] = 9 } } },
    { { a = { ["$gt"] = 4.5 } }, { a = { ["$lt"] = 5 } }, { a = { ["$gt"] = "5" } }, { a = { ["$gt"] = nan } } } },
  { { a = { ["$lte"] = 3 } }, { { a = { ["$lte"] = 3 } }, { a = { ["$lte"] = 2 } }, { a = { ["$lt"] = 2 } }, { a = 3.0 },
    { a = { ["$lt"] = 3 } }, { a = { ["$lte"] = 3.0 } } },
    { { a = { ["$lte"] = nan } }, { a = { ["$lt"] = nan } }, { a = { ["$lte"] = 4 } }, { a = { ["$gt"] = 1 } }, { a = { ["$lt"] = 4 } } } },
  { { a = { ["$gt"] = 3, ["$lt"] = 9 } }, { { a = 5 }, { a = { ["$gt"] = 4, ["$lt"] = 8 } } },
    { { a = { ["$gt"] = 4 } }, { a = { ["$lt"] = 8 } }, { a = 9 } } },
  { { a = 5 }, { { a = 5 }, { a = 5.0 } }, { { a = { ["$gte"] = 5 } }, { a = 6 }, { a = larder.array { 5 } } } },
  -- 5 and 5.0 are one value, of two types
  { { a = { ["$type"] = "int" } }, { { a = { ["$type"] = "int" } } },
    { { a = 5 }, { a = { ["$in"] = { 5 } } }, { a = { ["$gt"] = 5 } }, { a = { ["$type"] = "double" } }, { a = { ["$type"] = {
      "int" } } } } },
  { { a = { ["$exists"] = true } }, { { a = { ["$exists"] = true } }, { a = 5 }, { a = { ["$in"] = { 1, "x", false } } },
    { a = { ["$gt"] = 3 } }, { a = { ["$lte"] = "x" } }, { a = { ["$lt"] = nan } }, { a = { ["$gte"] = larder.array {} } },
    { a = { ["$lte"] = {} } }, { a = { ["$gte"] = false } }, { a = { ["$prefix"] = "" } }, { a = { ["$regex"] = "." } },
    { a = { ["$mod"] = { 2, 1 } } }, { a = { ["$type"] = "null" } }, { a = { ["$size"] = 0 } }, { a = larder.array {} } },
    { { a = { ["$gte"] = larder.null } }, { a = { ["$lte"] = larder.null } }, { a = { ["$nin"] = { 1 } } }, { s = { ["$gt"] = "a" } },
      { a = { ["$not"] = { ["$gt"] = 3 } } }, { ["a.b"] = 5 }, { ["$or"] = { { a = 5 }, { a = 6 } } },
      { a = { ["$exists"] = false } }, { a = larder.null }, { a = { ["$in"] = { 1, larder.null } } }, { a = { ["$ne"] = 1 } } } },
  { { ["d.e"] = { ["$exists"] = true } }, { { ["d.e"] = { ["$gte"] = 1 } }, { ["d.e"] = 2 } }, { { d = { e = 1 } }, { e = 1 } } },
  { { a = { ["$exists"] = false } }, { { a = { ["$exists"] = false } } }, {
    { a = { ["$gt"] = 3 } }, { a = larder.null }, { a = { ["$exists"] = true } }, { a = 1 } } },
  { { a = { ["$ne"] = 5 } }, { { a = { ["$ne"] = 5 } } }, { { a = 6 }, { a = { ["$gt"] = 6 } }, { a = { ["$nin"] = { 5, 6 } } } } },
  { { a = larder.null }, { { a = larder.null } }, { { a = 1 }, { a = { ["$exists"] = false } }, { a = { ["$in"] = { larder.null } } } } },
  -- no number is above NaN
  { { a = { ["$gt"] = nan } }, {}, { { a = { ["$gt"] = 5 } }, { a = 5 }, { a = nan } } },
  { { a = { ["$gte"] = nan } }, { { a = nan } }, { { a = { ["$gt"] = 5 } }, { a = { ["$gte"] = 5 } }, { a = 5 } } },
  { { a = { ["$mod"] = { 2, 1 } } }, { { a = 5 }, { a = { ["$mod"] = { 2, 1 } } } }, { { a = 4 }, { a = { ["$mod"] = { 4, 1 } } } } },
  { { s = { ["$regex"] = "^op" } }, { { s = "open" } }, { { s = { ["$regex"] = "^ope" } }, { s = { ["$prefix"] = "open" } }, {
    s = "shut" } } },
  { { s = { ["$prefix"] = "op" } }, { { s = "open" }, { s = { ["$prefix"] = "op" } } }, { { s = "o" }, { s = { ["$gte"] = "op" } } } },
  { { a = { ["$size"] = 1 } }, { { a = { ["$size"] = 1 } } }, { { a = 5 }, { a = { ["$size"] = 2 } } } },
  { { ["$or"] = { { a = 1 }, { s = "open" } } }, { { ["$or"] = { { a = 1 }, { s = "open" } } } }, { { a = 1 }, { s = "open" }, {
    ["$or"] = { { a = 1 } } } } },
  { { ["d.e"] = 1 }, { { ["d.e"] = 1 } }, { { d = { e = 1 } }, { ["d.0.e"] = 1 }, { e = 1 } } },
}

local function documents()
  local list = {}
  local as = { larder.null, 1, 2, 3, 4, 5, 5.0, 6, 9, 3.5, nan, "x", "z", false, {}, larder.array {}, larder.array { 5 },
    larder.array { 2, 6 },
    larder.array { 5.0, "x" }, larder.array { larder.null, 4 }, larder.array { larder.array { 5 } } }
  for i = 0, 3 * #as do
    list[i + 1] = { id = i, n = 1, a = i > 0 and as[(i - 1) % #as + 1] or nil, s = ({ "open", "shut", "op", larder.array { "open",
      "shut" } })[i % 5],
      d = ({ { e = 1 }, larder.array { { e = 1 }, { e = 2 } }, { e = larder.array { 1 } } })[i % 4] }
  end
  return list
end

local function reason_of(explained, name)
  for _, candidate in ipairs(explained.candidates) do
    if candidate.index == name then return candidate.reason end
  end
end

on_each_engine("an index of some documents", function(given)
  local plain
  before_each(function()
    given.store:update(function(tx)
      for _, document in ipairs(documents()) do tx:collection("plain"):put(document) end
    end)
    plain = given.store:collection "plain"
  end)

  local function check(c, where, name, used, reason)
    where = support.copy(where)
    where.n = 1
    local explained = c:explain { where = where }
    assert.are.equal(used and name, explained.index)
    if not used then assert.are.equal(reason, reason_of(explained, name)) end
    same(plain:find { where = where }, (c:find { where = where }))
  end

  it("is used for filters that imply its own, and no others", function()
    for i, case in ipairs(cases) do
      given.store:update(function(tx)
        local c = tx:collection("c" .. i, { indexes = { { "n", where = case[1] } } })
        for _, document in ipairs(documents()) do c:put(document) end
      end)
      local c = given.store:collection("c" .. i)
      for _, where in ipairs(case[2]) do check(c, where, "n", true) end
      for _, where in ipairs(case[3]) do check(c, where, "n", false, ONLY_SOME) end
    end
  end)

  it("that is sparse is used where a field must be there", function()
    given.store:update(function(tx)
      local c = tx:collection("c", { indexes = { { "a", "s", sparse = true, name = "i" } } })
      for _, document in ipairs(documents()) do c:put(document) end
    end)
    local c = given.store:collection "c"
    for _, where in ipairs {
      { a = 5 }, { a = { ["$gt"] = 3 } }, { a = { ["$in"] = { 1, "x" } } }, { a = larder.null, s = "open" }, { a = { ["$prefix"] = "x" } },
      { a = { ["$in"] = { larder.null, 5 } }, s = { ["$gte"] = "o" } },
    } do
      check(c, where, "i", true)
    end
    for _, where in ipairs {
      { a = larder.null }, { a = { ["$gte"] = larder.null } }, { a = { ["$lte"] = larder.null } }, { a = { ["$in"] = { 1, larder.null } } },
      { a = larder.null, s = larder.null }, {}, { s = "open" }, { a = { ["$ne"] = 5 } },
    } do
      check(c, where, "i", false, NO_LACKING)
    end
    same(plain:find { sort = { "a", "s" }, limit = 5 }, (c:find { sort = { "a", "s" }, limit = 5 }))
  end)
end)
