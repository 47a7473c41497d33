---@meta larder
--- The worker loop of a queue, for editors. Never loaded by programs.

--- A job in the hands of a worker's handler.
---@class larder.WorkerJob: larder.Job
local WorkerJob = {}

--- Marks a step: renews the lease when a third of it is over; with seconds, at once, for so long.
---@param seconds? number
---@return boolean held false: stop working on it
---@return "lost"|"cancelled"|nil why
function WorkerJob:extend(seconds) end

--- Give it back; the attempt does not count. The worker goes on when the handler returns.
---@param delay? number seconds
---@return boolean released
---@return "lost"|"cancelled"|nil why
function WorkerJob:release(delay) end

---@return boolean # the worker was told to stop: release a long job, or finish it
function WorkerJob:stopping() end

---@class larder.WorkOptions
---@field n? integer jobs claimed at once; 1 when absent
---@field poll? number seconds between two looks for jobs of other processes, at most; 1 when absent
---@field lease? number
---@field stop? fun(): any true: take no new job, and return
---@field signals? boolean false: do not look at SIGTERM, which otherwise stops the worker too
---@field transactional? boolean run handler(job, tx) in the transaction that acknowledges the job
---@field on_error? fun(problem: any, job: larder.Job?) told of each failed job, and of failures of the store that may pass
