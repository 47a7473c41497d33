--- The directory of a `file:` store: what becomes of it when others touch its files.
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

describe("a file that somebody else touches", function()
  around()

  it("is not overwritten: CONFLICT, and the store takes it over when it is opened again", function()
    local plans = store:collection "plans"
    plans:put { id = 1, n = 1 }
    write("plans/1.json", '{"id": 1, "n": "by hand"}')
    raises("CONFLICT", "plans/1.json", plans.put, plans, { id = 1, n = 2 })
    raises("CONFLICT", "plans/1.json", plans.delete, plans, 1)
    assert.are.equal(1, plans:get(1).n)
    assert.are.equal('{"id": 1, "n": "by hand"}', read "plans/1.json")
    plans:put { id = 2 }
    reopen()
    assert.are.equal("by hand", store:collection("plans"):get(1).n)
  end)

  it("is noticed by update, which does not run again", function()
    store:rooms():save { roomName = "r", n = 1 }
    write("rooms/r.json", '{"roomName": "r", "n": 9}')
    local runs = 0
    raises("CONFLICT", "rooms/r.json", store.update, store, function(tx)
      runs = runs + 1
      tx:rooms():save { roomName = "r", n = 2 }
      tx:rooms():save { roomName = "other" }
    end)
    assert.are.equal(1, runs)
    assert.is_nil(store:rooms():get "other")
    same({ "rooms/r.json" }, files())
  end)

  it("may have been touched without a change", function()
    store:rooms():save { roomName = "r", n = 1 }
    write("rooms/r.json", read "rooms/r.json")
    store:rooms():save { roomName = "r", n = 2 }
    assert.is_truthy(read("rooms/r.json"):find('"n": 2', 1, true))
  end)

  it("may be gone, or new", function()
    store:rooms():save { roomName = "r" }
    os.remove(folder .. "/rooms/r.json")
    raises("CONFLICT", "removed", function() store:rooms():save { roomName = "r", n = 1 } end)
    write("rooms/new.json", "mine")
    raises("CONFLICT", "rooms/new.json", function() store:rooms():save { roomName = "new" } end)
    assert.are.equal("mine", read "rooms/new.json")
  end)
end)

describe("a damaged file", function()
  around()

  it("is restored from its newest good backup, and kept in quarantine", function()
    local rooms = store:rooms()
    for n = 1, 5 do rooms:save { roomName = "r", n = n } end
    same({ "rooms/r.json", "rooms/r.json.backup.1", "rooms/r.json.backup.2", "rooms/r.json.backup.3" }, files())
    store:close()
    write("rooms/r.json", '{"roomName": "r", "n": 5')
    write("rooms/r.json.backup.1", "")
    open()
    assert.are.equal(3, store:rooms():get("r").n)
    assert.is_truthy(read("rooms/r.json"):find('"n": 3', 1, true))
    local kept = files "/quarantine"
    assert.are.equal(1, #kept)
    assert.are.equal('{"roomName": "r", "n": 5', read("quarantine/" .. kept[1]))
    reopen()
    assert.are.equal(3, store:rooms():get("r").n)
  end)

  it("without a backup is named when the store is opened, or left alone", function()
    store:rooms():save { roomName = "good" }
    store:close()
    write("rooms/bad.json", "{")
    write("rooms/worse.json", '{"roomName": 5}')
    raises("CORRUPT", { "rooms/bad.json", "2 damaged", "skip" }, open)
    open { damaged = "skip" }
    assert.is_not_nil(store:rooms():get "good")
    raises("CONFLICT", "rooms/bad.json", function() store:rooms():save { roomName = "bad" } end)
    same({ "rooms/bad.json", "rooms/good.json", "rooms/worse.json" }, files())
  end)

  it("may clash with another one", function()
    store:collection("plans", { indexes = { { "email", unique = true }, "n" } }):put { id = 1, email = "a", n = 1 }
    store:rooms():save { roomName = "r" }
    store:close()
    write("plans/2.json", '{"id": 2, "email": "a", "n": 1}')
    write("rooms/s.json", '{"roomName": "r"}')
    raises("CORRUPT", { "plans/2.json", "2 damaged" }, open)
    open { damaged = "skip" }
    assert.are.equal(1, store:collection("plans"):count())
    assert.are.equal(1, #store:collection("plans"):find { where = { n = 1 } })
  end)
end)

describe("opening a file store", function()
  around()

  it("is for one process at a time, and names the one that has it", function()
    local code, out = support.run(([[
      local ok, raised = pcall(require("larder").open, "file:%s?durability=none")
      print(ok, raised.code, raised.message)]]):format(folder))
    assert.are.equal(0, code)
    local pipe <close> = assert(io.open "/proc/self/stat")
    local pid = pipe:read("a"):match "^%d+"
    assert.is_truthy(out:find("false\tBUSY", 1, true) and out:find("process " .. pid, 1, true), out)
  end)

  it("comes from the environment", function()
    local place = support.folder() .. "/data/rooms"
    local code, out, err = support.run([[
      local store <close> = require("larder").from_env()
      store:rooms():save { roomName = "r" }
      print(store:stats().engine)]], { STORAGE_TYPE = "file", STORAGE_PATH = place })
    same({ 0, "file\n", "" }, { code, out, err })
    assert.is_truthy(support.read_file(place .. "/rooms/r.json"):find('"roomName": "r"', 1, true))
  end)

  it("is shared by the handles of a process, which agree on its options", function()
    local other <close> = larder.open { engine = "file", path = folder .. "/.", durability = "none" }
    store:rooms():save { roomName = "r" }
    assert.is_true(other:rooms():has "r")
    local tx <close> = store:begin "write"
    raises("MISUSE", "another handle", other.rooms(other).save, other:rooms(), { roomName = "s" })
    tx:rollback()
    other:rooms():save { roomName = "s" }
    assert.is_true(store:rooms():has "s")
    raises("INVALID", "another durability", larder.open, { engine = "file", path = folder })
  end)

  it("removes what a commit left that was not decided", function()
    local plans = store:collection "plans"
    plans:put { id = 1, n = 1 }
    write("plans/.larder-99.tmp", "half")
    reopen()
    assert.are.equal(1, store:collection("plans"):count())
    local pipe <close> = assert(io.popen(("unset LD_PRELOAD; ls -A '%s/plans'"):format(folder)))
    assert.are.equal("1.json\n", pipe:read "a")
  end)

  it("leaves alone what is not the store's", function()
    store:close()
    os.execute(("mkdir '%s/other'"):format(folder))
    write("other/x.json", "{}")
    write("other/y.json", "{ // a comment")
    os.execute(("mkdir '%s/rooms' '%s/queue' '%s/queue/none'"):format(folder, folder, folder))
    write("queue/none/1.json", "no job")
    write("top.json", "[1")
    write("note.txt", "x")
    open()
    same({ "note.txt", "other/x.json", "other/y.json", "queue/none/1.json", "top.json" }, files())
    support.none(store:collections())
  end)

  it("refuses options it does not understand", function()
    store:close()
    for name, value in pairs { durability = "some", damaged = "yes", backups = "many", file_mode = "rw", folder_mode = "9" } do
      raises("INVALID", name, open, { [name] = value })
    end
    raises("INVALID", "path", larder.open, { engine = "file" })
    open()
  end)
end)
