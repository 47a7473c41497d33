--- Waiting for a job: queue:dequeue{ wait = seconds }.
---
--- A wait asks in read transactions, which wait for nobody, at growing distances, and never past the time at which a job falls due. What
--- this process commits ends it at once: the sleep function that a server brings may register what wakes its coroutine; where it does not,
--- it sleeps in short turns.
local core = require "larder.core"

local primitive = core.queue
local methods = primitive.methods

local FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1 -- seconds between two looks at what other processes have committed
local TURN = 0.02                          -- of a sleep function that does not register what wakes it
local LONGEST_TURN = 1                     -- of the process: a stop is noticed in between

--- What wakes the coroutines that wait now.
local waiting = {}

local function wake_all()
  local all = waiting
  waiting = {}
  primitive.on_commit(nil)
  for wake in pairs(all) do pcall(wake) end
end

--- One turn of the program's sleep function. Returns whether it has registered what wakes it.
local function turn_of(sleep, seconds)
  local registered
  local ok, problem = pcall(sleep, seconds, function(wake)
    if type(wake) ~= "function" then core.fail("queue:dequeue", "sleep: expected a function that wakes") end
    registered = wake
    waiting[wake] = true
    primitive.on_commit(wake_all)
  end)
  if registered then waiting[registered] = nil end
  if not ok then error(problem, 0) end
  return registered ~= nil
end

--- Sleep for so long, or until stopped. A signal may end it, too.
local function sleep_here(seconds, stopped)
  local finish = primitive.monotonic() + seconds
  repeat
    local left = finish - primitive.monotonic()
    primitive.sleep(math.min(left, LONGEST_TURN))
  until left <= LONGEST_TURN or stopped and stopped()
end

local function sleep(queue, seconds)
  local sleeper = primitive.sleeper(queue)
  if sleeper then turn_of(sleeper, seconds) else sleep_here(seconds) end
end

--- Until there may be something to claim; false when `deadline` (monotonic seconds) has come, or `stopped()`.
--- Goes after a claim that found nothing: where it is said to be due nevertheless, it rests a moment.
---@param queue larder.Queue
---@param deadline number
---@param longest number seconds between two looks at what other processes have committed, at most
---@param stopped? fun(): boolean
local function wait(queue, deadline, longest, stopped)
  local sleeper = primitive.sleeper(queue)
  local pause, looks, told = math.min(FIRST_PAUSE, longest), 0, false
  while true do
    local due = primitive.due(queue)
    local left = deadline - primitive.monotonic()
    if due == 0 and looks > 0 then return true end
    if left <= 0 or stopped and stopped() then return false end
    local seconds = math.min(pause, left, math.max(due or left, 0.001))
    if sleeper then
      told = turn_of(sleeper, told and seconds or math.min(seconds, TURN))
    else
      sleep_here(seconds, stopped)
    end
    pause, looks = math.min(pause * 2, longest), looks + 1
  end
end

local function check_wait(queue, seconds)
  if math.type(seconds) == nil or not (seconds >= 0 and seconds <= 1e11) then
    core.fail("queue:dequeue", ("option wait: expected seconds, a number from 0 to 1e11, got %s"):format(seconds))
  end
  local _, in_transaction = primitive.parts(queue)
  if in_transaction then
    core.fail("queue:dequeue", "option wait: nobody waits in a transaction; use the store's queue")
  end
end

local claim = methods.dequeue

local function found(claimed)
  return claimed ~= nil and (claimed.id ~= nil or claimed[1] ~= nil)
end

function methods.dequeue(queue, options)
  if type(options) ~= "table" or options.wait == nil then return claim(queue, options) end
  check_wait(queue, options.wait)
  local deadline = primitive.monotonic() + options.wait
  local others = {}
  for name, value in pairs(options) do
    if name ~= "wait" then others[name] = value end
  end
  local claimed = claim(queue, others)
  while not found(claimed) and wait(queue, deadline, LONGEST_PAUSE) do claimed = claim(queue, others) end
  return claimed
end

return { wait = wait, sleep = sleep }
