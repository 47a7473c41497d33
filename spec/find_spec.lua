local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local null, array = larder.null, larder.array

local function ids(documents)
  local list = {}
  for i, document in ipairs(documents) do list[i] = document.id end
  return list
end

on_each_engine("find", function(given)
  local people
  before_each(function() people = given.store:collection "people" end)

  local function fill(documents)
    given.store:update(function(tx)
      for i, document in ipairs(documents) do
        document.id = document.id or i
        tx:collection("people"):put(document)
      end
    end)
  end

  local function found(query) return ids((people:find(query))) end

  it("gives all in order of id without a query, integers before strings", function()
    fill { { id = "b" }, { id = 10 }, { id = "a" }, { id = -3 }, { id = "10" }, { id = 9 } }
    local all = { -3, 9, 10, "10", "a", "b" }
    same(all, found())
    same(all, found {})
    same(all, found { where = {}, sort = {} })
    same(all, found { sort = "nothing" })
  end)

  it("takes a filter", function()
    fill { { age = 17, tags = { "x" } }, { age = 18 }, { age = 40, tags = { "x", "y" } }, { age = "40" }, {} }
    same({ 2, 3 }, found { where = { age = { ["$gte"] = 18 } } })
    same({ 1, 3 }, found { where = { tags = "x" } })
    same({ 4, 5 }, found { where = { age = { ["$not"] = { ["$type"] = "number" } } } })
    same({ 5 }, found { where = { age = null } })
    same({ 1, 4 }, found { where = { ["$or"] = { { age = 17 }, { age = "40" } } } })
    support.none(found { where = { age = 99 } })
  end)

  it("sorts by several fields both ways, then by id", function()
    fill { { a = 1, b = "x" }, { a = 2, b = "x" }, { a = 1, b = "y" }, { a = 2, b = "y" }, { a = 1, b = "x" }, { b = "z" } }
    same({ 6, 1, 3, 5, 2, 4 }, found { sort = "a" })
    same({ 2, 4, 1, 3, 5, 6 }, found { sort = "-a" })
    same({ 6, 3, 1, 5, 4, 2 }, found { sort = { "a", "-b" } })
    same({ 2, 4, 1, 5, 3, 6 }, found { sort = { "-a", "b" } })
    same({ 6, 5, 4, 3, 2, 1 }, found { sort = "-id" })
  end)

  it("sorts values of all types: null and missing, numbers, strings, maps, arrays inside arrays, false, true", function()
    fill { { v = true }, { v = false }, { v = { { 1 } } }, { v = { x = 1 } }, { v = "b" }, { v = "\xff" }, { v = "" }, { v = 2 ^ 63 },
      { v = math.maxinteger }, { v = -1 }, { v = 0 / 0 }, {}, { v = null }, { v = array {} } }
    same({ 14, 12, 13, 11, 10, 9, 8, 7, 5, 6, 4, 3, 2, 1 }, found { sort = "v" })
    same({ 1, 2, 3, 4, 6, 5, 7, 8, 9, 10, 11, 12, 13, 14 }, found { sort = "-v" })
  end)

  it("sorts arrays by their smallest element ascending and their largest descending", function()
    fill { { v = { 5, 1 } }, { v = { 3, 3 } }, { v = { 2, 9 } }, { v = 4 }, { v = { { w = 0 }, 6 } } }
    same({ 1, 3, 2, 4, 5 }, found { sort = "v" })
    same({ 5, 3, 1, 4, 2 }, found { sort = "-v" })
    same({ 1, 2, 3, 4, 5 }, found { sort = "v.w" })
  end)

  it("takes 1 and 1.0 for the same value in a sort", function()
    fill { { v = 1.0 }, { v = 1 }, { v = -0.0 }, { v = 0 } }
    same({ 3, 4, 1, 2 }, found { sort = "v" })
    same({ 1, 2, 3, 4 }, found { sort = "-v" })
  end)

  it("has a limit and an offset", function()
    fill { { v = 3 }, { v = 1 }, { v = 2 } }
    for _, sort in ipairs { "v", "id" } do
      local all = found { sort = sort }
      for offset = 0, 4 do
        for limit = 0, 4 do
          local wanted = { table.unpack(all, offset + 1, math.min(#all, offset + limit)) }
          assert.are.equal(table.concat(wanted, " "), table.concat(found { sort = sort, limit = limit, offset = offset }, " "))
        end
      end
    end
    same({ 3 }, found { offset = 2 })
    same({ 1, 2, 3 }, found { limit = math.maxinteger })
    support.none(found { sort = "v", offset = math.maxinteger })
    same({ 2, 3, 1 }, found { sort = "v", limit = math.maxinteger })
  end)

  it("selects fields; the id comes along", function()
    local document = { id = 1, a = { b = 1, c = 2 }, list = { { b = 1, c = 2 }, 5, { c = 3 } }, d = null, e = array {} }
    fill { document }
    same({ { id = 1, d = null, e = array {} } }, (people:find { select = { "d", "e", "nothing" } }))
    same({ { id = 1, a = { b = 1 } } }, (people:find { select = { "a.b" } }))
    same({ { id = 1, a = { b = 1, c = 2 } } }, (people:find { select = { "a.b", "a" } }))
    same({ { id = 1, list = { { b = 1 }, {} } } }, (people:find { select = { "list.b" } }))
    same({ id = 1, d = null }, people:first { select = { "d" } })
    same({ document }, (people:find()))
  end)

  it("gives first what find gives first", function()
    fill { { v = 3 }, { v = 1 }, { v = 2 } }
    assert.are.equal(1, people:first().id)
    assert.are.equal(2, people:first { sort = "v" }.id)
    assert.are.equal(3, people:first { sort = "v", offset = 1 }.id)
    assert.are.equal(1, people:first { sort = "v", where = { v = { ["$gt"] = 2 } } }.id)
    assert.is_nil(people:first { where = { v = 9 } })
    assert.is_nil(people:first { limit = 0 })
    assert.are.equal(1, people:first { limit = 5 }.id)
  end)

  it("counts, and tells distinct values", function()
    fill { { v = 3, w = "a" }, { v = { 1, 3 }, w = "b" }, { v = 2, w = "a" }, { v = null }, {}, { v = { { 1 } }, w = array {} },
      { v = 2.0 } }
    assert.are.equal(7, people:count())
    assert.are.equal(2, people:count { w = "a" })
    assert.are.equal(3, people:count { w = null })
    same({ null, 1, 2, 3, { 1 } }, people:distinct "v")
    same({ "a", "b" }, people:distinct "w")
    same({ "a" }, people:distinct("w", { v = 2 }))
    support.none(people:distinct "x.y")
  end)

  it("refuses queries that are wrong, and says where", function()
    fill { {} }
    local function refused(text, query)
      for _, method in ipairs { "find", "first", "each" } do raises("INVALID", text, people[method], people, query) end
    end
    refused("expected a query", 5)
    refused("query", { 1 })
    refused('"where"', { were = {} })
    refused('"limit"', { limt = 1 })
    refused("where", { where = 1 })
    refused({ "where", "age.$gtt", '"$gt"' }, { where = { age = { ["$gtt"] = 1 } } })
    refused({ "where", "$or" }, { where = { ["$or"] = {} } })
    refused({ "where", "a.$in" }, { where = { a = { ["$in"] = 1 } } })
    refused({ "where.a", "function" }, { where = { a = print } })
    refused({ "where.a", "larder.remove" }, { where = { a = larder.remove } })
    for _, bad in ipairs { -1, 1.5, "1", true, {} } do
      refused({ "limit", "whole number" }, { limit = bad })
      refused({ "offset", "whole number" }, { offset = bad })
    end
    refused("sort", { sort = 1 })
    refused("sort", { sort = { 1 } })
    refused("sort", { sort = { a = 1 } })
    refused("sort", { sort = "" })
    refused("sort", { sort = "-" })
    refused("sort", { sort = "a..b" })
    refused("select", { select = "a" })
    refused("select", { select = {} })
    refused("select", { select = { 1 } })
    refused("select", { select = { "a." } })
    refused("after", { after = 5 })
    raises("INVALID", "where: expected a filter", people.count, people, 5)
    raises("INVALID", { "where", "$gtt" }, people.count, people, { a = { ["$gtt"] = 1 } })
    raises("INVALID", "field", people.distinct, people)
    raises("INVALID", "path", people.distinct, people, "a..b")
    raises("INVALID", "where", people.distinct, people, "a", 5)
  end)
end)
