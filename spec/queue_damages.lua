--- Damages of the queues that spec/queue_verify_spec.lua fills: what is done to their rows; then what has to be found: kind, where,
--- text; and whether repair puts it right.
--- `s` has the numbers of the queues and the ids of jobs.
local raw = require "raw_rows"

local CLAIM, READY, LANE, JOB, DELAYED, FINISHED, KEY, SCHEDULE, GROUP, GROUPED, WAKE = 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12
local lasting = false -- jobs, ids, schedules and the queue's options follow from nothing

local function row(number, ...) return raw.key("job", number, ...) end

local function unsigned(n)
  local bytes = ""
  while n >= 128 do bytes, n = bytes .. string.char(n % 128 + 128), n // 128 end
  return bytes .. string.char(n)
end

-- Signed numbers, one behind the other.
local function ints(...)
  local parts = table.pack(...)
  for i, n in ipairs(parts) do parts[i] = unsigned(n < 0 and -n * 2 - 1 or n * 2) end
  return table.concat(parts)
end

-- Replace the first `old` in a payload.
local function change(w, key, old, new)
  local payload = w.payload(key)
  local from, to = payload:find(old, 1, true)
  w.put(key, payload:sub(1, from - 1) .. new .. payload:sub(to + 1), 0)
end

local function mail(s, what) return ("%s of queue \"mail\""):format(type(what) == "string" and what or "job " .. s[what[1]]) end

-- The first byte of the counts: behind the number, whether declared, ten numbers and `by`.
local function counts_at(payload)
  local at, numbers = 1, 0
  while numbers < 12 do
    if payload:byte(at) < 128 then numbers = numbers + 1 end
    at = at + 1
  end
  return at + 1 + payload:byte(at) + 1
end

-- Replace a byte of the tally; 0: of the first count.
local function tally(w, name, offset, byte)
  local key = raw.key("queue", name)
  local payload = w.payload(key)
  local at = counts_at(payload) + offset
  assert(payload:byte(at) < 128 and payload:byte(at) ~= byte)
  w.put(key, payload:sub(1, at - 1) .. string.char(byte) .. payload:sub(at + 1), 0)
end

return {
  -- jobs
  { "a job that cannot be read", function(w, s) w.put(row(s.mail, JOB, s.first), "\1", 0) end, "job",
    function(s) return mail(s, { "first" }) end, "cannot be read", lasting },
  { "a job whose state is never written", function(w, s) change(w, row(s.mail, JOB, s.first), "\1", "\2") end, "job",
    function(s) return mail(s, { "first" }) end, "state", lasting },
  { "a job whose data are damaged", function(w, s) change(w, row(s.mail, JOB, s.first), "\xa5first", "\xc1") end, "job",
    function(s) return mail(s, { "first" }) end, "data", lasting },
  { "a ready job that nobody would find", function(w, s) w.delete(row(s.mail, READY, -1, s.now, s.first)) end, "job",
    function(s) return mail(s, { "first" }) end, "in no range" },
  { "a ready job whose row is damaged", function(w, s) w.spoil(row(s.mail, READY, -1, s.now, s.first)) end, "row",
    function(s) return ("place of ready job %d of queue number %d"):format(s.first, s.mail) end, "checksum" },
  { "a delayed job that would never be ready", function(w, s) w.delete(row(s.mail, DELAYED, s.now + 60000, s.delayed)) end,
    "job", function(s) return mail(s, { "delayed" }) end, "in no range" },
  { "a dead job that would never be removed", function(w, s) w.delete(row(s.mail, FINISHED, 4, s.now, s.dead)) end, "job",
    function(s) return mail(s, { "dead" }) end, "is dead, but not in the range" },
  { "a running job without its claim", function(w, s) w.delete(row(s.mail, CLAIM, s.running)) end, "job",
    function(s) return mail(s, { "running" }) end, "in no range" },
  { "a job that is ready and delayed", function(w, s) w.put(row(s.mail, DELAYED, s.now, s.first), ints(-1), 0) end, "job",
    function(s) return mail(s, { "first" }) end, "is delayed, and ready, too" },
  { "a job of the lane that runs", function(w, s)
      w.put(row(s.mail, CLAIM, s.lane), ints(5, 1, s.now, s.now + 5000, 2), 0)
    end, "job", function(s) return mail(s, { "lane" }) end, "is in the lane, and claimed, too" },
  { "a job of the lane out of its order", function(w, s)
      change(w, row(s.mail, LANE, s.lane), ints(0, s.now), ints(3, s.now))
    end, "job", function(s) return mail(s, { "lane" }) end, "where it does not belong" },
  { "a job with two rows", function(w, s) w.put(row(s.mail, JOB, s.lane), w.payload(row(s.mail, LANE, s.lane)), 0) end, "job",
    function(s) return mail(s, { "lane" }) end, "two rows" },
  { "a key of a row of no kind", function(w, s) w.put(row(s.mail, 99, 1), "") end, "key", function() return "row" end,
    "no key of space 0x0b", lasting },
  { "a key of a row with a part too many", function(w, s) w.put(row(s.mail, CLAIM, 1, 1), "") end, "key",
    function() return "row" end, "no key of space 0x0b" },
  -- what leads to jobs
  { "a claim of no job", function(w, s) w.put(row(s.mail, CLAIM, 1), ints(5, 1, s.now, s.now + 5000, 2), 0) end, "job",
    function() return 'job 1 of queue "mail"' end, "has a row as a running job, but is not there" },
  { "a claim of a dead job", function(w, s) w.put(row(s.mail, CLAIM, s.dead), ints(5, 1, s.now, s.now + 5000, 0), 0) end,
    "job", function(s) return mail(s, { "dead" }) end, "has a row as a running job, but is none" },
  { "a claim that is none", function(w, s) w.put(row(s.mail, CLAIM, s.running), ints(5, 1), 0) end, "job",
    function(s) return mail(s, { "running" }) end, "claim cannot be read" },
  { "a claim whose checksum is wrong", function(w, s) w.spoil(row(s.mail, CLAIM, s.running)) end, "job",
    function(s) return mail(s, { "running" }) end, "in no range" },
  { "a claim without a token", function(w, s) w.put(row(s.mail, CLAIM, s.running), ints(0, 1, s.now, s.now, 2), 0) end,
    "job", function(s) return mail(s, { "running" }) end, "claim cannot be read" },
  { "a claim that is wrong about the job's row", function(w, s)
      w.put(row(s.mail, CLAIM, s.running), ints(5, 1, s.now, s.now + 30000, 0), 0)
    end, "job", function(s) return mail(s, { "running" }) end, "errs" },
  { "a ready row of no job", function(w, s) w.put(row(s.mail, READY, 0, s.now, 1), "", 0) end, "job",
    function() return 'job 1 of queue "mail"' end, "has a row as a ready job, but is not there" },
  { "a ready row at another place", function(w, s) w.put(row(s.mail, READY, 7, s.now, s.first), "", 0) end, "job",
    function(s) return mail(s, { "first" }) end, "has a row as a ready job, but is none" },
  { "a delayed row of no job", function(w, s) w.put(row(s.mail, DELAYED, s.now, 1), ints(0), 0) end, "job",
    function() return 'job 1 of queue "mail"' end, "has a row as a delayed job, but is not there" },
  { "a delayed row of another priority", function(w, s) w.put(row(s.mail, DELAYED, s.now + 60000, s.delayed), ints(9), 0) end,
    "job", function(s) return mail(s, { "delayed" }) end, "has a row as a delayed job, but is none" },
  { "a finished row of no job", function(w, s) w.put(row(s.mail, FINISHED, 4, s.now, 1), "", 0) end, "job",
    function() return 'job 1 of queue "mail"' end, "has a row as a dead job, but is not there" },
  { "a finished row of no such state", function(w, s) w.put(row(s.mail, FINISHED, 1, s.now, s.dead), "", 0) end, "job",
    function(s) return mail(s, { "dead" }) end, "has a row as a finished job, but is none" },
  { "rows of no queue", function(w) w.put(row(7777, JOB, 1), "\1", 0) end, "queue",
    function() return "rows of queue number 7777" end, "no such queue: rows: 1", lasting },
  -- keys
  { "a key of no job", function(w, s) w.put(row(s.mail, KEY, "stray"), ints(1, 0, 0), 0) end, "queue",
    function(s) return mail(s, 'key "stray"') end, "job 1's, which is not there" },
  { "a key of a job without one", function(w, s) w.put(row(s.mail, KEY, "stray"), ints(s.first, 0, 0), 0) end, "queue",
    function(s) return mail(s, 'key "stray"') end, "which does not have it" },
  { "a key that is none", function(w, s) w.put(row(s.mail, KEY, "k"), "", 0) end, "queue",
    function(s) return mail(s, 'key "k"') end, "cannot be read" },
  { "a job whose key is free", function(w, s) w.delete(row(s.mail, KEY, "k")) end, "job",
    function(s) return mail(s, { "keyed" }) end, 'its key "k" is not taken' },
  { "a job whose key is damaged", function(w, s) w.spoil(row(s.mail, KEY, "k")) end, "job",
    function(s) return mail(s, { "keyed" }) end, 'its key "k" is not taken' },
  { "a job whose key is another's", function(w, s) w.put(row(s.mail, KEY, "k"), ints(s.first, 0, 0), 0) end, "job",
    function(s) return mail(s, { "keyed" }) end, 'its key "k" is job ' },
  { "a key without its window", function(w, s) w.delete(s.window) end, "queue",
    function(s) return mail(s, 'key "windowed"') end, "no window" },
  { "a window without its key", function(w, s) w.delete(row(s.mail, KEY, "windowed")) end, "queue",
    function(s) return mail(s, 'window of key "windowed"') end, "the key has none" },
  { "a window of another key than its own", function(w, s) w.put(s.window, "other", 0) end, "queue",
    function(s) return mail(s, 'window of key "other"') end, "another key" },
  -- schedules
  { "a schedule that is none", function(w, s) w.put(row(s.mail, SCHEDULE, "nightly"), "\1", 0) end, "queue",
    function(s) return mail(s, 'schedule "nightly"') end, "damaged", lasting },
  { "a schedule of no cron", function(w, s) change(w, row(s.mail, SCHEDULE, "nightly"), "0 3 *", "0 3 x") end, "queue",
    function(s) return mail(s, 'schedule "nightly"') end, "", lasting },
  -- groups
  { "a waiting job that its group does not have", function(w, s) w.delete(row(s.sms, GROUPED, 0, "a", 0, s.now, s.waits)) end,
    "job", function(s) return ('job %d of queue "sms"'):format(s.waits) end, "in no range" },
  { "a job in another group", function(w, s) w.put(row(s.sms, GROUPED, 0, "z", 0, s.now, s.waits), "", 0) end, "job",
    function(s) return ('job %d of queue "sms"'):format(s.waits) end, "a group that it is not in" },
  { "a row in a group of no job", function(w, s) w.put(row(s.sms, GROUPED, 0, "a", 0, s.now, 1), "", 0) end, "job",
    function() return 'job 1 of queue "sms"' end, "has a row in a group, but is not there" },
  { "a group without a row", function(w, s) w.delete(row(s.sms, GROUP, 0, "a")) end, "job",
    function(s) return ('job %d of queue "sms"'):format(s.waits) end, "its group has no row" },
  { "a group of running jobs without a row", function(w, s) w.delete(row(s.sms, GROUP, 0, "a")) end, "job",
    function(s) return ('job %d of queue "sms"'):format(s.runs) end, "its group has no row" },
  { "a group that cannot be read", function(w, s) w.put(row(s.sms, GROUP, 0, "a"), "\xff", 0) end, "queue",
    function() return 'group "a" of queue "sms"' end, "cannot be read" },
  { "a group that counts its running jobs wrongly", function(w, s) w.put(row(s.sms, GROUP, 0, "a"), ints(3, 0, 0) .. "\0", 0) end,
    "count", function() return 'group "a" of queue "sms"' end, "says that 3 of its jobs run, it is 1" },
  { "a group that waits for nothing", function(w, s) w.put(row(s.sms, GROUP, 0, 7), ints(0, 0, 0) .. "\0", 0) end, "queue",
    function() return 'group 7 of queue "sms"' end, "jobs that nobody would run" },
  { "a group whose first job is another", function(w, s)
      w.put(row(s.sms, GROUP, 0, 7), ints(0, 1, 0, s.now, s.waits, 0) .. "\0", 0)
    end, "queue", function() return 'group 7 of queue "sms"' end, "first job is another" },
  { "a group whose first job nobody would find", function(w, s) w.delete(row(s.sms, READY, 0, s.now, s.head)) end, "queue",
    function() return 'group 7 of queue "sms"' end, "not among the ready" },
  { "a ready row of a job that is not the first of its group", function(w, s)
      w.put(row(s.sms, READY, 0, s.now, s.waits), "", 0)
    end, "job", function(s) return ('job %d of queue "sms"'):format(s.waits) end, "first of its group, but is not" },
  { "a group that nothing would wake", function(w, s) w.delete(row(s.slow, WAKE, s.now + 60000, 0, "a")) end, "queue",
    function() return 'group "a" of queue "slow"' end, "nothing would wake it" },
  { "a group that would be woken at another time", function(w, s) w.put(row(s.slow, WAKE, s.now, 0, "a"), "", 0) end, "queue",
    function() return 'group "a" of queue "slow"' end, "of which its row says nothing" },
  { "a group in a queue that has none", function(w, s) w.put(row(s.mail, GROUP, 0, true), ints(0, 0, 0) .. "\0", 0) end,
    "queue", function() return 'group of a value that is neither a string nor an integer of queue "mail"' end, "no groups" },
  -- the queue's row
  { "a queue that cannot be read", function(w) w.put(raw.key("queue", "mail"), "\1", 0) end, "queue",
    function() return 'queue "mail"' end, "its row cannot be read", lasting },
  { "a queue of no number", function(w) w.put(raw.key("queue", "odd"), "\0" .. w.payload(raw.key("queue", "sms")):sub(2), 0) end,
    "queue", function() return 'queue "odd"' end, "number", lasting },
  { "two queues of one number", function(w) w.put(raw.key("queue", "twin"), w.payload(raw.key("queue", "mail")), 0) end,
    "queue", function() return "queue number" end, "two have this number", lasting },
  { "a queue whose row is damaged", function(w) w.spoil(raw.key("queue", "mail")) end, "row",
    function() return 'queue "mail"' end, "checksum", lasting },
  { "a count of delayed jobs that is wrong", function(w) tally(w, "mail", 0, 9) end, "count",
    function() return 'queue "mail"' end, "says 9 delayed jobs, there are 1" },
  { "a count of ready jobs that is wrong", function(w) tally(w, "mail", 1, 0) end, "count",
    function() return 'queue "mail"' end, "says 0 ready jobs, there are 4" },
  { "a count of dead jobs that is wrong", function(w) tally(w, "mail", 4, 2) end, "count",
    function() return 'queue "mail"' end, "says 2 dead jobs, there are 1" },
  { "a time that is too late", function(w, s)
      change(w, raw.key("queue", "mail"), "\1" .. ints(s.now + 60000), "\0") -- none is delayed
    end, "queue", function() return 'queue "mail"' end, "a delayed job is due at" },
}
