local larder = require "larder"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local function ids(documents)
  local list = {}
  for i, document in ipairs(documents) do list[i] = document.id end
  return list
end

on_each_engine("cursors", function(given)
  local list
  before_each(function()
    list = given.store:collection "list"
    given.store:update(function(tx)
      for i = 1, 30 do tx:collection("list"):put { id = i % 2 == 0 and i or "s" .. i, n = i % 4, tags = { i, -i } } end
    end)
  end)

  local sorts = { { "id" }, {}, { "n" }, { "-n" }, { "n", "-tags" }, { "-tags.0" }, { "missing", "-id" } }

  local function pages(query, between)
    local all, cursor = {}, nil
    repeat
      local page
      query.after = cursor
      page, cursor = list:find(query)
      table.move(page, 1, #page, #all + 1, all)
      assert.is_true(cursor == nil or type(cursor) == "string")
      if between then between(page, #all) end
    until not cursor
    return ids(all)
  end

  it("go on behind the page, whatever the sort", function()
    for _, sort in ipairs(sorts) do
      local all = ids((list:find { sort = sort }))
      for _, limit in ipairs { 1, 7, 15, 29, 30, 31 } do same(all, pages { sort = sort, limit = limit }) end
      same(all, pages { sort = sort, limit = 4, select = { "nothing" } })
    end
  end)

  it("come only when there may be more", function()
    for _, sort in ipairs(sorts) do
      for _, query in ipairs { {}, { limit = 30 }, { limit = 31 }, { limit = 0 }, { limit = 20, offset = 10 },
        { limit = 2, where = { n = 9 } } } do
        query.sort = sort
        assert.are.equal(1, select("#", list:find(query)))
      end
      assert.are.equal("string", type(select(2, list:find { sort = sort, limit = 29 })))
      assert.are.equal("string", type(select(2, list:find { sort = sort, limit = 19, offset = 10 })))
    end
  end)

  it("keep their place while others come and go", function()
    for _, sort in ipairs(sorts) do
      local all = ids((list:find { sort = sort }))
      local got = pages({ sort = sort, limit = 7 }, function(page, count)
        list:put { id = "guest" .. count, n = -1, tags = { -1000 - count } }
        list:put { id = "guest" .. count .. "a", n = 9, tags = { 1000 + count } }
        page = page[#page] -- the place of a document that is gone is still a place
        given.store:update(function(tx)
          tx:collection("list"):delete(page.id)
          tx:collection("list"):put(page)
        end)
      end)
      local steady = {}
      for _, id in ipairs(got) do
        if not tostring(id):find "guest" then steady[#steady + 1] = id end
      end
      same(all, steady)
      list:delete_where { n = { ["$in"] = { -1, 9 } } }
    end
  end)

  it("go on where a document was deleted", function()
    local page, cursor = list:find { sort = "-id", limit = 5 }
    local rest = ids((list:find { sort = "-id", offset = 5 }))
    for _, document in ipairs(page) do list:delete(document.id) end
    same(rest, ids((list:find { sort = "-id", after = cursor })))
  end)

  it("are refused when they are of another sort, or none", function()
    local _, cursor = list:find { sort = "n", limit = 5 }
    for _, sort in ipairs { {}, { "-n" }, { "n", "id" }, { "tags" } } do
      raises("INVALID", { "after", "another sort" }, list.find, list, { sort = sort, after = cursor })
    end
    for _, bad in ipairs { "", "x", cursor .. "x", cursor:sub(1, -2), cursor:gsub("^.", "_"), "\0", ("A"):rep(40) } do
      raises("INVALID", "after", list.find, list, { sort = "n", after = bad })
    end
    same(25, #list:find { sort = { "n" }, after = cursor })
  end)

  it("survive a new handle, a new store", function()
    local place = given.engine.place()
    local function fill(store)
      for i = 1, 9 do store:collection("l"):put { id = i } end
    end
    local first <close> = larder.open(place)
    fill(first)
    local _, cursor = first:collection("l"):find { sort = "-id", limit = 4 }
    first:close()
    local second <close> = larder.open(place)
    if not given.engine.durable then fill(second) end
    same({ 5, 4, 3, 2, 1 }, ids((second:collection("l"):find { sort = "-id", after = cursor })))
  end)
end)
