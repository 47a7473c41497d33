-- larder.backups and larder.restore, called wrongly: the error says where and what, and nothing is made.
local larder = require "larder"
local support = require "support"

describe("backups, called wrongly,", function()
  local folder, store, backups

  before_each(function()
    folder = support.folder()
    store = larder.open("lmdb:" .. folder .. "/store?durability=none")
    store:map("m"):set("k", 1)
    backups = larder.backups(folder .. "/backups")
    backups:take(store)
  end)
  after_each(function()
    store:close()
    support.remove_folders()
  end)

  --- f(...) raises this, as an error of `op`.
  local function refused(op, code, text, f, ...)
    assert.are.equal(op, support.raises(code, text, f, ...).op)
  end

  it("take only stores", function()
    refused("backups:take", "INVALID", "store: expected a store, got a nil", backups.take, backups)
    refused("backups:take", "INVALID", "store: expected a store, got a string", backups.take, backups, "lmdb:./data")
    store:update(function(tx)
      refused("backups:take", "INVALID", "store: expected a store, got a larder.tx", backups.take, backups, tx)
    end)
    local closed = larder.open "memory:"
    closed:close()
    refused("backups:take", "CLOSED", "the store is closed", backups.take, backups, closed)
    assert.are.equal(1, #backups:list())
  end)

  it("are restored only to folders of LMDB stores", function()
    local function restore(to) return backups:restore("latest", to) end
    refused("backups:restore", "INVALID", 'to: expected the folder of an LMDB store, got "sqlite:x.db"', restore, "sqlite:x.db")
    refused("backups:restore", "INVALID", 'to: expected the folder of an LMDB store, got "memory:"', restore, "memory:")
    refused("backups:restore", "INVALID", "to: expected a path, got a table", restore, {})
    refused("backups:restore", "INVALID", "to: is empty", restore, "lmdb:")
    refused("backups:restore", "INVALID", "is no folder", restore, folder .. "/store/data.mdb")
    for _, name in ipairs { "sqlite:x.db", "memory:", "lmdb:" } do assert.is_nil(os.rename(name, name)) end
    restore("lmdb:" .. folder .. "/to%20here?durability=none")
    local restored <close> = larder.open { engine = "lmdb", path = folder .. "/to here" }
    assert.are.equal(1, restored:map("m"):get "k")
  end)

  it("are not restored over backups", function()
    local first = backups:list()[1].path
    store:map("m"):set("k", 2)
    local second = backups:take(store).path
    refused("larder.restore", "INVALID", "is a backup itself; choose another path", larder.restore, first, first)
    refused("larder.restore", "INVALID", "is a backup itself; choose another path", larder.restore, first, second)
    for _, entry in ipairs(backups:list()) do assert.is_true(backups:verify(entry.name).ok) end
    assert.is_nil(os.rename(first .. ".quarantine", first .. ".quarantine"))
  end)
end)
