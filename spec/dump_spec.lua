-- store:dump: a store as JSON Lines.
local larder = require "larder"
local stocked = require "stocked"
local support = require "support"
local on_each_engine, raises = support.on_each_engine, support.raises

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

on_each_engine("store:dump", function(given)
  it("is a line for each thing, between a header and a trailer", function()
    given.store:collection("plans", { indexes = { "status" } }):put { id = 1, status = "open" }
    given.store:collection("plans", { version = 2 }):put { id = 2 }
    given.store:map("seen"):set({ "a", 1 }, 1.0)
    local path = support.folder() .. "/dump.jsonl"
    local counts = given.store:dump(path)
    local lines = lines_of(support.read_file(path))
    local at = '"at":"20%d%d%-%d%d%-%d%dT[%d:.]+Z"'
    assert.truthy(lines[1]:find('^{"larder":"dump","format":1,' .. at .. ',"by":"[%d.]+","sequence":%d+,"rooms":0,'), lines[1])
    local indexes = '"indexes":[{"name":"status","parts":["status"]}]'
    assert.are.equal('{"kind":"collection","collection":"plans","declaration":{"key":"id","version":2,' .. indexes .. "}}", lines[2])
    local document = lines[3]:gsub('"status":"open","id":1', '"id":1,"status":"open"')
    assert.are.equal('{"kind":"document","collection":"plans","document":{"id":1,"status":"open"}}', document)
    assert.are.equal('{"kind":"document","collection":"plans","version":2,"document":{"id":2}}', lines[4])
    assert.are.equal('{"kind":"entry","map":"seen","key":["a",1],"value":{"$numberDouble":"1.0"}}', lines[5])
    assert.truthy(lines[6]:find('^{"larder":"end","lines":5,"bytes":%d+,"crc32c":"' .. ("%x"):rep(8) .. '","rooms":0,'), lines[6])
    assert.are.equal(6, #lines)
    assert.are.equal(2, counts.documents)
    assert.are.equal(1, counts.entries)
  end)

  it("writes through a function, a file, and to a path, all the same", function()
    stocked.fill(given.store)
    local path, parts = support.folder() .. "/d", {}
    given.store:dump(function(part) parts[#parts + 1] = part end)
    do
      local file <close> = assert(io.open(path .. "1", "wb"))
      given.store:dump(file)
    end
    given.store:dump(path .. "2")
    local function body(text) return (text:gsub("^[^\n]*\n", ""):gsub("[^\n]*\n$", "")) end
    assert.are.equal(body(table.concat(parts)), body(support.read_file(path .. "1")))
    assert.are.equal(body(table.concat(parts)), body(support.read_file(path .. "2")))
  end)

  it("leaves a file that is there, unless told to replace it, and nothing half-written", function()
    stocked.fill(given.store)
    local folder = support.folder()
    local path = folder .. "/dump"
    support.write_file(path, "precious")
    raises("EXISTS", "dump", given.store.dump, given.store, path)
    assert.are.equal("precious", support.read_file(path))
    pcall(given.store.dump, given.store, path, { overwrite = true, progress = function() error "stop" end })
    assert.are.equal("precious", support.read_file(path))
    collectgarbage()
    assert.are.equal("dump\n", io.popen(("ls -A '%s'"):format(folder)):read "a")
    given.store:dump(path, { overwrite = true })
    assert.truthy(support.read_file(path):find '^{"larder":"dump"')
    raises("INVALID", "nowhere", given.store.dump, given.store, folder .. "/nowhere/dump")
  end)

  it("is of one snapshot, and tells its progress", function()
    stocked.fill(given.store)
    local before, parts, last, total = stocked.text(given.store), {}, nil, nil
    for i = 1, 6000 do given.store:map("many"):set(i, ("x"):rep(100)) end
    given.store:map("many"):delete_range {}
    given.store:dump(function(part)
      parts[#parts + 1] = part
      given.store:map("seen"):set({ "new", #parts }, 1)
    end, { progress = function(done, all) last, total = done, all end })
    assert.are.equal(before, (table.concat(parts):gsub("^[^\n]*\n", ""):gsub("[^\n]*\n$", "")))
    assert.are.equal(total, last)
    assert.is_true(total > 100)
  end)

  it("takes single collections", function()
    stocked.fill(given.store)
    local parts = {}
    local counts = given.store:dump(function(part) parts[#parts + 1] = part end, { collections = { "versioned" } })
    assert.are.equal(2, counts.documents)
    assert.are.equal(5, #lines_of(table.concat(parts)))
    local path = support.folder() .. "/d"
    support.write_file(path, "precious")
    raises("INVALID", "nowhere", given.store.dump, given.store, path, { overwrite = true, collections = { "versioned", "nowhere" } })
    assert.are.equal("precious", support.read_file(path))
  end)

  it("is read by jq, which makes a table for a spreadsheet of it", function()
    if not os.execute "command -v jq >/dev/null" then return pending "jq is not here" end
    stocked.fill(given.store)
    local path = support.folder() .. "/d"
    local counts = given.store:dump(path)
    local function jq(filter) return io.popen(("unset LD_PRELOAD; jq -r '%s' '%s'"):format(filter, path)):read "a" end
    assert.are.equal(counts.rows + counts.documents + counts.rooms + counts.entries + counts.jobs + counts.collections + counts.queues,
      select(2, jq("select(.kind).kind"):gsub("\n", "")))
    local plans = "select(.kind == \"document\" and .collection == \"plans\").document | [.id, .status, .tags[0], .n] | @csv"
    assert.are.equal('1,"s1","t1",1\n2,"s2","t2",2\n3,"s3","t0",3\n', jq(plans):match "^[^\n]*\n[^\n]*\n[^\n]*\n")
    assert.are.equal(59, select(2, jq(plans):gsub("\n", "")))
    assert.are.equal("room-3\n", jq("select(.kind == \"room\" and .room.n == 3).room.roomName"))
  end)

  it("refuses what it cannot do", function()
    raises("INVALID", "zstd", given.store.dump, given.store, support.folder() .. "/d.zst")
    raises("INVALID", "progres", given.store.dump, given.store, "x", { progres = print })
    raises("INVALID", "path", given.store.dump, given.store, 5)
    raises("INVALID", "NUL", given.store.dump, given.store, "a\0b")
    given.store:close()
    raises("CLOSED", nil, given.store.dump, given.store, support.folder() .. "/d")
  end)

  it("raises what a writer raises, and goes on living", function()
    stocked.fill(given.store)
    local ok, problem = pcall(given.store.dump, given.store, function() error("disk", 0) end)
    assert.is_false(ok)
    assert.are.equal("disk", problem)
    assert.is_true(#stocked.text(given.store) > 1000)
    assert.are.equal(0, given.store:stats().readers)
  end)

  it("writes what is in a transaction, too", function()
    given.store:update(function(tx)
      tx:map("m"):set("k", "inside")
      local parts = {}
      tx:dump(function(part) parts[#parts + 1] = part end)
      assert.truthy(table.concat(parts):find("inside", 1, true))
    end)
  end)
end)

describe("the files of MovieLens rooms", function()
  local folder = "../shared/data/movielens-rooms"

  it("are equal when imported, dumped, loaded into memory, copied to LMDB and exported", function()
    if not io.open(folder .. "/room-001.json") then return pending "../shared is not there" end
    local work = support.folder()
    local first <close> = larder.open("lmdb:" .. work .. "/first?durability=none")
    assert.are.equal(153, first:rooms():import(folder))
    first:dump(work .. "/dump.jsonl")
    local memory <close> = larder.open "memory:"
    assert.are.equal(153, larder.load(work .. "/dump.jsonl", memory).rooms)
    local second <close> = larder.open("lmdb:" .. work .. "/second?durability=none")
    assert.are.equal(153, larder.copy(memory, second).rooms.count)
    local same_stats = { first:rooms():stats(), second:rooms():stats() }
    support.same(same_stats[1], same_stats[2])
    assert.are.equal(100836, second:rooms():stats().ratings)
    first:rooms():export(work .. "/a")
    second:rooms():export(work .. "/b")
    assert.is_true(os.execute(("diff -r '%s/a' '%s/b'"):format(work, work)))
    local imported <close> = larder.open "memory:"
    imported:rooms():import(folder)
    for name, room in imported:rooms():each { ratings = true } do
      local stored = second:rooms():get(name)
      stored.password = nil
      support.same(room, stored)
    end
    support.remove_folders()
  end)
end)
