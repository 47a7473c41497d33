--- larder.copy(from, to, options): a store copied into another, from one snapshot, in batches, verified.
---
--- Where the target is empty, or holds the beginning of this copy, each batch is a transaction, and a run after a crash goes on.
--- What is there already is replaced (`overwrite`) in one transaction with the check of what was copied: so it is there until the
--- new is known to be right.
local core = require "larder.core"
local options_of = require "larder.copy.options"
local transform = require "larder.copy.transform"

local op = "larder.copy"

local rules = {
  progress = "function", verify = "boolean", overwrite = "boolean", transform = "function",
  collections = "table", batch = "integer", unfinished = "boolean",
}

--- The steps of a copy in `to`, which is a store or a transaction, up to the end. The first commits with the beginning.
--- The progress of the last is all of it: rows of indexes are in the total, and not copied.
local function run(from, to, names, options, progress)
  local step = options.transform and transform.step(options.transform) or core.copy_some
  local batch = options.batch or 0
  local done, rows = to:update(function(tx)
    core.copy_begin(from, tx, names, options.overwrite or false, options.transform ~= nil, options.unfinished)
    return step(from, tx, names, batch)
  end)
  if progress then progress(done and math.huge or rows) end
  while not done do
    done, rows = step(from, to, names, batch)
    if progress then progress(done and math.huge or rows) end
  end
end

--- The report: what the target holds, and whether it was compared.
local function finish(from, to, names, options)
  local verified = options.verify ~= false and not options.transform
  local report = core.copy_verify(from, to, names, verified)
  core.copy_end(from, to)
  report.verified = verified
  report.left_out = options.collections and {} or from:caches()
  return report
end

local function progress_of(from, options)
  if not options.progress then return nil end
  local total = from:stats().entries
  return function(rows) options.progress(math.min(rows, total), total) end
end

local function copy(from, to, options)
  local names = options_of.names(op, options.collections)
  local progress = progress_of(from, options)
  local state = core.copy_look(from, to, names, options.transform ~= nil, options.unfinished)
  local function steps(place)
    run(from, place, names, options, progress)
    return finish(from, place, names, options)
  end
  local report
  if state == "taken" and options.overwrite then
    report = to:update(steps)
  else
    report = steps(to)
  end
  report.resumed = state == "resume"
  return report
end

return function(from, to, options)
  options = options_of.check(op, options, rules)
  if options.batch and options.batch < 1 then core.fail(op, "option batch: expected a whole number from 1") end
  local source <close> = options_of.open(op, "from", from)
  local target <close> = options_of.open(op, "to", to, source)
  if not source.is_store then return copy(source.place, target.place, options) end
  local snapshot <close> = source.place:begin "read"
  return copy(snapshot, target.place, options)
end
