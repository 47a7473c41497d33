---@meta larder
--- The job queue, for editors. Never loaded by programs.

---@alias larder.JobState "delayed"|"ready"|"running"|"done"|"dead"|"cancelled"

--- How long after attempt n has failed the next one comes, a day at most: "default" n^4 seconds, 10 % more or less; "exponential" 2^(n-1)
--- seconds; a number of seconds; or a function of n, which is this handle's and not stored.
---@alias larder.Backoff "default"|"exponential"|number|fun(attempt: integer): number

--- At most `concurrency` jobs run at once, at most `rate` are claimed in any `per` seconds; with `by`, each for the jobs whose data have the
--- same value in that field.
---@class larder.QueueLimit
---@field concurrency? integer
---@field rate? integer
---@field per? number 1 when absent
---@field by? string

--- They belong to the queue: the first handle with options stores them, others share them, different ones raise INVALID.
---@class larder.QueueOptions
---@field lease? number seconds that a claim holds; 30 when absent
---@field max_attempts? integer of jobs that do not say; 20 when absent
---@field backoff? larder.Backoff
---@field keep_done? number|{ count: integer } how long done jobs are kept, or how many; removed at once when absent
---@field keep_dead? number dead and cancelled ones; 30 days when absent
---@field limit? larder.QueueLimit
---@field replace? boolean true: set these options in the place of the stored ones
---@field sleep? larder.Sleep this handle's, in the place of the store's

--- Sleeps for so many seconds, or less: a coroutine server yields in it. It may register, each time, what ends the sleep when this process commits a
--- job: `on_wake(function() wake(co) end)`; where it does not, it is called in short turns.
---@alias larder.Sleep fun(seconds: number, on_wake: fun(wake: fun()))

---@class larder.JobOptions
---@field priority? integer lower comes first; 0 when absent
---@field key? string while an unfinished job has this key, there is no other
---@field within? number goes with key: nor for so many seconds from now, though that job be finished
---@field max_attempts? integer the queue's when absent
---@field timeout? number seconds of its lease; the queue's when absent
---@field tags? string[]

---@class larder.NewJobOptions: larder.JobOptions
---@field run_at? integer ms since 1970
---@field delay? number seconds; instead of run_at

---@class larder.NewJob: larder.NewJobOptions
---@field data any

---@class larder.JobError
---@field attempt integer
---@field error string up to 2000 bytes
---@field at integer ms since 1970

--- Plain tables. A job that was dequeued has a token; one that was looked at has its errors.
---@class larder.Job
---@field id integer rising, never used twice
---@field data any
---@field state larder.JobState
---@field attempt integer that runs, or has run last; 0: none yet
---@field max_attempts integer
---@field priority integer
---@field run_at integer ms since 1970, as all times
---@field enqueued_at integer
---@field token? integer makes the claim: who has the current one holds the job
---@field lease_until? integer running
---@field finished_at? integer done, dead, cancelled
---@field errors? larder.JobError[] of the last attempts that failed, or whose lease has ended
---@field key? string
---@field tags? string[]

---@class larder.ClaimOptions
---@field n? integer claim up to so many: the result is a list
---@field lease? number seconds; the job's timeout or the queue's lease when absent

---@class larder.DequeueOptions: larder.ClaimOptions
---@field wait? number seconds to wait for a job; not in a transaction

---@class larder.QueueTimes
---@field count integer
---@field mean number ms, as the others
---@field p50 integer
---@field p90 integer
---@field p99 integer
---@field max integer

---@class larder.QueueStats
---@field enqueued integer
---@field claimed integer
---@field done integer
---@field failed integer attempts
---@field retried integer
---@field dead integer
---@field cancelled integer
---@field released integer
---@field lost integer leases that have ended
---@field wait larder.QueueTimes from when a job could run to its claim
---@field run larder.QueueTimes from the claim to its end
---@field paused boolean
---@field counts table<larder.JobState, integer>

---@class larder.Schedule
---@field name string
---@field cron? string
---@field zone? "utc"|"local"
---@field every? number seconds
---@field next integer ms since 1970
---@field data any

--- Durable jobs. Bad input raises INVALID and changes nothing. Where a job is asked for, its id does; what the holder does with a bare id goes by the
--- token that this handle has received.
---@class larder.Queue
local Queue = {}

---@param data any INVALID when nil
---@param options? larder.NewJobOptions
---@return integer id
---@return boolean created false: `id` is that of the job which has the key
function Queue:enqueue(data, options) end

--- In one transaction, all or none.
---@param jobs larder.NewJob[]
---@return integer[] ids
---@return integer created how many are new
function Queue:enqueue_many(jobs) end

--- Claim the first job in order of (priority, run_at, id). What fell due becomes ready, what lost its lease comes back, here.
---@param options? larder.DequeueOptions
---@return larder.Job|larder.Job[]|nil job nil: none; with `n` always a list
function Queue:dequeue(options) end

--- ack and dequeue in one transaction. A job is claimed whatever became of the other.
---@param job larder.Job|integer
---@param options? larder.ClaimOptions
---@return larder.Job|larder.Job[]|nil next
---@return boolean acknowledged
---@return "lost"|"cancelled"|nil why
function Queue:next(job, options) end

--- The job is done.
---@param job larder.Job|integer
---@return boolean acknowledged false: nothing was done
---@return "lost"|"cancelled"|nil why
function Queue:ack(job) end

---@param jobs (larder.Job|integer)[]
---@return integer acknowledged how many
---@return table<integer, "lost"|"cancelled"> others by their ids
function Queue:ack_many(jobs) end

--- Try again after the backoff, or after `delay` seconds; dead when that was the last attempt, or with retry = false.
---@param job larder.Job|integer
---@param err any is kept as text
---@param options? { retry: boolean?, delay: number? }
---@return boolean failed
---@return larder.JobState|"lost"|"cancelled" state where the job is now; or why not
function Queue:fail(job, err, options) end

--- The lease ends so many seconds from now.
---@param job larder.Job|integer
---@param seconds? number the lease that a claim has when absent
---@return boolean held
---@return integer|"lost"|"cancelled" lease_until ms since 1970; or why not
function Queue:extend(job, seconds) end

--- Give it back; the attempt does not count.
---@param job larder.Job|integer
---@param delay? number seconds
---@return boolean released
---@return "lost"|"cancelled"|nil why
function Queue:release(job, delay) end

--- Do jobs until told to stop, by `stop` or SIGTERM. A handler is done with its job when it returns, unless it returns false, which fails the job
--- with the message and the options of `fail` behind it; one that raises fails it with the traceback.
---@param handler fun(job: larder.WorkerJob, tx: larder.Tx?): any, any, table?
---@param options? larder.WorkOptions
---@return integer done
---@return "stop"|"SIGTERM" why
function Queue:work(handler, options) end

--- As it is stored.
---@param id integer|larder.Job
---@return larder.Job?
function Queue:get(id) end

--- In the order in which they leave the state, page by page; no transaction is held between steps.
---@param state larder.JobState
---@return fun(): larder.Job?
function Queue:each(state) end

--- Costs the same for any number of jobs.
---@return table<larder.JobState, integer>
function Queue:counts() end

---@return larder.QueueStats
function Queue:stats() end

--- Never to run, or never again. Who holds it is told at extend and at ack.
---@param id integer|larder.Job
---@return boolean cancelled false: there is none, or it is finished
function Queue:cancel(id) end

--- A dead job is ready again, with all attempts. Raises EXISTS when another job has its key.
---@param id integer|larder.Job
---@return boolean retried false: there is none, or it is not dead
function Queue:retry(id) end

---@return integer count without those whose keys are taken
function Queue:retry_all() end

--- Whatever its state.
---@param id integer|larder.Job
---@return boolean deleted
function Queue:delete(id) end

--- Remove finished jobs.
---@param options? { state: "done"|"dead"|"cancelled"|nil, older_than: number? } of any state and age when absent; seconds
---@return integer count
function Queue:prune(options) end

--- Give out no jobs until resume.
function Queue:pause() end

function Queue:resume() end

--- Remove all that are delayed or ready.
---@return integer count
function Queue:drain() end

--- Enqueue data at each tick, exactly once however many processes work; of ticks that were missed, one. The same again changes nothing.
---@param name string
---@param when string|{ cron: string?, zone: "utc"|"local"|nil, every: number? } five fields as in crontab(5), in UTC, or @hourly and so on; or seconds
---@param data any
---@param options? larder.JobOptions
function Queue:schedule(name, when, data, options) end

---@param name string
---@return boolean removed
function Queue:unschedule(name) end

---@return larder.Schedule[] by name
function Queue:schedules() end
