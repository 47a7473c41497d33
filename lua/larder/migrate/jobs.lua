--- What the methods of queues read, write and delete; for the dry run. The rules are those of rule.lua.
local rule = require "larder.migrate.rule"
local same = require "larder.migrate.same"

local function id_of(_, job)
  if type(job) == "table" then return job.id end
  return job
end

--- Of the first jobs in these states, those that the rule changes are kept as they were before it.
local function watching(states, behind)
  return function(place, queue, method, ...)
    local watched = {}
    for _, state in ipairs(states) do
      local left = place:room_for_samples()
      for job in queue:each(state) do
        if left <= 0 then break end
        watched[#watched + 1], left = job, left - 1
      end
    end
    local results = table.pack(behind(place, queue, method, ...))
    for _, job in ipairs(watched) do
      if not same(job, queue:get(job.id)) then place:touch(queue, job.id, job) end
    end
    return table.unpack(results, 1, results.n)
  end
end

local function enqueue(place, queue, method, ...)
  local id, created = queue[method](queue, ...)
  if created then
    place.written = place.written + 1
    place:touch_new(id)
  end
  return id, created
end

--- The new ones have the highest ids; a key may have its id twice in the list.
local function lowest_new(ids, created)
  local sorted = table.move(ids, 1, #ids, 1, {})
  table.sort(sorted)
  local lowest = math.huge
  for i = #sorted, 1, -1 do
    if sorted[i] < lowest and created > 0 then lowest, created = sorted[i], created - 1 end
  end
  return lowest
end

local function enqueue_many(place, queue, method, ...)
  local ids, created = queue[method](queue, ...)
  local lowest = lowest_new(ids, created)
  for _, id in ipairs(ids) do
    if id >= lowest then place:touch_new(id) end
  end
  place.written = place.written + created
  return ids, created
end

--- A claim reads the job and writes it.
local function claim(place, queue, method, ...)
  local results = table.pack(queue[method](queue, ...))
  local claimed = results[1]
  local count = claimed and (claimed.id and 1 or #claimed) or 0
  place.read, place.written = place.read + count, place.written + count + (results[2] == true and 1 or 0)
  return table.unpack(results, 1, results.n)
end

local function ack_many(place, queue, method, jobs)
  for _, job in ipairs(type(jobs) == "table" and jobs or {}) do place:touch(queue, id_of(queue, job)) end
  return rule.write_many(place, queue, method, jobs)
end

local write_job, waiting = rule.touching(id_of, rule.write_one), { "ready", "delayed", "running" }

return {
  look = function(queue, id) return queue:get(id) end,
  rules = {
    get = rule.read_one, each = rule.stepped,
    enqueue = enqueue, enqueue_many = enqueue_many,
    dequeue = watching(waiting, claim), next = rule.touching(id_of, watching(waiting, claim)),
    ack = write_job, fail = write_job, extend = write_job, release = write_job, cancel = write_job, retry = write_job,
    ack_many = ack_many, retry_all = watching({ "dead" }, rule.write_many),
    delete = rule.touching(id_of, rule.delete_one),
    prune = watching({ "done", "dead", "cancelled" }, rule.delete_many),
    drain = watching({ "ready", "delayed" }, rule.delete_many),
  },
}
