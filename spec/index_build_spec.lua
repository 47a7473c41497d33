-- Indexes built over documents that are there, while other processes write, die, and declare.
local larder = require "larder"
local port = require "larder_port"
local support = require "support"

local on_each_engine, same, raises = support.on_each_engine, support.same, support.raises

local BUILDING = "it is still being built"

local function reason_of(explained, name)
  for _, candidate in ipairs(explained.candidates) do
    if candidate.index == name then return candidate.reason end
  end
end

--- What is found by the index is what is there.
local function check_index(collection, name, documents, values)
  for value = 0, values do
    local wanted = {}
    for _, document in pairs(documents) do
      local list = type(document.a) == "table" and document.a or { document.a }
      if list[1] == value or list[2] == value then wanted[#wanted + 1] = document.id end
    end
    table.sort(wanted)
    local found = {}
    for i, document in ipairs(collection:find { where = { a = value } }) do found[i] = document.id end
    same(wanted, found)
    assert.are.equal(name, collection:explain { where = { a = value } }.index)
  end
end

on_each_engine("building an index", function(given)
  local c
  before_each(function()
    c = given.store:collection "c"
    given.store:update(function(tx)
      for i = 1, 1200 do tx:collection("c"):put { id = i, a = i % 7, b = i % 600 } end
    end)
  end)

  it("takes in what is there, in batches", function()
    local entries = given.store:stats().entries
    given.store:collection("c", { indexes = { "a" } })
    assert.are.equal(entries + 1200, given.store:stats().entries)
    local documents = c:find()
    check_index(c, "a", documents, 8)
  end)

  it("that has to be unique names the first two that clash, and leaves nothing", function()
    local entries = given.store:stats().entries
    local declaration = { indexes = { { "b", unique = true } } }
    raises("EXISTS", { '"b"', "documents 1 and 601" }, given.store.collection, given.store, "c", declaration)
    given.store:update(function(tx)
      raises("EXISTS", { '"b"', "documents 1 and 601" }, tx.collection, tx, "c", declaration)
      tx:collection("c"):put { id = 0, b = 1 }
    end)
    c:delete(0)
    support.none(c:indexes())
    assert.are.equal(entries, given.store:stats().entries)
    c:put { id = 2000, b = 1 }
    c:delete(2000)
    c:delete_where { id = { ["$gt"] = 600 } }
    given.store:collection("c", declaration)
    raises("EXISTS", { "documents 1 and 601" }, c.create, c, { id = 601, b = 1 })
  end)

  it("leaves an index alone that is there", function()
    given.store:collection("c", { indexes = { "a", { "b", name = "beta" } } })
    local entries = given.store:stats().entries
    raises("EXISTS", nil, given.store.collection, given.store, "c", { indexes = { "a", { "b", unique = true } } })
    same({ 2, "a", "beta" }, { #c:indexes(), c:indexes()[1].name, c:indexes()[2].name })
    assert.are.equal(entries, given.store:stats().entries)
    assert.are.equal("beta", c:explain { where = { b = 1 } }.index)
  end)
end)

describe("building an index beside other processes", function()
  local directory, store, c, documents

  local function open()
    return larder.open { engine = "lmdb", path = directory .. "/store", durability = "none" }
  end

  --- Runs work(store) in a process of its own; returns its pid. It ends with 0 when that returns, with 2 when it raises EXISTS.
  local function child(work)
    local pid = assert(port.fork())
    if pid ~= 0 then return pid end
    local ok, problem = pcall(function()
      local own <close> = open()
      work(own)
    end)
    if not ok and problem.code ~= "EXISTS" then io.stderr:write("child: ", tostring(problem), "\n") end
    port._exit(ok and 0 or problem.code == "EXISTS" and 2 or 1)
  end

  local function expect(code, pid)
    local _, how, got = port.waitpid(pid)
    same({ "exited", code }, { how, got })
  end

  before_each(function()
    directory = assert(port.temp_dir())
    store = open()
    c, documents = store:collection "c", {}
    store:update(function(tx)
      for i = 1, 15000 do
        documents[i] = { id = i, a = i % 50, u = i % 14999 }
        tx:collection("c"):put(documents[i])
      end
    end)
  end)
  after_each(function()
    store:close()
    port.remove_dir(directory)
  end)

  local function declare(own) own:collection("c", { indexes = { "a" } }) end

  --- One change; `documents` goes along.
  local function change()
    local id = math.random(16000)
    local dice = math.random(4)
    if dice == 1 then
      documents[id] = nil
      c:delete(id)
    elseif dice == 2 and documents[id] then
      documents[id].a = larder.array { math.random(0, 50), math.random(0, 50) }
      c:update(id, { a = documents[id].a })
    else
      documents[id] = { id = id, a = math.random(0, 50), u = id }
      c:put(documents[id])
    end
  end

  it("misses nothing that another one writes, whose handle was there before", function()
    support.at_random(function()
      local pid = child(declare)
      local building, ended = 0, 0
      while ended == 0 do
        for _ = 1, 5 do change() end
        local explained = c:explain { where = { a = 7 } }
        if reason_of(explained, "a") == BUILDING then
          assert.is_false(explained.index)
          building = building + 1
        end
        local how, code
        ended, how, code = port.waitpid(pid, true)
        if ended ~= 0 then same({ "exited", 0 }, { how, code }) end
      end
      assert.is_true(building > 0, "it was never seen while it was built")
      check_index(c, "a", documents, 50)
      for _ = 1, 100 do change() end
      check_index(c, "a", documents, 50)
    end)
  end)

  --- Kills a builder between two batches, or in one; true when the index is there and not ready.
  local function kill_builder()
    local pid = child(declare)
    repeat
      local index = c:indexes()[1]
    until index
    local tx = math.random(2) == 1 and store:begin "write"
    port.kill(pid, 9)
    if tx then tx:rollback() end
    port.waitpid(pid)
    return not c:indexes()[1].ready
  end

  it("goes on where one that was killed had stopped", function()
    support.at_random(function()
      local halves = 0
      for _ = 1, 6 do
        local half = kill_builder()
        halves = halves + (half and 1 or 0)
        local explained = c:explain { where = { a = 7 } }
        same({ half and BUILDING or nil, not half and "a" }, { half and reason_of(explained, "a") or nil, explained.index })
        for _ = 1, 100 do change() end
        local count = 0
        for _, document in pairs(documents) do count = count + (document.a == 7 and 1 or 0) end
        assert.are.equal(count, c:count { a = { ["$eq"] = 7, ["$type"] = "int", ["$not"] = { ["$size"] = 2 } }, ["a.0"] = {
          ["$exists"] = false } })
        if half then expect(0, child(declare)) end
        check_index(c, "a", documents, 50)
        c:drop_index "a"
      end
      assert.is_true(halves > 0, "each builder was done before it was killed")
    end)
  end)

  it("that several declare is built once, and those that they declare besides", function()
    local pids, entries = {}, store:stats().entries
    for i = 1, 4 do
      pids[i] = child(function(own) own:collection("c", { indexes = { "a", { "u", "a", name = "u" .. i // 2 } } }) end)
    end
    for _, pid in ipairs(pids) do expect(0, pid) end
    assert.are.equal(entries + 4 * 15000, store:stats().entries)
    for _, index in ipairs(c:indexes()) do assert.is_true(index.ready) end
    check_index(c, "a", documents, 50)
  end)

  it("that cannot be unique is an error for each that declares it", function()
    local pids, entries = {}, store:stats().entries
    for i = 1, 4 do pids[i] = child(function(own) own:collection("c", { indexes = { { "u", unique = true } } }) end) end
    for _, pid in ipairs(pids) do expect(2, pid) end
    support.none(c:indexes())
    assert.are.equal(entries, store:stats().entries)
  end)
end)
