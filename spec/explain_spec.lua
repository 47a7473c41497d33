local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local NOT_FIRST = "neither the filter nor the sort begins with its first field"
local ONLY_ORDER = "it only gives the order, which is worth less than its way to each document without a limit"
local NARROWED = "the chosen one is narrowed by the filter"
local MORE = "it has more entries to read"
local IN_ORDER = "the chosen one gives the order"
local NO_BETTER = "it is no better than the chosen one"
local ONLY_SOME = "it has only some documents, and the filter may find others"
local NO_LACKING = "it has no documents that lack its fields, and the filter may find such"
local NARROW, NARROW_ORDER, ORDER = "the filter narrows it down", "the filter narrows it down, and it gives the order", "it gives the order"
local BY_ID, ALL = "no index is better than all documents in order of id", "no index helps: all documents are read"

on_each_engine("explain", function(given)
  local c
  before_each(function()
    c = given.store:collection("c", {
      indexes = {
        { "n", unique = true, name = "n" }, { "a", name = "a" }, { "b", "n", unique = true, name = "b,n" },
        { "p", where = { b = 1 }, name = "p" }, { "q", sparse = true, name = "q" },
      },
    })
    given.store:update(function(tx)
      for i = 1, 300 do tx:collection("c"):put { id = i, n = i, a = i % 2, b = i % 3 == 0 and 1 or 0, p = i, q = i } end
    end)
  end)

  --- What is said of each candidate; "" is all documents.
  local function reasons(query)
    local told, explained = {}, c:explain(query)
    for _, candidate in ipairs(explained.candidates) do
      told[candidate.index or ""] = candidate.reason
      assert.are.equal(candidate.index == explained.index, candidate.chosen)
    end
    assert.are.equal(6, #explained.candidates)
    return told
  end

  it("says of each candidate why it was taken or not", function()
    same({ [""] = NARROWED, n = NARROW, a = NOT_FIRST, ["b,n"] = NOT_FIRST, p = ONLY_SOME, q = NO_LACKING }, reasons { where = {
      n = { ["$lt"] = 9 } } })
    same({ [""] = NARROWED, n = NARROW_ORDER, a = NOT_FIRST, ["b,n"] = NOT_FIRST, p = ONLY_SOME, q = NO_LACKING },
      reasons { where = { n = { ["$lt"] = 9 } }, sort = "n" })
    same({ [""] = IN_ORDER, n = ORDER, a = NOT_FIRST, ["b,n"] = NOT_FIRST, p = ONLY_SOME, q = NO_LACKING }, reasons { sort = "n",
      limit = 5 })
    same({ [""] = ALL, n = ONLY_ORDER, a = NOT_FIRST, ["b,n"] = NOT_FIRST, p = ONLY_SOME, q = NO_LACKING }, reasons { sort = "n" })
    same({ [""] = BY_ID, n = NOT_FIRST, a = NOT_FIRST, ["b,n"] = NOT_FIRST, p = ONLY_SOME, q = NO_LACKING }, reasons { limit = 5 })
    same({ [""] = NARROWED, n = NARROW, a = MORE, ["b,n"] = NOT_FIRST, p = ONLY_SOME, q = MORE },
      reasons { where = { n = { ["$lt"] = 9 }, a = 1, q = { ["$lt"] = 20 } } })
    same({ [""] = NARROWED, n = MORE, a = MORE, ["b,n"] = NARROW, p = NO_BETTER, q = NO_LACKING },
      reasons { where = { n = { ["$lt"] = 19 }, a = 1, b = 1, p = { ["$lt"] = 19 } } })
    same({ [""] = NARROW_ORDER, n = NOT_FIRST, a = MORE, ["b,n"] = NOT_FIRST, p = ONLY_SOME, q = NO_LACKING },
      reasons { where = { id = { ["$gt"] = 290 }, a = 1 } })
    same({ [""] = NARROWED, n = NARROW_ORDER, a = NOT_FIRST, ["b,n"] = NOT_FIRST, p = ONLY_SOME, q = IN_ORDER },
      reasons { where = { n = { ["$gt"] = 0 }, q = { ["$gt"] = 0 } }, sort = "-n", limit = 5 })
  end)

  it("tells how much was read for it, and counts the entries of candidates that compete", function()
    local explained = c:explain { where = { n = { ["$lt"] = 9 }, q = { ["$lt"] = 20 } }, sort = "a" }
    same({ index = "n", sorted = true, reverse = false, keys_scanned = 8, documents_scanned = 8, returned = 8 },
      { index = explained.index, sorted = explained.sorted, reverse = explained.reverse, keys_scanned = explained.keys_scanned,
        documents_scanned = explained.documents_scanned, returned = explained.returned })
    local entries = {}
    for _, candidate in ipairs(explained.candidates) do entries[candidate.index or ""] = candidate.entries end
    same({ n = 8, q = 19 }, entries)
  end)

  it("is the same for a query that would return nothing", function()
    local explained = c:explain { where = { n = 5 }, limit = 0 }
    same({ "n", false, 0, 0 }, { explained.index, explained.sorted, explained.documents_scanned, explained.returned })
  end)

  it("takes what find takes", function()
    raises("INVALID", "where: a.$foo", c.explain, c, { where = { a = { ["$foo"] = 1 } } })
    raises("INVALID", "limit", c.explain, c, { limit = -1 })
    raises("INVALID", "sorted", c.explain, c, { sorted = "a" })
    local _, cursor = c:find { sort = "n", limit = 10 }
    raises("INVALID", "another sort", c.explain, c, { sort = "-n", limit = 10, after = cursor })
    assert.are.equal(10, c:explain { sort = "n", limit = 10, after = cursor, select = { "a" } }.documents_scanned)
    assert.are.equal(300, c:explain().returned)
    local empty = given.store:collection("nothing"):explain { where = { a = 1 } }
    same({ false, 0, 1 }, { empty.index, empty.returned, #empty.candidates })
  end)

  it("says so where an index gives all but the order, for some value was too long or there were too many", function()
    local query = { sort = "a", limit = 5 }
    local d = given.store:collection("d", { indexes = { "a" } })
    for i = 1, 10 do d:put { id = i, a = i % 3 } end
    same({ "a", false }, { d:explain(query).index, d:explain(query).sorted })
    local wanted = d:find { where = {}, sort = "a" }
    d:put { id = 11, a = ("x"):rep(1000) }
    d:delete(11)
    same({ false, true }, { d:explain(query).index, d:explain(query).sorted })
    same({ table.unpack(wanted, 1, 5) }, (d:find(query)))
    local many = larder.array {}
    for i = 1, 5000 do many[i] = i + 10 end
    local e = given.store:collection("e", { indexes = { "a" } })
    for i = 1, 10 do e:put { id = i, a = i % 3 } end
    e:put { id = 11, a = many }
    same({ false, true }, { e:explain(query).index, e:explain(query).sorted })
    local found = e:explain { where = { a = 2 } }
    same({ "a", 4, 4, 3 }, { found.index, found.keys_scanned, found.documents_scanned, found.returned })
  end)
end)
