--- The worker loop: queue:work(handler, { n =, poll =, stop =, on_error =, transactional =, signals =, lease = }).
---
--- A worker holds the jobs that it has claimed until each was acknowledged, failed or released. What it holds at its end, however that
--- comes, it releases.
local core = require "larder.core"
local hold = require "larder.hold"
local queue = require "larder.queue"

local primitive = core.queue
local methods = primitive.methods

local worker_methods = {}
local worker_mt = { __name = "larder.worker", __index = worker_methods }

function worker_methods:stopping()
  self.stopped = self.stopped
    or self.terminations ~= nil and primitive.terminations() ~= self.terminations and "SIGTERM"
    or self.stop ~= nil and self.stop() and "stop"
    or nil
  return self.stopped ~= nil
end

--- Take in what was claimed: a job, a list, or nil.
function worker_methods:take(claimed)
  if claimed == nil then return end
  local now
  for _, job in ipairs(claimed.id and { claimed } or claimed) do
    now = now or primitive.now(self.queue)
    local lease = self.lease or math.max((job.lease_until - now) / 1000, 0.001)
    self.held[#self.held + 1] = hold.new(self, job, lease)
  end
end

--- The next job that is still ours; the leases of the others are renewed on the way.
function worker_methods:first()
  while self.held[1] do
    for _, one in ipairs(self.held) do one:keep() end
    if not self.held[1].gone then return self.held[1] end
    table.remove(self.held, 1):let_go()
  end
end

--- Give back what was claimed and not begun, or not finished. Where the store fails the leases end.
function worker_methods:release()
  for i = #self.held, 1, -1 do
    local one = table.remove(self.held, i)
    one:let_go()
    if not one.gone then pcall(self.queue.release, self.queue, one.job) end
  end
end

-- ---- one job ----

local function describe(problem)
  return debug.traceback(tostring(problem), 2)
end

--- Calls the handler; returns nil, or how it has failed: { text, options }.
local function call(handler, ...)
  local results = table.pack(xpcall(handler, describe, ...))
  if not results[1] then return { text = tostring(results[2]) } end
  if results[2] ~= false then return end
  return { text = results[3] == nil and "the handler returned false" or tostring(results[3]), options = results[4] }
end

--- The handler and the acknowledgement: raises what undoes both, a table with `failure` or `lost`.
local function call_inside(self, one, tx)
  one.queue = tx:queue(self.name)
  local failure = call(self.handler, one.job, tx)
  if failure then error({ failure = failure }, 0) end
  if one.gone then return one.gone end
  local acknowledged, why = one.queue:ack(one.job)
  if not acknowledged then error({ lost = why }, 0) end
  return "done"
end

--- Returns nil, or the failure.
local function call_in_transaction(self, one)
  local ok, result = pcall(self.store.update, self.store, function(tx)
    one.gone = nil -- it may be run again
    return call_inside(self, one, tx)
  end)
  one.queue = self.queue
  one.gone = ok and result or nil
  if ok then return end
  if type(result) == "table" and result.failure then return result.failure end
  if type(result) ~= "table" or not result.lost then error(result, 0) end
  one.gone = result.lost
end

function worker_methods:report(problem, job)
  if self.on_error then self.on_error(problem, job) end
end

--- The first job is through; with `go_on` the next one is claimed in the transaction that acknowledges it.
function worker_methods:finish(one, failure, go_on)
  local done, claimed = one.gone == "done", nil
  if failure and not one.gone then
    self.queue:fail(one.job, failure.text, failure.options)
  elseif go_on and not one.gone then
    claimed, done = self.queue:next(one.job, self.claim)
  elseif not one.gone then
    done = self.queue:ack(one.job)
  end
  table.remove(self.held, 1):let_go()
  self:take(claimed)
  self.done = self.done + (done and 1 or 0)
  if failure then self:report(failure.text, one.job) end
end

function worker_methods:run(one)
  local failure
  if self.transactional then failure = call_in_transaction(self, one) else failure = call(self.handler, one.job) end
  self:finish(one, failure, #self.held == 1 and not self:stopping())
end

-- ---- the loop ----

--- One job, or a wait for one.
function worker_methods:round()
  if not self.held[1] then self:take(self.queue:dequeue(self.claim)) end
  local one = self:first()
  if one then
    if not self:stopping() then self:run(one) end
    return
  end
  queue.wait(self.queue, primitive.monotonic() + self.poll, self.poll, function() return self:stopping() end)
end

--- A failure of the store that may pass is told and waited out; any other one ends the loop.
local function loop(self)
  while not self:stopping() do
    local ok, problem = pcall(self.round, self)
    if not ok then
      if type(problem) ~= "table" or not problem.retryable then error(problem, 0) end
      self:release()
      self:report(problem)
      queue.sleep(self.queue, math.min(self.poll, 0.1))
    end
  end
end

local function is_duration(seconds)
  return math.type(seconds) ~= nil and seconds > 0 and seconds <= 1e11
end

local function is_function(value)
  return type(value) == "function"
end

local function is_boolean(value)
  return type(value) == "boolean"
end

local names = { "n", "poll", "stop", "on_error", "transactional", "signals", "lease" }
local checks = {
  n = { function(n) return math.type(n) == "integer" and n >= 1 end, "a whole number from 1" },
  poll = { is_duration, "seconds, more than 0" },
  lease = { is_duration, "seconds, more than 0" },
  stop = { is_function, "a function" },
  on_error = { is_function, "a function" },
  transactional = { is_boolean, "true or false" },
  signals = { is_boolean, "true or false" },
}

local function check(handler, options)
  local op = "queue:work"
  if type(handler) ~= "function" then core.fail(op, ("expected a function, got %s"):format(type(handler))) end
  if type(options) ~= "table" then core.fail(op, ("options: expected a table, got %s"):format(type(options))) end
  for name, value in pairs(options) do
    local one = checks[name] or core.unknown(op, "option", tostring(name), table.unpack(names))
    if not one[1](value) then
      core.fail(op, ("option %s: expected %s, got %s"):format(name, one[2], tostring(value)))
    end
  end
end

local function new(of, handler, options)
  local place, in_transaction, name = primitive.parts(of)
  if in_transaction then core.fail("queue:work", "nobody works in a transaction; use the store's queue") end
  local worker = { queue = of, store = place, name = name, handler = handler, held = {}, done = 0 }
  for option, value in pairs(options) do worker[option] = value end
  worker.poll = options.poll or 1
  worker.claim = { n = options.n, lease = options.lease }
  if options.signals ~= false then worker.terminations = primitive.watch() end
  return setmetatable(worker, worker_mt)
end

function worker_mt:__close()
  self:release()
  if self.terminations then primitive.unwatch() end
end

function methods.work(of, handler, options)
  options = options or {}
  check(handler, options)
  local worker <close> = new(of, handler, options)
  loop(worker)
  return worker.done, worker.stopped
end
