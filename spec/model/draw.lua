--- Draws the operations of the model test: the ones that find more come more often.
local operations = require "model.operations"

local function draw_size()
  local kind = math.random(100)
  if kind <= 80 then return math.random(0, 60) end
  if kind <= 97 then return math.random(0, 3000) end
  return math.random(4000, 40000)
end

--- name, how often, and what draws its numbers from the number of keys.
local drawn = {
  { "put", 240, function(keys) return math.random(keys), draw_size(), math.random(1000) end },
  { "del", 110, function(keys) return math.random(keys) end },
  { "get", 60, function(keys) return math.random(keys) end },
  { "copy", 30, function(keys) return math.random(keys), math.random(keys) end },
  { "del_range", 12, function(keys)
    local from = math.random(keys)
    return from, from + math.random(0, keys // 4)
  end },
  { "del_all", 1 },
  { "begin", 90 },
  { "commit", 75 },
  { "rollback", 15, function() return math.random(operations.DEPTH) end },
  { "commit_outer", 2 },
  { "begin_second", 3 },
  { "get_outer", 6, function(keys) return math.random(keys) end },
  { "dump", 6 },
  { "dump_back", 6 },
  { "read", 25, function() return math.random(operations.READERS) end },
  { "read_get", 30, function(keys) return math.random(operations.READERS), math.random(keys) end },
  { "read_dump", 10, function() return math.random(operations.READERS) end },
  { "read_put", 3, function(keys) return math.random(operations.READERS), math.random(keys) end },
  { "read_end", 8, function() return math.random(operations.READERS) end },
  { "cursor", 40, function() return math.random(operations.CURSORS), math.max(0, math.random(-2, operations.READERS)) end },
  { "cursor_seek", 40, function(keys) return math.random(operations.CURSORS), math.random(keys) end },
  { "cursor_next", 60, function() return math.random(operations.CURSORS) end },
  { "cursor_prev", 60, function() return math.random(operations.CURSORS) end },
  { "cursor_to_end", 8, function() return math.random(operations.CURSORS) end },
  { "cursor_current", 50, function() return math.random(operations.CURSORS) end },
  { "cursor_put", 10, function() return math.random(operations.CURSORS) end },
  { "cursor_del", 20, function() return math.random(operations.CURSORS) end },
  { "cursor_sweep", 6, function() return math.random(operations.CURSORS), math.random(12) end },
  { "cursor_across", 10, function(keys) return math.random(operations.CURSORS), math.random(keys), math.random(2), math.random(2) end },
  { "account", 5 },
  { "check", 3 },
  { "reopen", 2 },
}

local total = 0
for _, entry in ipairs(drawn) do total = total + entry[2] end

--- One operation on keys 1..keys.
return function(keys)
  local ticket = math.random(total)
  for _, entry in ipairs(drawn) do
    ticket = ticket - entry[2]
    if ticket <= 0 then return { entry[1], (entry[3] or function() end)(keys) } end
  end
end
