-- walk.lua -- `lua walk.lua <side> <folder>`: walk a store of rooms and print by how many bytes this process's own memory has
-- grown at most, after a tenth of the rooms and after all. Prints nothing where that cannot be known.
local measure = require "spec.bench.measure"
local sides = require "spec.bench.sides"

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
  return tenth, peak
end

if measure.memory() then
  local side = sides.open[arg[1]](arg[2], false)
  print(("%d %d"):format(peaks(side, 100000)))
  side.close()
end
