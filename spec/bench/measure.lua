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

local function time_of(contestant, n, clock, keep_garbage)
  if contestant.prepare then
    contestant.prepare(n)
  end
  if not keep_garbage then
    collectgarbage()
    collectgarbage()
  end
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

-- One round. Each contestant's share is dealt out over `turns`, so that a disk that is slow for a second is so for all.
local function play(contestants, order, clock, counts, turns)
  local seconds, done = {}, {}
  for turn = 1, turns do
    for _, key in ipairs(order) do
      local n = counts[key] // turns
      seconds[key] = (seconds[key] or 0) + time_of(contestants[key], n, clock, turn > 1)
      done[key] = (done[key] or 0) + n
    end
  end
  return seconds, done
end

--- Measure all contestants in turn.
---@param contestants table<any, table>
---@param order any[] their keys, in the order of their turns
---@param clock fun(): number
---@param turns integer? how often each has its turn in a round; 1 when absent
---@return table<any, number[]> seconds an operation, for each round
function measure.race(contestants, order, clock, turns)
  local counts, times = {}, {}
  turns = turns or 1
  for _, key in ipairs(order) do
    counts[key] = calibrate(contestants[key], clock)
    turns = math.min(turns, counts[key])
    times[key] = {}
  end
  for round = 1, measure.rounds do
    local seconds, done = play(contestants, order, clock, counts, turns)
    for _, key in ipairs(order) do
      times[key][round] = seconds[key] / done[key]
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

--- By how much the memory of this process grows at most while `work` runs, which gets a function that looks.
---@param work fun(look: fun())
---@return integer[]? bytes 0, and the growth
function measure.growth(work)
  collectgarbage()
  local before, peak = measure.memory(), 0
  if not before then return nil end
  work(function() peak = math.max(peak, measure.memory() - before) end)
  return { 0, peak }
end

--- How much memory a walk over a store takes, in a process of its own.
---@param what string "rooms" or "documents"
---@param name string the side
---@param path string the store's folder
---@param count integer how many there are
---@return integer[]? bytes after a tenth of them, after all
function measure.walk(what, name, path, count)
  local command = ("%s spec/bench/walk.lua %s %s '%s' %d"):format(os.getenv "LUA" or arg[-1], what, name, path, count)
  local pipe = assert(io.popen(command))
  local tenth, all = pipe:read("n", "n")
  assert(pipe:close(), command)
  return tenth and { tenth, all }
end

return measure
