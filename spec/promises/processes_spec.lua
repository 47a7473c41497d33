-- Several processes on one store, and servers that fork after opening.
local larder = require "larder"
local port = require "larder_port"

local directory

-- Run the function in a child; returns its pid. A child that raises ends with 1 and says why.
local function child(work, ...)
  local pid = assert(port.fork())
  if pid ~= 0 then return pid end
  local ok, problem = pcall(work, ...)
  if not ok then io.stderr:write("child: ", tostring(problem), "\n") end
  port._exit(ok and 0 or 1)
end

local function expect_success(pid)
  local _, how, code = port.waitpid(pid)
  assert.are.same({ "exited", 0 }, { how, code })
end

local function url()
  return "lmdb:" .. directory .. "/store"
end

local function rate_many(rooms, user, from, to, step)
  for i = from, to, step or 1 do rooms:rate("shared", user, "movie-" .. i, "like", i) end
end

local function count(map)
  local sum = 0
  for _ in pairs(map) do sum = sum + 1 end
  return sum
end

describe("several processes on one store", function()
  before_each(function() directory = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(directory) end)

  it("lose no rating in one room, and progress adds up", function()
    do
      local store <close> = larder.open(url())
      store:rooms():save{ roomName = "shared" }
    end
    local work = function(user, from)
      local store <close> = larder.open(url())
      rate_many(store:rooms(), user, 1, 150)         -- the same media as the other process
      rate_many(store:rooms(), "both", from, 300, 2) -- the same user as the other process
    end
    local first, second = child(work, "ada", 1), child(work, "grace", 2)
    expect_success(first)
    expect_success(second)
    local store <close> = larder.open(url())
    local room = store:rooms():get "shared"
    assert.are.same({ ada = 150, grace = 150, both = 300 }, room.userProgress)
    assert.are.equal(300, count(room.ratings))
    assert.are.equal(600, store:rooms():stats().ratings)
    for i = 1, 150 do assert.are.equal(3, #room.ratings["movie-" .. i]) end
    assert.are.equal(150, #store:rooms():matches("shared", "ada"))
  end)

  it("make one store together when all of them find none", function()
    local pids = {}
    for i = 1, 6 do
      pids[i] = child(function()
        local store <close> = larder.open(url())
        store:rooms():save{ roomName = "by-" .. i }
      end)
    end
    for _, pid in ipairs(pids) do expect_success(pid) end
    local store <close> = larder.open(url())
    assert.are.equal(6, #store:rooms():list())
  end)
end)

describe("a server that opens and then forks", function()
  before_each(function() directory = assert(port.temp_dir()) end)
  after_each(function() port.remove_dir(directory) end)

  -- The process that opened is a child of the spec's, so that it may exit.
  it("daemonizes: the parent exits, the child works on", function()
    local from, to = port.pipe()
    expect_success(child(function()
      local store = larder.open(url())
      local rooms = store:rooms()
      rooms:save{ roomName = "before" }
      if port.fork() == 0 then
        port.sleep(0.05) -- the parent is gone
        local ok, problem = pcall(function()
          assert(rooms:has "before")
          rooms:save{ roomName = "after" }
          store:close()
        end)
        port.write(to, ok and "done" or tostring(problem))
        os.exit(0, true)
      end
      os.exit(0, true)
    end))
    port.close(to)
    assert.are.equal("done", port.read(from))
    port.close(from)
    local store <close> = larder.open(url())
    assert.is_true(store:rooms():has "after")
  end)

  it("preforks four workers on one handle", function()
    local store <close> = larder.open(url())
    local rooms = store:rooms()
    rooms:save{ roomName = "shared" }
    local pids = {}
    for i = 1, 4 do
      pids[i] = child(function() rate_many(rooms, "worker-" .. i, 1, 50) end)
    end
    rate_many(rooms, "parent", 1, 50)
    for _, pid in ipairs(pids) do expect_success(pid) end
    assert.are.equal(250, rooms:stats().ratings)
    assert.are.equal(50, rooms:get("shared").userProgress["worker-3"])
  end)

  it("keeps its open transactions when a child exits, collects or misuses them", function()
    local store <close> = larder.open(url())
    local tx = store:begin "write"
    tx:rooms():save{ roomName = "mine" }
    local reader = store:begin "read"
    expect_success(child(function()
      local _, e = pcall(tx.rooms(tx).save, tx:rooms(), { roomName = "theirs" })
      assert(e.code == "MISUSE", tostring(e))
      _, e = pcall(reader.rooms(reader).has, reader:rooms(), "mine")
      assert(e.code == "MISUSE", tostring(e))
      reader = nil
      collectgarbage()
      collectgarbage()
    end))
    local pid = port.fork()
    if pid == 0 then os.exit(0, true) end
    expect_success(pid)
    assert.is_false(reader:rooms():has "mine")
    tx:commit()
    assert.is_false(reader:rooms():has "mine")
    reader:rollback()
    assert.is_true(store:rooms():has "mine")
    assert.are.equal(0, store:stats().readers - 0)
  end)

  it("lets the child's child use it too", function()
    local store <close> = larder.open(url())
    expect_success(child(function()
      store:rooms():save{ roomName = "child" }
      expect_success(child(function() store:rooms():save{ roomName = "grandchild" } end))
      assert(store:rooms():has "grandchild")
    end))
    assert.are.equal(2, #store:rooms():list())
  end)
end)
