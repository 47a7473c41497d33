--- What the rules of a dry run are made of: they count what a method reads, writes and deletes.
---
--- A rule is called as rule(place, handle, method, ...) in the method's stead: it calls the method, counts, and returns what that returned.
--- `place` (record.lua) has the counts `read`, `written`, `deleted`, and `touch(handle, key)`, which keeps what is there before a write.
local rule = {}

-- ---- how much a result is ----

local function one_if_there(value) return value ~= nil and value ~= false and 1 or 0 end
local function length(value) return type(value) == "table" and #value or 0 end
local function number(value) return value or 0 end

function rule.always_one() return 1 end

-- ---- rules ----

function rule.counted(field, measure)
  return function(place, handle, method, ...)
    local results = table.pack(handle[method](handle, ...))
    place[field] = place[field] + measure(results[1])
    return table.unpack(results, 1, results.n)
  end
end

--- The rule behind a touch of the key that `key_of` makes of the arguments.
function rule.touching(key_of, behind)
  return function(place, handle, method, ...)
    place:touch(handle, key_of(handle, ...))
    return behind(place, handle, method, ...)
  end
end

--- Each step that gives something reads one.
function rule.stepped(place, handle, method, ...)
  local step = handle[method](handle, ...)
  local function pass(...)
    if ... ~= nil then place.read = place.read + 1 end
    return ...
  end
  return function() return pass(step()) end
end

function rule.first_argument(_, key) return key end

rule.read_one, rule.read_list = rule.counted("read", one_if_there), rule.counted("read", length)
rule.write_one, rule.write_many = rule.counted("written", one_if_there), rule.counted("written", number)
rule.delete_one, rule.delete_many = rule.counted("deleted", one_if_there), rule.counted("deleted", number)

return rule
