--- The directory of a `file:` store: what its files are called, and what stands in them.
local busted = require "busted"
local assert = require "luassert"
local larder = require "larder"
local support = require "support"
local describe, it, before_each, after_each = busted.describe, busted.it, busted.before_each, busted.after_each
local raises, same = support.raises, support.same

local folder, store

local function open(more)
  local options = { engine = "file", path = folder, durability = "none" }
  for name, value in pairs(more or {}) do options[name] = value end
  store = larder.open(options)
  return store
end

local function reopen(more)
  store:close()
  return open(more)
end

local function read(name) return support.read_file(folder .. "/" .. name) end
local function write(name, text) return support.write_file(folder .. "/" .. name, text) end

local function files(below)
  local list = {}
  local command = "unset LD_PRELOAD; cd '%s' && find . -type f | grep -v '^./.larder/' | sort"
  local pipe <close> = assert(io.popen(command:format(folder .. (below or ""))))
  for line in pipe:lines() do list[#list + 1] = line:sub(3) end
  return list
end

local function around()
  before_each(function()
    folder = support.folder()
    open()
  end)
  after_each(function()
    store:close()
    support.remove_folders()
  end)
end

describe("the files of a file store", function()
  around()

  it("are one for each room, document and entry of a map", function()
    store:rooms():save { roomName = "lobby", password = "x" }
    store:collection("plans"):put { id = "a" }
    store:collection("plans"):put { id = 7 }
    store:map("seen"):set("ada", true)
    store:map("seen"):set({ "ada", 2 }, "both")
    same({ "maps/seen/ada,2.json", "maps/seen/ada.json", "plans/7.json", "plans/a.json", "rooms/lobby.json" }, files())
    assert.are.equal('{\n  "id": "a"\n}\n', read "plans/a.json")
  end)

  it("hold a room as the export writes it, with its ratings and progress", function()
    local rooms, out = store:rooms(), support.folder()
    rooms:save { roomName = "r", createdAt = "now", ratings = {}, userProgress = {} }
    rooms:rate("r", "ada", "m1", "like", 5)
    rooms:rate("r", "bob", "m1", "like", 6)
    rooms:export(out)
    assert.are.equal(support.read_file(out .. "/r.json"), read "rooms/r.json")
    assert.is_truthy(read("rooms/r.json"):find("bob", 1, true))
  end)

  it("go with what they show", function()
    store:rooms():save { roomName = "r" }
    store:collection("plans"):put { id = "a" }
    store:map("m"):set("k", 1)
    store:update(function(tx)
      tx:rooms():delete "r"
      tx:collection("plans"):delete "a"
      tx:map("m"):delete "k"
    end)
    local left = files()
    for _, name in ipairs(left) do assert.is_truthy(name:find "%.backup%.1$", name) end
    reopen()
    assert.is_nil(store:rooms():get "r")
    assert.are.equal(0, store:collection("plans"):count())
  end)

  it("are distinct for names of any bytes, none outside the directory", function()
    local names = { "a", "A", "..", "../x", "/etc/passwd", "con", "CON", "con.txt", "a\0b", "a%00b", "\xff", "größe",
      ".hidden", " ", "a.", "7", "-7", "lpt1", "x.json", "x.json.backup.1", ("n"):rep(1000),
      ("n"):rep(1000) .. "m", ("N"):rep(1000), ("\0"):rep(400) }
    local rooms, plans, map = store:rooms(), store:collection "plans", store:map "m"
    for i, name in ipairs(names) do
      rooms:save { roomName = name, n = i }
      plans:put { id = name, n = i }
      map:set(name, i)
      store:collection(name):put { id = 1, n = i }
    end
    plans:put { id = 7, n = "integer" }
    local seen = {}
    for _, path in ipairs(files()) do
      assert.is_nil(seen[path:lower()], path)
      seen[path:lower()] = true
      for part in path:gmatch "[^/]+" do assert.is_truthy(#part <= 255 and part ~= "..") end
    end
    assert.are.equal(4 * #names + 1, #files())
    reopen()
    for i, name in ipairs(names) do
      assert.are.equal(i, store:rooms():get(name).n)
      assert.are.equal(i, store:collection("plans"):get(name).n)
      assert.are.equal(i, store:map("m"):get(name))
      assert.are.equal(i, store:collection(name):get(1).n)
    end
    assert.are.equal("integer", store:collection("plans"):get(7).n)
  end)

  it("keep collections apart that are called as the store's own folders are", function()
    for _, name in ipairs { "rooms", "maps", "queue", "quarantine", ".larder" } do
      store:collection(name):put { id = 1, name = name }
    end
    reopen()
    for _, name in ipairs { "rooms", "maps", "queue", "quarantine", ".larder" } do
      assert.are.equal(name, store:collection(name):get(1).name)
    end
    support.none(store:rooms():list())
  end)

  it("may be read and written by their owner only, unless told", function()
    store:rooms():save { roomName = "r" }
    local function mode(name)
      local pipe <close> = assert(io.popen(("unset LD_PRELOAD; stat -c %%a '%s/%s'"):format(folder, name)))
      return pipe:read "l"
    end
    same({ "600", "700" }, { mode "rooms/r.json", mode "rooms" })
    reopen { file_mode = "0640", folder_mode = "0750" }
    store:collection("plans"):put { id = 1 }
    same({ "640", "750" }, { mode "plans/1.json", mode "plans" })
  end)

  it("are read again with versions, indexes and revisions", function()
    local plans = store:collection("plans", { version = 3, indexes = { "n", { "email", unique = true } } })
    plans:put { id = 1, n = 5, email = "a" }
    plans:put { id = 2, n = 5, ["$version"] = "mine" }
    local _, rev = plans:get(1)
    reopen()
    plans = store:collection("plans", { version = 3 })
    local doc, again = plans:get(1)
    same({ id = 1, n = 5, email = "a" }, doc)
    assert.are.equal(rev, again)
    assert.are.equal("mine", plans:get(2)["$version"])
    assert.are.equal(2, plans:count())
    assert.are.equal(2, #plans:find { where = { n = 5 } })
    raises("EXISTS", nil, plans.put, plans, { id = 3, email = "a" })
    reopen()
    raises("UNSUPPORTED", nil, function() return store:collection("plans", { version = 2 }):get(1) end)
  end)

  it("keep their revisions in a log that does not grow for ever", function()
    reopen { backups = 0 }
    local plans, revs = store:collection "plans", {}
    for n = 1, 3000 do plans:put { id = 1, n = n } end
    plans:put { id = 2, text = ("x"):rep(100) }
    for id = 1, 2 do revs[id] = select(2, plans:get(id)) end
    local log = #read ".larder/revisions"
    assert.is_true(log > 50 and log < 80000, log)
    reopen()
    for id = 1, 2 do assert.are.equal(revs[id], select(2, store:collection("plans"):get(id))) end
  end)

  it("are not written when nothing changes", function()
    store:collection("plans"):put { id = 1 }
    store:collection("plans"):put { id = 1 }
    same({ "plans/1.json" }, files())
  end)
end)

describe("a MovieMatch directory", function()
  around()

  it("is opened as it is, and keeps its layout", function()
    store:close()
    folder = support.folder()
    write("Movie Night.json", '{"roomName": "Movie Night", "ratings": {"m": [["ada", "like", 5]]}, "userProgress": {"ada": 1}}')
    open()
    local rooms = store:rooms()
    assert.are.equal(1, rooms:get("Movie Night").userProgress.ada)
    rooms:rate("Movie Night", "bob", "m", "like", 6)
    rooms:save { roomName = "new" }
    same({ "Movie Night.json", "Movie Night.json.backup.1", "new.json" }, files())
    reopen()
    assert.are.equal(2, #store:rooms():get("Movie Night").ratings.m)
    assert.are.equal("new", store:rooms():get("new").roomName)
  end)
end)
