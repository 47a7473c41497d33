--- Rotating backups of a file store's files.
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
end

describe("backups", function()
  before_each(function()
    folder = support.folder()
    open()
  end)
  after_each(function()
    store:close()
    support.remove_folders()
  end)

  it("are the last three contents, of rooms and documents", function()
    local plans = store:collection "plans"
    support.none(store:backups("plans", 7))
    for n = 1, 6 do
      plans:put { id = 7, n = n }
      store:rooms():save { roomName = "Größe", n = n }
    end
    for _, of in ipairs { { "plans", 7 }, { "rooms", "Größe" } } do
      local list = store:backups(of[1], of[2])
      assert.are.equal(3, #list)
      for n, backup in ipairs(list) do
        assert.are.equal(n, backup.n)
        assert.is_true(backup.size > 0 and math.abs(backup.time / 1000 - os.time()) < 100)
      end
    end
    support.none(store:backups("plans", "7"))
  end)

  it("come back, and what was there is the newest of them then", function()
    local plans = store:collection("plans", { indexes = { "n" } })
    for n = 1, 4 do plans:put { id = 7, n = n } end
    assert.is_true(store:restore_backup("plans", 7, 2))
    assert.are.equal(2, plans:get(7).n)
    same({ { id = 7, n = 2 } }, (plans:find { where = { n = 2 } }))
    assert.is_true(store:restore_backup("plans", 7))
    assert.are.equal(4, plans:get(7).n)
    assert.is_false(store:restore_backup("plans", 8))
  end)

  it("outlive what they are of", function()
    store:rooms():save { roomName = "r", n = 1, ratings = { m = { { "ada", "like", 5 } } } }
    store:rooms():delete "r"
    assert.is_true(store:restore_backup("rooms", "r"))
    same({ roomName = "r", n = 1, ratings = { m = { { "ada", "like", 5 } } } }, store:rooms():get "r")
  end)

  it("are taken back with their transaction", function()
    local plans = store:collection "plans"
    for n = 1, 2 do plans:put { id = 7, n = n } end
    pcall(store.update, store, function(tx)
      tx:restore_backup("plans", 7)
      assert.are.equal(1, tx:collection("plans"):get(7).n)
      error "no"
    end)
    assert.are.equal(2, plans:get(7).n)
  end)

  it("go when they are old, at the next opening", function()
    for n = 1, 2 do store:rooms():save { roomName = "r", n = n } end
    local function later(days)
      store:close()
      open { clock = function() return (os.time() + days * 86400) * 1000 end }
      return #store:backups("rooms", "r")
    end
    assert.are.equal(1, later(6))
    assert.are.equal(0, later(8))
  end)

  it("are as many as told, and none where there are no files", function()
    store:close()
    open { backups = 0 }
    for n = 1, 3 do store:rooms():save { roomName = "r", n = n } end
    support.none(store:backups("rooms", "r"))
    local memory <close> = larder.open "memory:"
    raises("UNSUPPORTED", "file:", memory.backups, memory, "rooms", "r")
    raises("INVALID", "id", store.backups, store, "plans", 1.5)
    raises("INVALID", "kind", store.backups, store)
    raises("INVALID", { "id", "got nothing" }, store.backups, store, "plans")
    raises("INVALID", "n:", store.restore_backup, store, "plans", 1, 0)
  end)

  it("are named when they are damaged, and nothing changes", function()
    for n = 1, 3 do store:rooms():save { roomName = "r", n = n } end
    support.write_file(folder .. "/rooms/r.json.backup.2", "{")
    raises("INVALID", { "backup 2", "rooms/r.json", "line 1" }, store.restore_backup, store, "rooms", "r", 2)
    assert.are.equal(3, store:rooms():get("r").n)
    assert.is_true(store:restore_backup("rooms", "r", 1))
    assert.are.equal(2, store:rooms():get("r").n)
  end)

  it("are not those of larder.backups, which cannot be put in the place of files", function()
    raises("INVALID", { "larder.copy", "file" }, larder.restore, folder .. "/none", "file:" .. folder)
  end)
end)
