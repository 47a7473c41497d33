--- A job in the hands of a handler: job:extend(), job:release(), job:stopping(), as long as the worker holds it.
---
--- A hold is { worker, queue, job, lease, renew_at, gone }; `gone` is set when the job is not ours any more: "done", "released", "lost",
--- "cancelled".
local core = require "larder.core"

local primitive = core.queue

local hold_methods = {}
local hold_mt = { __name = "larder.hold", __index = hold_methods }

local job_methods = {}
local job_mt = { __name = "larder.job", __index = job_methods }

--- job -> its hold
local holds = setmetatable({}, { __mode = "k" })

local function renew(self, seconds)
  local kept, why = self.queue:extend(self.job, seconds)
  if not kept then
    self.gone = why
    return false, why
  end
  self.lease = seconds
  self.renew_at = primitive.monotonic() + seconds / 3
  return true
end

--- A lease that has a third behind it is renewed.
function hold_methods:keep()
  if self.gone then return false, self.gone end
  if primitive.monotonic() < self.renew_at then return true end
  return renew(self, self.lease)
end

function hold_methods:let_go()
  holds[self.job] = nil
end

local function hold_of(job, op)
  return holds[job] or core.fail(op, "the worker does not hold this job any more")
end

--- Marks a step. Jobs that were claimed together are kept together; not in a handler's transaction, where only its own queue can write.
function job_methods:extend(seconds)
  local hold = hold_of(self, "job:extend")
  for _, other in ipairs(hold.worker.transactional and {} or hold.worker.held) do
    if other ~= hold then other:keep() end
  end
  if hold.gone then return false, hold.gone end
  if seconds == nil then return hold:keep() end
  return renew(hold, seconds)
end

function job_methods:release(delay)
  local hold = hold_of(self, "job:release")
  local released, why = hold.queue:release(self, delay)
  hold.gone = released and "released" or why
  return released, why
end

function job_methods:stopping()
  return hold_of(self, "job:stopping").worker:stopping()
end

local function new(worker, job, lease)
  local hold = setmetatable({ worker = worker, queue = worker.queue, job = setmetatable(job, job_mt) }, hold_mt)
  hold.lease = lease
  hold.renew_at = primitive.monotonic() + lease / 3
  holds[job] = hold
  return hold
end

return { new = new }
