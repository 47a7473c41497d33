local core = require "larder.core"
local larder = require "larder"
local support = require "support"

local raises = support.raises

describe("the machine below", function()
  after_each(support.remove_folders)

  it("names what is in a directory", function()
    local folder = support.folder()
    local long = ("n"):rep(255)
    for _, name in ipairs { "a", "b.lua", ".hidden", "with space", long } do support.write_file(folder .. "/" .. name, "") end
    support.exactly({ ".", "..", "a", "b.lua", ".hidden", "with space", long }, core.names(folder, "op"))
  end)

  it("says why a directory has no names", function()
    local e = raises("INVALID", { "/nowhere/at all: No such file" }, core.names, "/nowhere/at all", "my:op")
    assert.are.equal("my:op", e.op)
    raises("INVALID", "NUL", core.names, "a\0b", "op")
  end)

  it("has names while garbage is collected at every step", function()
    local folder = support.folder()
    for i = 1, 50 do support.write_file(folder .. "/" .. i, "") end
    support.with_constant_collection(function() assert.are.equal(52, #core.names(folder, "op")) end)
  end)

  -- The vectors are those of http://www.isthe.com/chongo/src/fnv/test_fnv.c
  it("hashes bytes by FNV-1a of 128 bits", function()
    assert.are.equal("6c62272e07bb014262b821756295c58d", core.checksum "")
    assert.are.equal("d228cb696f1a8caf78912b704e4a8964", core.checksum "a")
    assert.are.equal("343e1662793c64bf6f0d3597ba446f18", core.checksum "foobar")
    assert.are_not.equal(core.checksum "a\0", core.checksum "a")
  end)

  it("tells the time by the store's clock", function()
    local now = 5
    local store <close> = larder.open { engine = "memory", clock = function() return now end }
    assert.are.equal(5, core.now(store))
    now = 6
    store:update(function(tx) assert.are.equal(6, core.now(tx)) end)
    now = "soon"
    raises("INVALID", { "the clock", "soon" }, core.now, store)
    store:close()
    raises("CLOSED", nil, core.now, store)
    local system <close> = larder.open "memory:"
    assert.is_true(math.abs(core.now(system) - os.time() * 1000) < 2000)
  end)

  it("waits", function()
    local port = require "larder_port"
    local began = port.monotonic()
    core.sleep(0.02)
    core.sleep(0)
    local took = port.monotonic() - began
    assert.is_true(took >= 0.02 and took < 5)
  end)
end)
