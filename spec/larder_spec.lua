local larder = require "larder"
local support = require "support"

local raises = support.raises

describe("larder", function()
  it("is its module, and all of it", function()
    local names = {}
    for name in pairs(larder) do names[#names + 1] = name end
    table.sort(names)
    assert.are.equal("array backups copy files from_env load migrations null open q recover remove restore version",
      table.concat(names, " "))
    assert.are.equal(larder, require "larder")
  end)

  it("has a version", function()
    assert.is_not_nil(larder.version:find "^%d+%.%d+%.%d+$")
  end)

  it("has a null that is nothing else", function()
    assert.is_false(larder.null == nil)
    assert.are_not.equal("table", type(larder.null))
    assert.are.equal(larder.null, larder.null)
  end)

  it("shares its null with cjson", function()
    local there, cjson = pcall(require, "cjson")
    if not there then return pending "cjson is not here" end
    assert.are.equal(cjson.null, larder.null)
  end)
end)

describe("larder.array", function()
  it("marks the table it is given, or a new one", function()
    local list = {}
    assert.are.equal(list, larder.array(list))
    assert.is_nil(next(larder.array()))
    assert.are.equal(getmetatable(list), getmetatable(larder.array()))
  end)

  it("refuses what is no table", function()
    for _, value in ipairs { 5, "x", true, print } do raises("INVALID", nil, larder.array, value) end
  end)
end)

describe("the module", function()
  after_each(support.remove_folders)

  it("sets no global and prints nothing", function()
    local code, out, err = support.run [[
      setmetatable(_G, { __newindex = function(_, name) error("global " .. name) end })
      require "larder".open("memory:"):rooms():save { roomName = "a" }
    ]]
    assert.are.same({ 0, "", "" }, { code, out, err })
  end)

  it("can be loaded, used and let go of in many coroutines", function()
    for i = 1, 50 do
      coroutine.wrap(function()
        local store = larder.open "memory:"
        store:rooms():save { roomName = "r" .. i }
        coroutine.yield()
        store:close()
      end)()
    end
    collectgarbage()
    collectgarbage()
  end)

  it("refuses a closed store's handles in another store's hands", function()
    local a, b = larder.open "memory:", larder.open "memory:"
    local rooms = a:rooms()
    a:close()
    b:rooms():save { roomName = "x" }
    raises("CLOSED", nil, rooms.get, rooms, "x")
    b:close()
  end)
end)
