--- Runs operations in several worlds side by side, and shortens what fails.
local draw = require "model.draw"
local operations = require "model.operations"

local run = {}

local function shown(results)
  local text = {}
  for i = 1, 2 do text[i] = ("%q"):format(tostring(results[i]):sub(1, 80)) end
  return table.concat(text, ", ")
end

--- Open each world anew, call f(worlds), close them.
--- `makers` is a list of { name =, open = function() -> engine, reopen or nil, close or nil }.
local function with_worlds(makers, f)
  local worlds = {}
  for i, maker in ipairs(makers) do
    local engine, reopen, close = maker.open()
    worlds[i] = { name = maker.name, engine = engine, reopen = reopen, close = close, stack = {}, readers = {}, cursors = {} }
  end
  local ok, result = xpcall(f, debug.traceback, worlds)
  for _, world in ipairs(worlds) do
    if world.close then world.close(world.engine) end
  end
  if not ok then error(result, 0) end
  return result
end

--- nil, or how the worlds differ from the first after `operation`.
local function difference(worlds, operation)
  local expected
  for _, world in ipairs(worlds) do
    local got = operations.perform(world, operation)
    expected = expected or got
    if got[1] ~= expected[1] or got[2] ~= expected[2] then
      return ("%s gives %s, but %s gives %s"):format(world.name, shown(got), worlds[1].name, shown(expected))
    end
  end
end

--- Runs the list. nil when the worlds agree, else { step =, text = }.
function run.compare(makers, list)
  return with_worlds(makers, function(worlds)
    for step, operation in ipairs(list) do
      local text = difference(worlds, operation)
      if text then return { step = step, text = text } end
    end
  end)
end

local function without(list, first, count)
  local shorter = table.move(list, 1, first - 1, 1, {})
  return table.move(list, first + count, #list, first, shorter)
end

local function cut(list, found) return table.move(list, 1, found.step, 1, {}), found end

--- The list without what it does not need to fail, as far as `tries` runs lead. Returns the list and its failure.
function run.shorten(makers, list, failure, tries)
  list = table.move(list, 1, failure.step, 1, {})
  local count = #list // 2
  while count >= 1 and tries > 0 do
    local first, shortened = 1, false
    while first <= #list and tries > 0 do
      local shorter = without(list, first, count)
      local found = run.compare(makers, shorter)
      tries = tries - 1
      if found then
        list, failure = cut(shorter, found)
        shortened = true
      else
        first = first + count
      end
    end
    if not shortened or count > 1 then count = count // 2 end
  end
  return list, failure
end

--- Without two operations that only go together, such as a begin and its commit; nil when each pair is needed.
local function without_pair(makers, list)
  for first = 1, #list - 1 do
    for second = first + 1, #list do
      local shorter = without(without(list, second, 1), first, 1)
      local found = run.compare(makers, shorter)
      if found then return cut(shorter, found) end
    end
  end
end

--- What is short already, made shorter by pairs.
function run.shorten_pairs(makers, list, failure)
  while #list <= 24 do
    local shorter, found = without_pair(makers, list)
    if not shorter then break end
    list, failure = shorter, found
  end
  return list, failure
end

--- The last operations as a text, one a line.
function run.describe(list)
  local lines = {}
  for step = math.max(1, #list - 29), #list do lines[#lines + 1] = ("%5d  %s"):format(step, table.concat(list[step], " ")) end
  return table.concat(lines, "\n")
end

--- Draw and run `steps` operations on `keys` keys; raises with the shortened list when the worlds disagree.
function run.round(makers, steps, keys)
  local list = {}
  for step = 1, steps do list[step] = draw(keys) end
  local failure = run.compare(makers, list)
  if not failure then return end
  list, failure = run.shorten(makers, list, failure, 300)
  list, failure = run.shorten_pairs(makers, list, failure)
  error(("after %d operations %s\n%s"):format(#list, failure.text, run.describe(list)), 0)
end

return run
