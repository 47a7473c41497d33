local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function fill(store, count)
  store:update(function(tx)
    local list = tx:collection "list"
    for i = 1, count do list:put { id = i, n = i % 10, filler = ("f"):rep(i % 7 == 0 and 3000 or i % 5) } end
  end)
  return store:collection "list"
end

local function walk(list, query, between)
  local got = {}
  for document in list:each(query) do
    got[#got + 1] = document
    if between then between(document) end
  end
  return got
end

local queries = { {}, { where = { n = { ["$gt"] = 3 } } }, { sort = "-n" }, { sort = { "n", "-id" }, limit = 120, offset = 30 },
  { limit = 0 }, { limit = 1 }, { limit = 16 }, { limit = 17 }, { offset = 590 }, { offset = 700 }, { where = { n = 99 } },
  { select = { "n" }, limit = 100 } }

on_each_engine("each", function(given)
  it("gives what find gives", function()
    local list = fill(given.store, 600)
    for _, query in ipairs(queries) do
      local wanted = list:find(query)
      local got = walk(list, query)
      assert.are.equal(#wanted, #got)
      for i, document in ipairs(wanted) do same(document, got[i]) end
      given.store:view(function(tx) assert.are.equal(#wanted, #walk(tx:collection "list", query)) end)
      given.store:update(function(tx)
        for i, document in ipairs(walk(tx:collection "list", query)) do same(wanted[i].id, document.id) end
      end)
    end
    assert.are.equal(600, #walk(list))
  end)

  it("goes on behind a cursor", function()
    local list = fill(given.store, 100)
    for _, sort in ipairs { {}, { "-n" } } do
      local page, cursor = list:find { sort = sort, limit = 40 }
      local rest = walk(list, { sort = sort, after = cursor })
      assert.are.equal(60, #rest)
      assert.are_not.equal(page[40].id, rest[1].id)
      same(list:find { sort = sort, after = cursor }, rest)
      assert.are.equal(5, #walk(list, { sort = sort, after = cursor, limit = 5 }))
    end
  end)

  it("gives what stays exactly once while others come and go", function()
    support.at_random(function()
      local list = fill(given.store, 400)
      local function disturb(collection)
        return function()
          local id = math.random(400) + 0.5
          if math.random(2) == 1 then
            collection:put { id = math.tointeger(id - 0.5) + 1000 * math.random(0, 1) * 2 + 1000, guest = true }
          else
            collection:put { id = "guest" .. id, guest = true }
          end
          collection:delete("guest" .. math.random(400) + 0.5)
          collection:update(math.random(400), { n = math.random(9), filler = ("f"):rep(math.random(0, 9000)) })
        end
      end
      local function check(got)
        local expected = 1
        for _, document in ipairs(got) do
          if not document.guest then
            assert.are.equal(expected, document.id)
            expected = expected + 1
          end
        end
        assert.are.equal(401, expected)
      end
      check(walk(list, {}, disturb(list)))
      given.store:update(function(tx) check(walk(tx:collection "list", {}, disturb(tx:collection "list"))) end)
    end)
  end)

  it("lets each document be deleted, put and changed at its step", function()
    local list, got = fill(given.store, 300), 0
    for document in list:each() do
      got = got + 1
      if document.id % 3 == 0 then assert.is_true(list:delete(document.id)) end
      if document.id % 3 == 1 then list:put(document) end
      if document.id % 3 == 2 then list:update(document.id, { seen = true }) end
    end
    assert.are.equal(300, got)
    assert.are.equal(200, list:count())
    given.store:update(function(tx)
      for document in tx:collection("list"):each { sort = "-n" } do tx:collection("list"):delete(document.id) end
    end)
    assert.are.equal(0, list:count())
  end)

  it("goes to what is there then, in a write transaction", function()
    fill(given.store, 50)
    given.store:update(function(tx)
      local list, got = tx:collection "list", 0
      for _ in list:each() do
        got = got + 1
        if got == 10 then list:delete_where {} end
      end
      assert.are.equal(10, got)
    end)
  end)

  it("reads the snapshot of a view", function()
    local list = fill(given.store, 300)
    given.store:view(function(tx)
      local got = 0
      for document in tx:collection("list"):each { sort = "-id" } do
        got = got + 1
        list:delete(document.id)
      end
      assert.are.equal(300, got)
    end)
    assert.are.equal(0, list:count())
  end)

  it("holds no transaction between steps, stays at its end, ends with its store", function()
    local list = fill(given.store, 300)
    local held = {}
    for i = 1, 30 do
      held[i] = list:each { sort = i % 2 == 0 and "n" or nil }
      assert.truthy(held[i]())
    end
    assert.are.equal(0, given.store:stats().readers)
    local step = list:each { limit = 2 }
    assert.truthy(step())
    assert.truthy(step())
    assert.is_nil(step())
    list:put { id = 1000 }
    assert.is_nil(step())
    given.store:close()
    raises("CLOSED", nil, step)
    raises("CLOSED", nil, held[1])
  end)

  it("ends with its transaction", function()
    fill(given.store, 300)
    local tx = given.store:begin "read"
    local step = tx:collection("list"):each()
    assert.truthy(step())
    tx:rollback()
    raises("CLOSED", nil, step)
  end)

  it("refuses a wrong query at once, not at the first step", function()
    local list = fill(given.store, 1)
    raises("INVALID", "limit", list.each, list, { limit = -1 })
    raises("INVALID", { "where", "$gtt" }, list.each, list, { where = { n = { ["$gtt"] = 1 } } })
    raises("INVALID", "after", list.each, list, { after = "x" })
    raises("INVALID", "query", list.each, list, 5)
  end)
end)

describe("a large collection", function()
  it("is walked in little memory", function()
    local store <close> = larder.open "memory:"
    local list, most = store:collection "list", 0
    store:update(function(tx)
      for i = 1, 5000 do tx:collection("list"):put { id = i, filler = ("f"):rep(2000) } end
    end)
    collectgarbage()
    local before = collectgarbage "count"
    for _ in list:each() do
      collectgarbage "step"
      most = math.max(most, collectgarbage "count" - before)
    end
    assert.is_true(most < 2000, most .. " KiB for 10 MB of documents")
  end)

  it("comes in pages that are large in bytes, however large the documents", function()
    local store <close> = larder.open "memory:"
    local list, got = store:collection "list", 0
    for i = 1, 200 do list:put { id = i, filler = ("f"):rep(i > 100 and 200000 or 1) } end
    for document in list:each() do
      got = got + 1
      assert.are.equal(got, document.id)
    end
    assert.are.equal(200, got)
  end)
end)
