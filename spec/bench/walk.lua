-- walk.lua -- `lua walk.lua <rooms|documents> <side> <folder> <count>`: walk a store of so many and print by how many bytes this
-- process's own memory has grown at most, after a tenth of them and after all. Prints nothing where that cannot be known.
local measure = require "spec.bench.measure"

local families = { rooms = "spec.bench.sides", documents = "spec.bench.collection_sides" }

local EVERY = 500

local function peaks(side, expected)
  local before, peak, tenth, count = measure.memory(), 0, nil, 0
  for _ in side.each() do
    count = count + 1
    if count % EVERY == 0 then
      peak = math.max(peak, measure.memory() - before)
    end
    if count == expected // 10 then
      tenth = peak
    end
  end
  assert(count == expected)
  return tenth, peak
end

if measure.memory() then
  local what, name, path, count = table.unpack(arg, 1, 4)
  local side = require(families[what]).open[name](path, false)
  print(("%d %d"):format(peaks(side, math.tointeger(count))))
  side.close()
end
