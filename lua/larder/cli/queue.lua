--- larder queue: how queues are doing, and what an operator does about their jobs.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local STATES = { "ready", "delayed", "running", "done", "dead", "cancelled" }

local list = { name = "list", summary = "List the queues, with how many jobs are in each state.",
  example = { "larder queue list lmdb:./data" } }

function list.declare(command)
  arguments.url(command)
  arguments.json(command)
end

function list.run(args)
  local store <close> = arguments.look(args.url)
  local rows = {}
  for i, name in ipairs(store:queues()) do
    rows[i] = store:queue(name):counts()
    rows[i].queue = name
  end
  if not args.json then return grid.print({ "queue", table.unpack(STATES) }, rows, { whole = { "queue" } }) end
  for _, row in ipairs(rows) do terminal.print(json.text(row)) end
end

local jobs = { name = "jobs", summary = "List the jobs of a queue.", example = { "larder queue jobs lmdb:./data mail --state dead" } }

function jobs.declare(command)
  arguments.url(command)
  command:argument("queue", "Its name.")
  command:option("--state", "Only these."):choices(STATES):count "*"
  arguments.count(command, "--limit", "At most so many.")
  arguments.json(command)
end

local function jobs_of(queue, args)
  return coroutine.wrap(function()
    local left = args.limit or math.maxinteger
    for _, state in ipairs(#args.state > 0 and args.state or STATES) do
      for job in queue:each(state) do
        if left == 0 then return end
        left = left - 1
        coroutine.yield(job)
      end
    end
  end)
end

local function job_row(job)
  local failed = job.errors and job.errors[#job.errors]
  return { id = job.id, state = job.state, attempt = ("%d/%d"):format(job.attempt, job.max_attempts), ["run at"] = text.time(job.run_at),
    data = job.data, error = failed and failed.error }
end

function jobs.run(args)
  local store <close> = arguments.look(args.url)
  local queue = arguments.queue(store, args.queue)
  if not queue then return 1 end
  local rows = not args.json and grid.new({ "id", "state", "attempt", "run at", "data", "error" }, { optional = { "error" } })
  for job in jobs_of(queue, args) do
    if rows then rows:add(job_row(job)) else terminal.print(json.text(job)) end
  end
  if rows then rows:finish() end
end

local add = {
  name = "add",
  summary = "Enqueue a job.",
  example = { [[larder queue add lmdb:./data mail '{"to": "ada"}' --delay 15m]] },
}

function add.declare(command)
  arguments.url(command)
  command:argument("queue", "Its name.")
  command:argument("data", "JSON.")
  arguments.duration(command, "--delay", "Not before.")
  command:option("--priority", "Lower comes first; 0 is usual; --priority=-1 before it."):argname "<n>"
    :convert(arguments.whole(math.mininteger, "--priority"))
  command:option("--key", "While an unfinished job has this key, there is no other."):argname "<text>"
  arguments.dry_run(command)
  arguments.json(command)
end

function add.run(args)
  local store <close> = arguments.open(args.url)
  local data = arguments.value(args.data, "data")
  local made = arguments.write(store, args, function(tx)
    return { tx:queue(args.queue):enqueue(data, { delay = args.delay, priority = args.priority, key = args.key }) }
  end)
  if args.json then return arguments.tell(args, { id = made[1], created = made[2] }) end
  terminal.print(tostring(made[1]))
  if not made[2] then terminal.note("that job has the key %s", text.plain(args.key)) end
end

-- ---- what is done to jobs ----

--- `larder queue retry URL QUEUE ID...`
local function on_jobs(name, done, summary, asks)
  local action = { name = name, summary = summary, description = summary .. " All or none; exit code 1 when nothing was done.",
    example = { ("larder queue %s%s lmdb:./data mail 2"):format(name, asks and " --yes" or "") } }
  function action.declare(command)
    arguments.url(command)
    command:argument("queue", "Its name.")
    command:argument("id", "Ids of jobs."):args("+"):convert(arguments.whole(1, "id"))
    arguments.dry_run(command)
    if asks then arguments.yes(command) end
    arguments.json(command)
  end
  function action.run(args)
    local store <close> = arguments.open(args.url)
    if not arguments.queue(store, args.queue) then return 1 end
    if asks and not args.dry_run and not arguments.sure(args, "%s %d jobs?", name, #args.id) then return 1 end
    local count = arguments.write(store, args, function(tx)
      local queue, changed = tx:queue(args.queue), 0
      for _, id in ipairs(args.id) do changed = changed + (queue[name](queue, id) and 1 or 0) end
      return changed
    end)
    arguments.tell(args, { [done] = count }, "%d jobs %s%s", count, args.dry_run and "would be " or "", done)
    return count > 0 and 0 or 1
  end
  return action
end

--- `larder queue pause URL QUEUE`: a call without arguments, whose result is told.
local function on_queue(name, method, done, summary, asks)
  local action = { name = name, summary = summary,
    example = { ("larder queue %s%s lmdb:./data mail"):format(name, asks and " --yes" or "") } }
  function action.declare(command)
    arguments.url(command)
    command:argument("queue", "Its name.")
    arguments.dry_run(command)
    if asks then arguments.yes(command) end
    arguments.json(command)
  end
  function action.run(args)
    local store <close> = arguments.open(args.url)
    if not arguments.queue(store, args.queue) then return 1 end
    if asks and not args.dry_run and not arguments.sure(args, "%s the queue %s?", name, text.plain(args.queue)) then return 1 end
    local result = arguments.write(store, args, function(tx)
      local queue = tx:queue(args.queue)
      return queue[method](queue)
    end)
    local count = math.type(result) and ("%d jobs "):format(result) or ""
    arguments.tell(args, { queue = args.queue, [done] = math.type(result) and result or true }, "%s: %s%s%s", text.plain(args.queue),
      count, args.dry_run and "would be " or "", done)
  end
  return action
end

return {
  name = "queue",
  summary = "Look at queues, and repair their jobs.",
  example = { "larder queue list lmdb:./data" },
  actions = {
    list, jobs, add,
    on_jobs("retry", "retried", "Make dead jobs ready again."),
    on_jobs("cancel", "cancelled", "See to it that jobs never run.", true),
    on_jobs("delete", "deleted", "Delete jobs, whatever their state.", true),
    on_queue("retry-all", "retry_all", "retried", "Make all dead jobs ready again."),
    on_queue("pause", "pause", "paused", "Let nobody take a job until it is resumed."),
    on_queue("resume", "resume", "resumed", "End a pause."),
    on_queue("prune", "prune", "deleted", "Delete all finished jobs.", true),
    on_queue("drain", "drain", "deleted", "Delete all jobs that wait.", true),
  },
}
