--- A file store on a disk without room, or in a directory that its user may not write: an error that says so, and the store as before.
local busted = require "busted"
local assert = require "luassert"
local forked = require "forked"
local larder = require "larder"
local port = require "larder_port"
local support = require "support"
local describe, it, after_each = busted.describe, busted.it, busted.after_each

local NOBODY = 65534

--- Else the specs are run by a user who can be nobody else.
local is_root = os.execute "test $(id -u) = 0"

local function options(folder, more)
  local all = { engine = "file", path = folder, durability = "none" }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

local function filler(n) return ("x"):rep(n) end

--- Saves until that fails; then all that was acknowledged is still seen, here and by who opens the store again.
local function fill(folder)
  local store <close> = larder.open(options(folder))
  local plans, last, code = store:collection "plans", 0, "none"
  for n = 1, 3000 do
    local ok, raised = pcall(function()
      store:update(function(tx)
        tx:collection("plans"):put { id = "a", n = n, filler = filler(1500) }
        tx:collection("plans"):put { id = n, filler = filler(1500) }
        tx:queue("q"):enqueue(n)
      end)
    end)
    if not ok then
      code = raised.code or tostring(raised)
      break
    end
    last = n
  end
  assert(plans:get("a").n == last and plans:count() == last + 1 and store:queue("q"):counts().ready == last)
  return ("%s %d"):format(code, last)
end

local function check(folder, said)
  local code, last = said:match "^(%u+) (%d+)$"
  assert.are.equal("FULL", code, said)
  last = tonumber(last)
  local store <close> = larder.open(options(folder, { read_only = true }))
  local plans = store:collection "plans"
  assert.are.equal(last, plans:get("a").n)
  assert.are.equal(last + 1, plans:count())
  assert.are.equal(last, store:queue("q"):counts().ready)
  assert.is_true(store:verify().ok)
  return last
end

describe("a file store on a full disk", function()
  after_each(support.remove_folders)

  it("is FULL where a file may not grow, and as it was before", function()
    local folder = support.folder() .. "/store"
    local said = forked.said(function()
      local store <close> = larder.open(options(folder))
      store:rooms():save { roomName = "r", n = 1 }
      port.ignore_sigxfsz()
      assert(port.setrlimit_fsize(20000))
      local ok, raised = pcall(store.rooms(store).save, store:rooms(), { roomName = "r", filler = filler(30000) })
      assert(not ok and store:rooms():get("r").n == 1)
      store:rooms():save { roomName = "s", n = 2 }
      return raised.code .. " " .. raised.message
    end)
    assert.truthy(said:find "^FULL .*rooms/r.json", said)
    local store <close> = larder.open(options(folder))
    assert.are.equal(1, store:rooms():get("r").n)
    assert.are.equal(2, store:rooms():get("s").n)
    assert.is_true(store:verify().ok)
  end)

  it("is FULL at any size of a small file system, loses nothing, and goes on when there is room", function()
    local folder, tried = support.folder(), 0
    for size = 64, 640, 64 do
      if os.execute(("mount -t tmpfs -o size=%dk tmpfs '%s' 2>/dev/null"):format(size, folder)) then
        tried = tried + 1
        local said = forked.said(function() return fill(folder .. "/store") end)
        local ok, last = pcall(check, folder .. "/store", said)
        os.execute(("mount -o remount,size=4m '%s'"):format(folder))
        local went_on = ok and forked.said(function()
          local store <close> = larder.open(options(folder .. "/store"))
          store:collection("plans"):put { id = "a", n = 0, filler = filler(9000) }
          return store:collection("plans"):get("a").n
        end)
        os.execute(("umount '%s'"):format(folder))
        assert(ok, last)
        assert.are.equal("0", went_on, size .. " KiB")
      end
    end
    if tried == 0 then busted.pending "file systems cannot be mounted here" end
  end)
end)

describe("a file store in a directory that may not be written", function()
  after_each(support.remove_folders)

  --- What f says as user nobody, whose the directory is; in a store with one room.
  local function as_nobody(mode, f)
    local above = support.folder()
    local folder = above .. "/store"
    do
      local store <close> = larder.open(options(folder))
      store:rooms():save { roomName = "r", n = 1 }
    end
    os.execute(("chmod 755 '%s'; chown -R %d '%s' 2>/dev/null; find '%s' -type d -exec chmod %s {} +"):format(above, NOBODY, folder,
      folder, mode))
    local said = forked.said(function()
      port.setuid(NOBODY)
      return f(folder)
    end)
    os.execute(("chmod -R u+rwX '%s'"):format(folder))
    return said, folder
  end

  local function code_and_message(ok, raised)
    return ok and "none" or raised.code .. " " .. raised.message
  end

  it("says what may not be written, and is as before", function()
    local said, folder = as_nobody("555", function(folder)
      local store <close> = larder.open(options(folder, { read_only = true }))
      assert(store:rooms():get("r").n == 1 and store:verify().ok)
      return code_and_message(pcall(larder.open, options(folder .. "/more")))
    end)
    assert.truthy(said:find "^IO .*more.*Permission denied", said)
    local store <close> = larder.open(options(folder))
    assert.are.equal(1, store:rooms():get("r").n)
  end)

  it("keeps what is seen as it is on the disk when a folder cannot be written any more", function()
    local said = as_nobody("755", function(folder)
      local store <close> = larder.open(options(folder))
      os.execute(("chmod 555 '%s/rooms'"):format(folder))
      local ok, raised = pcall(store.rooms(store).save, store:rooms(), { roomName = "r", n = 2 })
      assert(not ok and store:rooms():get("r").n == 1)
      os.execute(("chmod 755 '%s/rooms'"):format(folder))
      store:rooms():save { roomName = "r", n = 3 }
      return raised.code .. " " .. raised.message
    end)
    assert.truthy(said:find "^IO .*rooms/r.json.*Permission denied", said)
  end)

  it("of somebody else is refused, and so is a file of theirs, which is not replaced by a backup", function()
    local said = as_nobody("755", function(folder)
      do
        local store <close> = larder.open(options(folder))
        store:rooms():save { roomName = "r", n = 2 }
      end
      os.execute(("chmod 000 '%s/rooms/r.json'"):format(folder))
      local first = code_and_message(pcall(larder.open, options(folder)))
      local store <close> = larder.open(options(folder, { damaged = "skip" }))
      assert(not store:rooms():has "r")
      return first .. code_and_message(pcall(store.rooms(store).save, store:rooms(), { roomName = "r", n = 3 }))
    end)
    assert.truthy(said:find "^CORRUPT .*rooms/r.json.*cannot be read: Permission denied.*CONFLICT", said)
    if not is_root then return end
    local other = forked.said(function()
      local folder = support.folder() .. "/store"
      larder.open(options(folder)):close()
      port.setuid(NOBODY)
      return code_and_message(pcall(larder.open, options(folder)))
    end)
    assert.truthy(other:find "^IO .*Permission denied", other)
  end)
end)
