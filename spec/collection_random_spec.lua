-- Queries at random, against a plain Lua model: documents, filters, sorts, pages.
-- LARDER_SEED repeats a run, LARDER_QUERIES makes it longer.
local larder = require "larder"
local model = require "model_query"
local random = require "random_query"
local support = require "support"
local values = require "model_values"

local on_each_engine, same = support.on_each_engine, support.same

local QUERIES = math.tointeger(os.getenv "LARDER_QUERIES") or 2500

local pick, paths = random.pick, random.paths

--- Documents by id, in the collection as well.
local function fill(store, count)
  local documents = {}
  store:update(function(tx)
    for _ = 1, count do
      local document = random.document(random.id())
      documents[document.id] = document
      tx:collection("c"):put(document)
    end
  end)
  return documents
end

local function random_sort()
  local sort = {}
  for i = 1, math.random(0, 3) do sort[i] = pick { "", "-" } .. pick(paths) end
  if #sort == 1 and math.random(2) == 1 then return sort[1] end
  return sort
end

local function random_query(documents)
  local query = { where = math.random(5) > 1 and random.filter(documents, 2) or nil, sort = random_sort() }
  if math.random(2) == 1 then query.limit = math.random(0, 20) end
  if math.random(3) == 1 then query.offset = math.random(0, 20) end
  return query
end

local function shown(value)
  if type(value) == "string" then return ("%q"):format((value:gsub("long", ""))) end
  if type(value) ~= "table" then return value == larder.null and "null" or tostring(value) end
  local parts = {}
  for key, field in pairs(value) do parts[#parts + 1] = ("[%s]=%s"):format(shown(key), shown(field)) end
  return (values.is_array(value) and "array" or "") .. "{" .. table.concat(parts, ", ") .. "}"
end

local function ids_of(documents)
  local ids = {}
  for i, document in ipairs(documents) do ids[i] = document.id end
  return ids
end

local function check(query, wanted, got)
  local ids, found = shown(ids_of(wanted)), shown(ids_of(got))
  if ids ~= found then
    local told = {}
    for i, document in ipairs(wanted) do told[#told + 1] = i <= 5 and "wanted " .. shown(document) or nil end
    for i, document in ipairs(got) do told[#told + 1] = i <= 5 and "got " .. shown(document) or nil end
    error(("%s: wanted %s, got %s\n%s"):format(shown(query), ids, found, table.concat(told, "\n")), 0)
  end
  for i, document in ipairs(wanted) do same(document, got[i]) end
end

--- The same query page by page.
local function in_pages(collection, query)
  local all, cursor = {}, nil
  local limit = math.random(1, 7)
  repeat
    local wanted = query.limit and math.min(limit, query.limit - #all) or limit
    local offset = cursor == nil and query.offset or nil
    local page
    page, cursor = collection:find { where = query.where, sort = query.sort, limit = wanted, offset = offset, after = cursor }
    assert(#page <= wanted and (not cursor or #page == wanted), "a page of a wrong length")
    table.move(page, 1, #page, #all + 1, all)
  until not cursor or #all == query.limit
  return all
end

local function in_steps(collection, query)
  local all = {}
  for document in collection:each(query) do all[#all + 1] = document end
  return all
end

--- Queries that an index was chosen for.
local used = 0

--- With `indexes`, half of the queries are for one of them.
local function ask(collection, documents, list, indexes)
  local query = random_query(list)
  if indexes and #indexes > 0 and math.random(2) == 1 then
    local limit, offset = query.limit, query.offset
    query = random.query_for(list, pick(indexes))
    query.limit, query.offset = limit, offset
  end
  if collection:explain(query).index then used = used + 1 end
  local wanted = model.find(documents, query)
  check(query, wanted, (collection:find(query)))
  check(query, { wanted[1] }, { collection:first(query) })
  local dice = math.random(4)
  if dice == 1 then check(query, wanted, in_pages(collection, query)) end
  if dice == 2 then check(query, wanted, in_steps(collection, query)) end
  if dice == 3 then
    local all = model.find(documents, { where = query.where })
    assert.are.equal(#all, collection:count(query.where), shown(query))
  end
  if dice == 4 then
    local field = pick(paths)
    local distinct, got = model.distinct(documents, field, query.where or {}), collection:distinct(field, query.where)
    assert(values.same(larder.array(distinct), got), shown { field, query, distinct, got })
  end
end

local function list_of_all(documents)
  return model.find(documents, {})
end

--- Some documents come, go and change.
local function stir(collection, documents)
  for _ = 1, 30 do
    local id = random.id()
    local dice = math.random(3)
    if dice == 1 then
      assert.are.equal(documents[id] ~= nil, collection:delete(id))
      documents[id] = nil
    elseif dice == 2 then
      documents[id] = random.document(id)
      collection:put(documents[id])
    elseif documents[id] then
      documents[id].b = random.document(id).b
      collection:update(id, { b = documents[id].b == nil and larder.remove or documents[id].b })
    end
  end
end

on_each_engine("queries at random", function(given)
  local queries = given.engine.name == "file" and QUERIES // 5 or QUERIES -- above the port it is the memory engine
  it("find what the model finds", function()
    support.at_random(function()
      for _ = 1, queries // 250 do
        local documents = fill(given.store, math.random(80))
        local list = list_of_all(documents)
        for _ = 1, 250 do ask(given.store:collection "c", documents, list) end
        given.store:drop "c"
      end
    end)
  end)

  it("find it with indexes, too", function()
    support.at_random(function()
      used = 0
      for _ = 1, queries // 50 do
        given.store:collection("c", { indexes = random.indexes { random.document(1) } })
        local documents = fill(given.store, math.random(80))
        local list = list_of_all(documents)
        local indexes = random.indexes(list)
        local collection = given.store:collection("c", { indexes = indexes, replace = true })
        for _ = 1, 25 do ask(collection, documents, list, indexes) end
        stir(collection, documents)
        list = list_of_all(documents)
        for _ = 1, #list > 0 and 25 or 0 do ask(collection, documents, list, indexes) end
        given.store:drop "c"
      end
      assert.is_true(used > queries / 20, used .. " queries used an index")
    end)
  end)

  it("find it in a transaction that writes, too", function()
    support.at_random(function()
      given.store:update(function(tx)
        local documents = fill(tx, 40)
        local list = list_of_all(documents)
        for _ = 1, 200 do ask(tx:collection "c", documents, list) end
      end)
    end)
  end)

  it("change and delete what the model finds", function()
    support.at_random(function()
      local collection = given.store:collection "c"
      for i = 1, 40 do
        local documents = fill(given.store, 60)
        local list = list_of_all(documents)
        local where = random.filter(list, 2)
        local found = model.find(documents, { where = where })
        assert.are.equal(#found, collection:update_where(where, { mark = i, a = larder.remove }), shown(where))
        for _, document in ipairs(found) do document.mark, document.a = i, nil end
        where = random.filter(list_of_all(documents), 1)
        found = model.find(documents, { where = where })
        assert.are.equal(#found, collection:delete_where(where), shown(where))
        for _, document in ipairs(found) do documents[document.id] = nil end
        check({}, list_of_all(documents), (collection:find()))
        given.store:drop "c"
      end
    end)
  end)
end)
