-- Which index a query takes, and how much of it is read.
local larder = require "larder"
local support = require "support"

local on_each_engine, same = support.on_each_engine, support.same

local COUNT = 1000

--- Unique indexes hold whole values in every build, so that they give an order; those of the sanitizers' build cut others off early.
local declaration = {
  indexes = {
    { "s", "u", unique = true, name = "s,u" },
    { "s", "-t", "u", unique = true, name = "s,-t,u" },
    { "u", unique = true, name = "u" },
    { "tags", name = "tags" },
    { "g", name = "g" },
    { "text", unique = true, name = "text" },
  },
}

--- s: 0 to 3; t: 0 to 9, the same for a hundred; g: 0 to 9; u and text: for one.
local function fill(collection)
  for i = 1, COUNT do
    collection:put { id = i, s = i % 4, t = i // 100, g = i % 10, u = i, text = ("t%04d"):format(i),
      tags = larder.array { i % 3, i % 3 + 1 } }
  end
end

--- query, index, keys_scanned, documents_scanned, sorted, reverse
local plans = {
  { { where = { u = 7 } }, "u", 1, 1, false },
  { { where = { u = { ["$in"] = { 7, 9, 7.0, 5000, 8 } } } }, "u", 3, 3, true },
  { { where = { u = { ["$in"] = { 7, 9, 8 } } }, sort = "-u" }, "u", 3, 3, false, true },
  { { where = { u = { ["$in"] = {} } } }, "u", 0, 0, true },
  { { where = { u = { ["$gt"] = 10, ["$lte"] = 20 } }, sort = "u" }, "u", 10, 10, false },
  { { where = { u = { ["$gte"] = 990 } }, sort = "-u" }, "u", 11, 11, false, true },
  { { where = { u = { ["$lt"] = 6 } } }, "u", 5, 5, true },
  { { where = { text = { ["$prefix"] = "t000" } }, sort = "text" }, "text", 9, 9, false },
  { { where = { text = { ["$prefix"] = "t000" } }, sort = "-text" }, "text", 9, 9, false, true },
  -- an equality, then a range or an order
  { { where = { s = 1, u = { ["$lt"] = 40 } }, sort = "u" }, "s,u", 10, 10, false },
  { { where = { s = 1, u = { ["$lt"] = 40 } }, sort = "-u" }, "s,u", 10, 10, false, true },
  { { where = { s = { ["$in"] = { 1, 2 } }, u = { ["$lt"] = 40 } }, sort = { "s", "u" } }, "s,u", 20, 20, false },
  { { where = { s = { ["$in"] = { 1, 2 } }, u = { ["$lt"] = 40 } }, sort = { "-s", "-u" } }, "s,u", 20, 20, false, true },
  { { where = { s = 1, t = { ["$gt"] = 7 } }, sort = { "-t", "u" } }, "s,-t,u", 50, 50, false },
  { { where = { s = 1, t = { ["$gt"] = 7 } }, sort = { "t", "-u" } }, "s,-t,u", 50, 50, false, true },
  { { where = { s = 1, t = 7 }, sort = "u" }, "s,-t,u", 25, 25, false },
  { { where = { s = 1, t = 7 }, sort = { "s", "u", "t" } }, "s,-t,u", 25, 25, false },
  { { where = { ["$and"] = { { s = 1 }, { t = 7 } } }, sort = "u" }, "s,-t,u", 25, 25, false },
  { { where = { s = { ["$all"] = { 1 } }, t = 7 }, sort = "u" }, "s,-t,u", 25, 25, false },
  -- no more than the limit needs
  { { where = { s = 1 }, sort = "u", limit = 20 }, "s,u", 20, 20, false },
  { { where = { s = 1 }, sort = "-u", limit = 20 }, "s,u", 20, 20, false, true },
  { { where = { s = 1 }, sort = "u", limit = 20, offset = 5 }, "s,u", 25, 25, false },
  { { where = { s = 1, g = 1 }, sort = "u", limit = 3 }, "g", 100, 100, true },
  { { sort = "u", limit = 20 }, "u", 20, 20, false },
  { { sort = "-text", limit = 20 }, "text", 20, 20, false, true },
  { { sort = { "s", "-t", "u" }, limit = 20 }, "s,-t,u", 20, 20, false },
  { { sort = { "-s", "t", "-u" }, limit = 20 }, "s,-t,u", 20, 20, false, true },
  { { where = { s = { ["$gte"] = 1 } }, sort = { "s", "u" }, limit = 20 }, "s,u", 20, 20, false },
  -- the id comes last in any case
  { { sort = { "u", "id" }, limit = 20 }, "u", 20, 20, false },
  { { sort = { "-u", "id", "g" }, limit = 20 }, "u", 20, 20, false, true },
  { { where = { g = 3 }, sort = "id", limit = 5 }, "g", 5, 5, false },
  { { where = { s = 1, t = 7 }, sort = { "u", "id" } }, "s,-t,u", 25, 25, false },
  { { where = { s = 1 }, sort = { "t", "id" }, limit = 5 }, "s,u", 250, 250, true },
  { { sort = { "u", "-id" }, limit = 20 }, false, 0, COUNT, true },
  { { where = { g = 3 }, sort = { "-id" }, limit = 5 }, "g", 100, 100, true },
  { { sort = { "id", "u" }, limit = 20 }, false, 0, 20, false },
  -- what gives no order
  { { sort = { "s", "t", "u" }, limit = 20 }, false, 0, COUNT, true },
  { { sort = "s", limit = 20 }, false, 0, COUNT, true },
  { { sort = "u" }, false, 0, COUNT, true },
  { { sort = { "u", "s" }, limit = 20 }, false, 0, COUNT, true },
  { { where = { g = 3 }, sort = "t", limit = 5 }, "g", 100, 100, true },
  { { where = { tags = 1 }, sort = "tags", limit = 5 }, "tags", 667, 667, true },
  -- what is bound by nothing, or not by what may be anywhere
  { { where = { t = 3 } }, false, 0, COUNT, false },
  { { where = { ["$or"] = { { u = 3 }, { u = 4 } } } }, false, 0, COUNT, false },
  { { where = { u = { ["$ne"] = 4 } } }, false, 0, COUNT, false },
  { { where = { u = { ["$exists"] = true } } }, false, 0, COUNT, false },
  { { where = { tags = larder.array { 1, 2 } } }, false, 0, COUNT, false },
  -- ids
  { { where = { id = 7 } }, false, 0, 1, false },
  { { where = { id = 7.0 } }, false, 0, COUNT, false },
  { { where = { id = "7" } }, false, 0, 0, false },
  { { where = { id = { ["$in"] = { 7, 8, "x", 5000 } } } }, false, 0, 2, false },
  { { where = { id = { ["$gt"] = 990 } } }, false, 0, 11, false },
  { { where = { id = { ["$gte"] = 11, ["$lt"] = 21 } }, sort = "-id" }, false, 0, 10, false, true },
  { { where = { id = { ["$lte"] = 500 }, u = 7 } }, "u", 1, 1, false },
  { { where = { id = { ["$gt"] = 998 }, g = 9 } }, false, 0, 3, false },
  { { limit = 5 }, false, 0, 5, false },
  { { sort = "-id", limit = 5 }, false, 0, 5, false, true },
  { { limit = 0 }, false, 0, 0, false },
  { { where = { s = 1 }, sort = "u", limit = 0 }, "s,u", 0, 0, false },
}

local function shown(query)
  if type(query) ~= "table" then return tostring(query) end
  local parts = {}
  for name, value in pairs(query) do parts[#parts + 1] = tostring(name) .. "=" .. shown(value) end
  table.sort(parts)
  return "{" .. table.concat(parts, ", ") .. "}"
end

on_each_engine("a plan", function(given)
  local c, plain
  before_each(function()
    given.store:update(function(tx)
      fill(tx:collection("c", declaration))
      fill(tx:collection "plain")
    end)
    c, plain = given.store:collection "c", given.store:collection "plain"
  end)

  it("reads what it has to", function()
    for _, case in ipairs(plans) do
      local query, text = case[1], shown(case[1])
      local explained = c:explain(query)
      local got = { explained.index, explained.keys_scanned, explained.documents_scanned, explained.sorted, explained.reverse }
      assert.are.same({ case[2], case[3], case[4], case[5], case[6] or false }, got, text)
      local wanted = plain:find(query)
      assert.are.equal(#wanted, explained.returned, text)
      same(wanted, (c:find(query)))
      same(wanted[1], c:first(query))
      if not query.limit then assert.are.equal(#wanted, c:count(query.where), text) end
    end
  end)

  it("reads of each page the page", function()
    for _, query in ipairs {
      { where = { s = 1 }, sort = "u" }, { where = { s = 1 }, sort = "-u" }, { sort = "u" }, { sort = "-text" },
      { sort = { "-s", "t", "-u" } }, { where = { s = { ["$in"] = { 0, 3 } } }, sort = { "s", "u" } },
      { sort = { "u", "id" } }, { sort = { "-text", "id", "s" } }, { where = { g = 3 }, sort = "id" },
      { where = { s = 2, t = { ["$gte"] = 3 } }, sort = { "-t", "u" } }, {}, { sort = "-id" },
    } do
      local wanted, got, most = plain:find(query), {}, 0
      query.limit = 20
      repeat
        local explained = c:explain(query)
        most = math.max(most, explained.documents_scanned, explained.keys_scanned)
        local page
        page, query.after = c:find(query)
        table.move(page, 1, #page, #got + 1, got)
      until not query.after
      same(wanted, got)
      assert.are.equal(20, most, shown(query))
    end
  end)

  it("takes a document once, however many of its values are found", function()
    for _, query in ipairs {
      { where = { tags = { ["$gte"] = 1 } } }, { where = { tags = { ["$in"] = { 1, 2, 3 } } }, sort = "-u" },
      { where = { tags = { ["$gte"] = 1, ["$lte"] = 2 } } },
    } do
      local explained = c:explain(query)
      assert.are.equal("tags", explained.index)
      same(plain:find(query), (c:find(query)))
      assert.is_true(explained.documents_scanned <= COUNT)
    end
  end)

  it("reads in order up to the limit where an index would be read for too much", function()
    local query = { where = { tags = { ["$gte"] = 0 } }, sort = "-u", limit = 5 }
    local explained = c:explain(query)
    same({ "u", 5, false, true }, { explained.index, explained.documents_scanned, explained.sorted, explained.reverse })
    same(plain:find(query), (c:find(query)))
    query = { where = { tags = { ["$gte"] = 0 } }, limit = 5 }
    same({ false, 5, false }, { c:explain(query).index, c:explain(query).documents_scanned, c:explain(query).sorted })
    same(plain:find(query), (c:find(query)))
    query = { where = { g = 3 }, sort = "-u", limit = 5 }
    same({ "g", true }, { c:explain(query).index, c:explain(query).sorted })
    same(plain:find(query), (c:find(query)))
  end)

  it("is made for a sort that says the same again and again", function()
    local sort = {}
    for i = 1, 16 do sort[i] = "s" end
    local query = { where = { s = 1 }, sort = sort, limit = 5 }
    same(plain:find(query), (c:find(query)))
  end)

  it("reads about 20 keys of any number for 20 documents", function()
    given.store:update(function(tx)
      for i = COUNT + 1, 20000 do tx:collection("c"):put { id = i, s = i % 4, u = i, text = "x" .. i } end
    end)
    for _, query in ipairs { { where = { s = 1 }, sort = "-u", limit = 20 }, { where = { u = { ["$gt"] = 50 } }, sort = "u",
      limit = 20 } } do
      local explained = c:explain(query)
      same({ 20, 20, false }, { explained.keys_scanned, explained.documents_scanned, explained.sorted })
    end
  end)
end)
