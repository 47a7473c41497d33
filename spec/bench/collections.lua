-- collections.lua -- the rows about documents: getting, finding, creating them, and many of them. As in rows.lua.
local data = require "spec.bench.data"
local fixture = require "spec.bench.fixture"
local larder = require "larder"
local measure = require "spec.bench.measure"
local sides = require "spec.bench.collection_sides"

local collections = {}

local FEW, COUNT, MILLION = 1000, 100000, 1000000
local BATCH = 10000 -- documents in a transaction that fills a store
local CREATED = 1000 -- in the transaction that is measured

-- Stores of `count` documents, one a side.
local function fill(open, path, count, durable)
  local side = open(path, durable)
  for first = 1, count, BATCH do
    local documents = {}
    for i = first, math.min(first + BATCH - 1, count) do
      documents[#documents + 1] = data.document(i, count)
    end
    side.create_all(documents)
  end
  return side
end

local function open_all(count, durable)
  local stores = {}
  for _, name in ipairs(sides.order) do
    stores[name] = fill(sides.open[name], data.folder(), count, durable)
  end
  return stores
end

local function close_all(stores)
  for _, side in pairs(stores) do
    side.close()
  end
end

-- One contestant a side: `op(side, i)` the i-th time.
local function contest(stores, op)
  local contestants = {}
  for name, side in pairs(stores) do
    contestants[name] = {
      run = function(n)
        for i = 1, n do
          op(side, i)
        end
      end,
    }
  end
  return contestants
end

-- ---- get ----

-- The same rooms, as rooms and as documents whose id is the name.
function collections.get()
  local store = larder.open { engine = "lmdb", path = data.folder(), durability = "none" }
  local rooms, documents = store:rooms(), store:collection("rooms", { key = "roomName" })
  store:update(function(tx)
    for i = 1, FEW do
      tx:rooms():save(data.small_room(i))
      tx:collection("rooms"):create(data.small_room(i))
    end
  end)
  local names, configuration = {}, { ratings = false }
  for i = 1, FEW do
    names[i] = data.name(i)
    assert(data.same(rooms:get(names[i], configuration), (documents:get(names[i]))))
  end
  local function get_room(_, i) return rooms:get(names[i % FEW + 1], configuration) end
  local function get_document(_, i) return documents:get(names[i % FEW + 1]) end
  return {
    clock = measure.cpu,
    rows = {
      { title = "get the configuration of a room", contestants = contest({ larder = rooms }, get_room) },
      { title = "get the same by id, a document", contestants = contest({ larder = documents }, get_document),
        target = { row = 1, limit = 1.15 } },
    },
    close = function() store:close() end,
  }
end

-- ---- find ----

local function filter_in_lua(side)
  local found = {}
  for document in side.each() do
    if document.owner.team == "blue" and document.priority >= 9 then
      found[#found + 1] = document
    end
  end
  return found
end

local function filter_in_store(side) return side.matching("blue", 9) end

-- Everybody's documents in turn, in no order.
local function find_of(count)
  local emails = {}
  for i = 1, math.min(count // 20, 5000) do
    emails[i] = data.email(i * 31, count)
  end
  return function(side, i) assert(#side.of(emails[i % #emails + 1]) == 20) end
end

local function find_newest(side) assert(#side.newest "running" == 20) end

local function check_answers(stores, count)
  local function ask(what)
    fixture.agree("find", function(name) return what(stores[name]) end, nil, sides)
  end
  ask(function(side) return side.get(data.document(17, count).id) end)
  ask(function(side) return side.of(data.email(3, count)) end)
  ask(function(side) return side.newest "running" end)
  ask(filter_in_store)
  for _, side in pairs(stores) do
    assert(#filter_in_store(side) == count // 100)
    assert(data.same(filter_in_store(side), filter_in_lua(side)))
  end
end

function collections.find()
  local stores = open_all(COUNT, false)
  check_answers(stores, COUNT)
  local target = { side = "sqlite", limit = 1 / 3 }
  return {
    clock = measure.cpu,
    rows = {
      { title = "load 100,000 documents, filter in Lua", contestants = contest(stores, filter_in_lua) },
      { title = "find the same 1 % without an index", contestants = contest(stores, filter_in_store),
        target = { row = 1, limit = 1 / 5 } },
      { title = "find 20 of 100,000 by an index", contestants = contest(stores, find_of(COUNT)), target = target },
      { title = "find the first 20 of an order by an index", contestants = contest(stores, find_newest), target = target },
    },
    close = function() close_all(stores) end,
  }
end

-- ---- create ----

-- The documents come in no order.
local function documents_from(first)
  local documents = {}
  for i = 1, CREATED do
    documents[i] = data.document(first + i * 7919 % CREATED, COUNT)
  end
  return documents
end

local function create_one(side, least)
  local made, documents = 0, nil
  return {
    least = least,
    prepare = function(n)
      documents = {}
      for i = 1, n do
        documents[i] = data.document(COUNT + made + i, COUNT)
      end
      made = made + n
    end,
    run = function(n)
      for i = 1, n do
        side.create(documents[i])
      end
    end,
  }
end

local function create_rows(durable, clock, least, titles)
  local stores, single, new, documents = open_all(FEW, durable), {}, {}, documents_from(0)
  for name, side in pairs(stores) do
    single[name] = create_one(side, least)
    new[name] = fixture.fresh(name, durable, 10, function(store) store.create_all(documents) end, sides)
  end
  local target = { side = "sqlite", limit = 1 / 2 }
  return {
    clock = clock,
    turns = durable and 20 or 1,
    rows = {
      { title = titles[1], contestants = single, target = not durable and target or nil },
      { title = titles[2], contestants = new, target = target },
    },
    close = function() close_all(stores) end,
  }
end

function collections.create_durable()
  return create_rows(true, measure.wall, 100,
    { "create with two indexes, durable", "1,000 creates in one transaction, durable" })
end

function collections.create_unsynced()
  return create_rows(false, measure.cpu, nil,
    { "create with two indexes, not durable", "1,000 creates in one transaction, not durable" })
end

-- ---- many ----

function collections.many()
  local few = fill(sides.open.larder, data.folder(), FEW, false)
  local path = data.folder()
  local many = fill(sides.open.larder, path, MILLION, false)
  many.close()
  local walked = measure.walk("documents", "larder", path, MILLION)
  many = sides.open.larder(path, false)
  return {
    clock = measure.cpu,
    rows = {
      { title = "find 20 of 1,000 by an index", contestants = contest({ larder = few }, find_of(FEW)) },
      { title = "find 20 of 1,000,000 by an index", contestants = contest({ larder = many }, find_of(MILLION)),
        target = { row = 1, limit = 2 } },
    },
    memory = { title = "memory that each of 1,000,000 took", bytes = { larder = walked }, limit = 20 << 20 },
    close = function() close_all { few, many } end,
  }
end

return collections
