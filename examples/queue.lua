-- Background jobs: plans are made and their runs enqueued in one commit; workers run them; one fails and is tried again.
local larder = require "larder"
local store <close> = larder.open(arg[1] or "memory:")
local runs = store:queue("runs", { max_attempts = 3, backoff = 0.01, keep_done = 3600 })

-- The plan and its run: both or neither.
for i, title in ipairs { "build", "test", "deploy" } do
  store:update(function(tx)
    local plan = tx:collection("plans"):create { title = title, state = "planned" }
    tx:queue("runs"):enqueue({ plan = plan.id }, { priority = i, key = plan.id })
  end)
end
print("waiting", runs:counts().ready)

-- The result and the acknowledgement: both or neither, too.
local left, failed = 3, false
local done, why = runs:work(function(job, tx)
  local plans = tx:collection "plans"
  local plan = plans:get(job.data.plan)
  if plan.title == "test" and not failed then
    failed = true
    error "a test failed"
  end
  plans:update(plan.id, { state = "done", attempt = job.attempt })
  left = left - 1
end, {
  transactional = true,
  poll = 0.01,
  stop = function() return left == 0 end, -- a server runs until SIGTERM instead
  on_error = function(problem, job) print("failed", job.id, problem:match "[^\n]*") end,
})
print("done", done, why)
for plan in store:collection("plans"):each() do print(plan.title, plan.state, "attempt " .. plan.attempt) end

-- A periodic job, and a dead one that is repaired.
runs:schedule("nightly", "0 3 * * *", { what = "clean up" })
print("next nightly run", os.date("!%H:%M", runs:schedules()[1].next // 1000))
local id = runs:enqueue { plan = "missing" }
runs:fail(runs:dequeue(), "there is no such plan", { retry = false })
print("dead", runs:get(id).errors[1].error)
print("tried again", runs:retry(id), runs:get(id).state)
