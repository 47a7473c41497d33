--- What caches are asked for, one key after the other, the same each time.
local larder = require "larder"

local traces = {}

--- 0 to 1, by a linear congruence: the same on every machine.
local function generator(seed)
  return function()
    seed = seed * 6364136223846793005 + 1442695040888963407
    return (seed >> 11) / (1 << 53)
  end
end

--- The key of rank r is asked for in proportion to 1 / r.
function traces.zipf(keys, seed)
  local random, sums, sum = generator(seed), {}, 0
  for i = 1, keys do
    sum = sum + 1 / i
    sums[i] = sum
  end
  return function()
    local wanted, low, high = random() * sum, 1, keys
    while low < high do
      local middle = (low + high) // 2
      if sums[middle] < wanted then low = middle + 1 else high = middle end
    end
    return "k" .. low
  end
end

--- All keys, one after the other, and again.
function traces.loop(keys)
  local at = 0
  return function()
    at = at % keys + 1
    return "k" .. at
  end
end

--- How many of so many requests a cache for 100 values has: 0 to 1. What it has not is set.
function traces.hits(policy, next_key, asked)
  local store <close> = larder.open "memory:"
  local cache = store:cache("c", { max_bytes = 1000, policy = policy })
  local found = 0
  for _ = 1, asked do
    local key = next_key()
    if cache:get(key) then found = found + 1 else cache:set(key, ("x"):rep(10)) end
  end
  return found / asked
end

return traces
