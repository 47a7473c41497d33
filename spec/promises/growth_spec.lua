-- The map never gets in the way: it grows by itself, and says so in the log.
local larder = require "larder"
local port = require "larder_port"

local function count(lines, text)
  local sum = 0
  for _, line in ipairs(lines) do sum = sum + (line:find(text, 1, true) and 1 or 0) end
  return sum
end

describe("a small map", function()
  local directory, lines, store

  before_each(function()
    directory, lines = assert(port.temp_dir()), {}
    store = larder.open{ engine = "lmdb", path = directory, map_size = "1MiB", durability = "none",
      log = function(level, line) lines[#lines + 1] = level .. ": " .. line end }
  end)
  after_each(function()
    store:close()
    port.remove_dir(directory)
  end)

  it("grows between transactions, with one line each time", function()
    for i = 1, 600 do store:rooms():save{ roomName = "room-" .. i, filler = ("x"):rep(9000) } end
    assert.are.equal(600, #store:rooms():list())
    assert.is_true(store:stats().bytes_limit >= 8 << 20)
    assert.is_true(count(lines, "debug: lmdb: " .. directory .. ": the map is now") >= 3)
  end)

  it("grows under an update that does not fit, which runs again, with a line for it", function()
    local runs = 0
    store:update(function(tx)
      runs = runs + 1
      for i = 1, 600 do tx:rooms():save{ roomName = "room-" .. i, filler = ("x"):rep(9000) } end
    end)
    assert.are.equal(600, #store:rooms():list())
    assert.is_true(runs > 1 and count(lines, "debug: retry: update") == runs - 1, runs .. " runs")
  end)

  it("that cannot grow, for another transaction is open, is FULL at once, and says what to do", function()
    local reader <close> = store:begin "read"
    local runs = 0
    local ok, problem = pcall(store.update, store, function(tx)
      runs = runs + 1
      for i = 1, 600 do tx:rooms():save{ roomName = "room-" .. i, filler = ("x"):rep(9000) } end
    end)
    assert.is_false(ok)
    assert.are.same({ "FULL", 1 }, { problem.code, runs })
    assert.truthy(problem.message:find "map_size")
    assert.are.equal(0, #store:rooms():list())
    assert.is_false(reader:rooms():has "room-1")
  end)
end)
