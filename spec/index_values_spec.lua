-- Many values, long ones, in all orders.
local larder = require "larder"
local support = require "support"
local values = require "model_values"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function ids(documents)
  local list = {}
  for i, document in ipairs(documents) do list[i] = document.id end
  return list
end

--- Each query of a collection with indexes gives what it gives of one without, in the same order; says how many an index was chosen for.
local function check_same(indexed, plain, queries)
  local used = 0
  for _, query in ipairs(queries) do
    same(plain:find(query), (indexed:find(query)))
    used = used + (indexed:explain(query).index and 1 or 0)
  end
  return used
end

on_each_engine("an index of many, long or mixed values", function(given)
  local store, c
  before_each(function()
    store = given.store
    c = store:collection("c", { indexes = { "a" } })
  end)

  local function found(a) return ids(c:find { where = { a = a } }) end

  it("takes documents with very many values", function()
    local list = larder.array {}
    for i = 1, 5000 do list[i] = i end
    c:put { id = "many", a = list }
    c:put { id = "few", a = larder.array { 7, 8 } }
    c:put { id = "one", a = 5000 }
    same({ "few", "many" }, found(7))
    same({ "many", "one" }, found(5000))
    same({ "few", "many", "one" }, ids(c:find { where = { a = { ["$gt"] = 6 } } }))
    same({ "one", "many", "few" }, ids(c:find { sort = "-id", where = { a = { ["$gt"] = 6 } } }))
    same({ "many", "few", "one" }, ids(c:find { sort = "a", limit = 3 }))
    local unique = store:collection("unique", { indexes = { { "a", unique = true } } })
    unique:put { id = "many", a = list }
    raises("EXISTS", { '"many"', '"one"' }, unique.put, unique, { id = "one", a = 4999 })
    c:update("many", { a = 5 })
    same({ { "few" }, { "many" } }, { found(7), found(5) })
    c:delete "many"
    same({ { "few" }, {} }, { found(7), found(5) })
    same({ "few" }, ids(c:find { where = { a = { ["$lt"] = 4000 } } }))
  end)

  it("gives a document of many values once, in one look at its values", function()
    for id = 1, 4 do
      local list = larder.array {}
      for i = 1, 20 * id do list[i] = i * id end
      c:put { id = id, a = list, even = id % 2 == 0 }
    end
    same({ 1, 2, 3, 4 }, ids(c:find { where = { a = { ["$gt"] = 0 } } }))
    same({ 4, 3, 2, 1 }, ids(c:find { where = { a = { ["$lte"] = 1000 } }, sort = "-id" }))
    same({ 2, 4 }, ids(c:find { where = { a = { ["$gte"] = 4 }, even = true }, limit = 3 }))
    same({ 2, 3, 4 }, ids(c:find { where = { a = { ["$in"] = { 60, 80 } } } }))
    same({ 4, 3 }, ids(c:find { where = { a = { ["$gt"] = 100 } }, sort = "-a" }))
    assert.are.equal(4, c:count { a = { ["$gt"] = 0, ["$lt"] = 1000 } })
    local explained = c:explain { where = { a = { ["$gt"] = 0 } } }
    same({ "a", 4 }, { explained.index, explained.documents_scanned })
  end)

  it("takes ids and names of any length", function()
    local names = { "c\0", "cc", "c\0\xff", ("n"):rep(1023), ("n"):rep(1022), ("\0"):rep(1023) }
    local long = { ("i"):rep(1022), ("i"):rep(1023), ("i"):rep(1022) .. "j", ("\0"):rep(1023), 7 }
    for _, name in ipairs(names) do
      local other = store:collection(name, { indexes = { "a", { "b", unique = true } } })
      for i, id in ipairs(long) do other:put { id = id, a = "x", b = i, of = name } end
    end
    for _, id in ipairs(long) do c:put { id = id, a = "x" } end
    same({ 7, long[4], long[1], long[2], long[3] }, found "x")
    for _, name in ipairs(names) do
      local other = store:collection(name)
      local query = { where = { a = "x" }, limit = 4 }
      local page, cursor = other:find(query)
      same({ 7, long[4], long[1], long[2] }, ids(page))
      query.after = cursor
      same({ long[3] }, ids(other:find(query)))
      same({ long[3], 7 }, { ids(other:find { where = { b = 3 } })[1], ids(other:find { where = { b = 5 } })[1] })
      for _, document in ipairs(other:find { where = { a = { ["$gte"] = "" } } }) do assert.are.equal(name, document.of) end
      raises("EXISTS", { '"b"', "7" }, other.put, other, { id = "new", b = 5 })
    end
    store:drop(names[1])
    same({ 7, long[4], long[1], long[2], long[3] }, found "x")
    assert.are.equal(5, #store:collection(names[3]):find { where = { a = "x" } })
  end)

  it("finds very long values that begin alike", function()
    local plain = store:collection "plain"
    local long = {}
    for _, size in ipairs { 2, 3, 297, 298, 299, 300, 301, 302, 480, 490, 510, 511, 512, 2000 } do
      for _, tail in ipairs { "", "a", "b", "\0", "\xff" } do long[#long + 1] = ("v"):rep(size) .. tail end
    end
    local collection = store:collection("long", { indexes = { "a", { "-a", "n" }, { "u", unique = true } } })
    for i, value in ipairs(long) do
      for _, into in ipairs { collection, plain } do
        into:put { id = i, a = i % 7 == 0 and larder.array { value, "z" } or value, n = i % 3, u = value }
      end
    end
    local queries = {}
    for _, value in ipairs(long) do
      for _, operator in ipairs { "$eq", "$gt", "$gte", "$lt", "$lte", "$prefix" } do
        queries[#queries + 1] = { where = { a = { [operator] = value } }, sort = { "-a", "n" } }
      end
      queries[#queries + 1] = { where = { a = value, n = { ["$gte"] = 1 } } }
      queries[#queries + 1] = { where = { u = value } }
      queries[#queries + 1] = { where = { u = { ["$gt"] = value } }, sort = "-u", limit = 5 }
      queries[#queries + 1] = { where = { a = { ["$in"] = { value, value .. "a", "vv" } } }, sort = "a", limit = 9 }
    end
    assert.are.equal(#queries, check_same(collection, plain, queries))
    for i, value in ipairs(long) do
      raises("EXISTS", { tostring(i), "0" }, collection.put, collection, { id = 0, u = value })
    end
    for i = 1, #long, 2 do
      collection:delete(i)
      plain:delete(i)
    end
    check_same(collection, plain, queries)
  end)

  it("has a descending part in its order", function()
    local both = store:collection("both", { indexes = { { "a", "-b" } } })
    for i = 1, 30 do both:put { id = i, a = i % 3, b = i % 5 == 0 and ("s"):rep(i % 4) or i % 4 } end
    local forward = both:find { sort = { "a", "-b" }, limit = 30 }
    local back = both:find { sort = { "-a", "b" }, limit = 30 }
    local mixed = both:find { sort = { "a", "b" }, limit = 30 }
    local function in_order(list, sign_a, sign_b)
      for i = 2, #list do
        local one, two = list[i - 1], list[i]
        local order = sign_a * values.compare(one.a, two.a)
        if order == 0 then order = sign_b * values.compare(one.b, two.b) end
        assert.is_true(order < 0 or order == 0 and one.id < two.id)
      end
      return #list
    end
    same({ 30, 30, 30 }, { in_order(forward, 1, -1), in_order(back, -1, 1), in_order(mixed, 1, 1) })
    for b = 0, 3 do
      for _, operator in ipairs { "$gt", "$gte", "$lt", "$lte" } do
        local where = { a = 1, b = { [operator] = b } }
        local count = 0
        for _, document in ipairs(forward) do
          local fits = document.a == 1 and math.type(document.b) and
            ({ ["$gt"] = document.b > b, ["$gte"] = document.b >= b, ["$lt"] = document.b < b, ["$lte"] = document.b <= b })[operator]
          count = count + (fits and 1 or 0)
        end
        assert.are.equal(count, #both:find { where = where })
      end
    end
  end)
end)
