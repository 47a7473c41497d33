--- Every engine does what a plain Lua map does, step by step, whatever is done to it.
--- LARDER_SEED repeats a run, LARDER_MODEL_STEPS makes it longer or shorter.
local busted = require "busted"
local assert = require "luassert"
local port = require "larder_port"
local support = require "support"
local map = require "model.map"
local run = require "model.run"
local describe, it = busted.describe, busted.it

local STEPS = math.tointeger(os.getenv "LARDER_MODEL_STEPS") or 40000
local ROUND = 500

local function open_map()
  return map.open(), nil, nil
end

local function open_memory(extra)
  return function()
    local engine = assert(port.open("memory", {}, extra))
    return engine, nil, engine.close
  end
end

local function open_stored(name)
  return function()
    local folder = port.temp_dir()
    local function open()
      return assert(port.open(name, { path = folder .. "/store", durability = "none" }))
    end
    return open(), open, function(engine)
      engine:close()
      os.execute(("rm -rf '%s'"):format(folder))
    end
  end
end

local function compare(makers)
  support.at_random(function()
    local sizes = { 8, 40, 200, 1200 }
    for done = 0, STEPS - 1, ROUND do
      run.round(makers, math.min(ROUND, STEPS - done), sizes[done // ROUND % #sizes + 1])
    end
  end)
end

describe("the engines", function()
  it("do as the model does", function()
    compare {
      { name = "the model", open = open_map },
      { name = "memory", open = open_memory() },
      { name = "bare memory", open = open_memory { bare = true } },
      { name = "lmdb", open = open_stored "lmdb" },
      { name = "file", open = open_stored "file" },
    }
  end)
end)

describe("the model test", function()
  local function forgetful()
    local engine = map.open()
    local begin = engine.begin
    function engine.begin(this, writable)
      local txn, code = begin(this, writable)
      if txn and writable then
        function txn:copy() return not self.ended end -- says that it did
      end
      return txn, code
    end
    return engine
  end

  it("finds an engine that does not do what it says, and shortens the way there", function()
    local ok, raised = pcall(compare, { { name = "the model", open = open_map }, { name = "forgetful", open = forgetful } })
    assert.is_false(ok)
    local text = tostring(type(raised) == "table" and raised.message or raised)
    assert.is_truthy(text:find "LARDER_SEED=%d+", text)
    assert.is_truthy(text:find("forgetful gives", 1, true), text)
    assert.is_truthy(text:find "copy %d+ %d+", text)
    local operations = tonumber(text:match "after (%d+) operations")
    assert.is_true(operations <= 6, text)
  end)
end)
