--- Which migrations are to be run, in which direction and order. Each plan is a list of groups, a group a list of steps
--- { migration =, direction = "up" | "down" }; a group is one transaction, but for batches.
local history = require "larder.migrate.history"
local problem = require "larder.migrate.problem"

local plan = {}

function plan.by_version(list, version)
  for _, one in ipairs(list) do
    if one.version == version then return one end
  end
end

local function is_done(row)
  return row ~= nil and row.state == "done"
end

--- All that are not done, up to a version.
function plan.up(list, rows, target)
  local groups = {}
  for _, one in ipairs(list) do
    if one.version <= target and not is_done(rows[one.version]) then
      groups[#groups + 1] = { { migration = one, direction = "up" } }
    end
  end
  return groups
end

local function step_down(op, list, row, version)
  local one = plan.by_version(list, version)
  local label = one and one.label or ('migration %d "%s"'):format(version, row.name)
  if not one then problem.raise(op, "nothing was run: " .. label .. ": cannot be taken back, for it is gone") end
  if not one.down then problem.raise(op, "nothing was run: " .. label .. ": cannot be taken back, for it has no down") end
  return { migration = one, direction = "down" }
end

--- The last `count` that were run, the last one first; only those above `floor`.
function plan.down(op, list, rows, count, floor)
  local groups = {}
  for _, version in ipairs(history.newest_first(rows)) do
    if #groups < count and version > floor then
      groups[#groups + 1] = { step_down(op, list, rows[version], version) }
    end
  end
  return groups
end

--- Down to the target, and up to it.
function plan.to(op, list, rows, target)
  local groups = plan.down(op, list, rows, math.huge, target)
  return table.move(plan.up(list, rows, target), 1, #list, #groups + 1, groups)
end

--- The last one down and up: together, where it has no batches.
function plan.redo(op, list, rows)
  local groups = plan.down(op, list, rows, 1, 0)
  if #groups == 0 then return groups end
  local one = groups[1][1].migration
  local up = { migration = one, direction = "up" }
  if one.batch then
    groups[2] = { up }
  else
    groups[1][2] = up
  end
  return groups
end

return plan
