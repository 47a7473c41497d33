-- measure.lua -- times contestants against each other: each in turn, round after round, so that a slow moment of the machine
-- meets all of them, and compares them within a round.
--
-- A contestant is { run = function(n), prepare = function(n)?, least = integer?, most = integer? }: `run` does the thing n
-- times, `prepare` goes before it, untimed.
local raw = require "larder_bench_raw"

local measure = {
  cpu = os.clock, ---@type fun(): number seconds of processor time of this process
  wall = raw.clock, ---@type fun(): number seconds of the monotonic clock
  rounds = tonumber(os.getenv "ROUNDS") or 7,
}

local LONG_ENOUGH = 0.05 -- seconds

local function time_of(contestant, n, clock)
  if contestant.prepare then
    contestant.prepare(n)
  end
  collectgarbage()
  collectgarbage()
  local started = clock()
  contestant.run(n)
  return clock() - started
end

-- How often the contestant has to run to be measured; the search is its warm-up.
local function calibrate(contestant, clock)
  local n = contestant.least or 1
  while true do
    local seconds = time_of(contestant, n, clock)
    if seconds >= LONG_ENOUGH or n == contestant.most then
      return n
    end
    local wanted = math.ceil(n * LONG_ENOUGH * 1.2 / math.max(seconds, 1e-6))
    n = math.min(math.max(wanted, n + 1), n * 20, contestant.most or math.maxinteger)
  end
end

--- Measure all contestants in turn.
---@param contestants table<any, table>
---@param order any[] their keys, in the order of their turns
---@param clock fun(): number
---@return table<any, number[]> seconds an operation, for each round
function measure.race(contestants, order, clock)
  local counts, times = {}, {}
  for _, key in ipairs(order) do
    counts[key] = calibrate(contestants[key], clock)
    times[key] = {}
  end
  for round = 1, measure.rounds do
    for _, key in ipairs(order) do
      times[key][round] = time_of(contestants[key], counts[key], clock) / counts[key]
    end
  end
  return times
end

--- The middle of some numbers.
---@param numbers number[]
---@return number
function measure.median(numbers)
  local sorted = table.move(numbers, 1, #numbers, 1, {})
  table.sort(sorted)
  local half = #sorted // 2
  return #sorted % 2 == 1 and sorted[half + 1] or (sorted[half] + sorted[half + 1]) / 2
end

--- The median of the ratios of the rounds.
---@param times number[]
---@param others number[]
---@return number
function measure.ratio(times, others)
  local ratios = {}
  for round, seconds in ipairs(times) do
    ratios[round] = seconds / others[round]
  end
  return measure.median(ratios)
end

--- The memory that this process holds for itself, without mapped files; nil where there is no /proc.
---@return integer? bytes
function measure.memory()
  local file <close> = io.open "/proc/self/statm"
  if file then
    local _, resident, shared = file:read("n", "n", "n")
    return (resident - shared) * 4096
  end
end

return measure
