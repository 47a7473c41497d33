--- The operations of the model test: what each does in a world.
---
--- A world is { engine =, stack = open write transactions, readers =, cursors = by number }. An operation is a list of its name and
--- numbers, read relative to the world, so any list of operations can be run, and one that fails can be shortened. It returns what the
--- worlds are to agree on; `false` where there is nothing to do it on.
local operations = { DEPTH = 4, READERS = 4, CURSORS = 4 }

-- ---- rows ----

--- Key number n: short, long, some the beginning of others, with the lowest and the highest bytes.
local function key(n)
  local kinds = n % 16
  if kinds == 0 then return ("%d"):format(n):rep(60):sub(1, 200 + n % 312) end
  if kinds == 1 then return ("a"):rep(n // 16 % 400 + 1) end
  if kinds == 2 then return "\xff" .. string.char(n // 16 % 256) end
  if kinds == 3 then return "\0" .. string.char(n // 16 % 256) end
  return ("key %04d"):format(n)
end

local function value(size, n)
  return (("<%d>"):format(n)):rep(size // 3 + 1):sub(1, size)
end

--- All rows, forward or backward, as one text.
local function dump(txn, step)
  local cursor, code = txn:cursor()
  if not cursor then return nil, code end
  local all = {}
  if step == "prev" then cursor:to_end() end
  while cursor[step](cursor) do
    local at, under = cursor:current()
    all[#all + 1] = at
    all[#all + 1] = under
  end
  cursor:close()
  return table.concat(all, "\n")
end

-- ---- what each does ----

local perform = {}

local function top(world)
  return world.stack[#world.stack]
end

--- Forget the handles of transactions that have ended, from `level` up.
local function cut(world, level)
  for i = level, #world.stack do world.stack[i] = nil end
end

function perform.begin(world)
  if #world.stack >= operations.DEPTH then return false end
  local around = top(world)
  local txn, code
  if around then txn, code = around:begin() else txn, code = world.engine:begin(true) end
  world.stack[#world.stack + 1] = txn
  return txn and true, code
end

function perform.commit(world)
  if #world.stack == 0 then return false end
  local txn = top(world)
  cut(world, #world.stack)
  return txn:commit()
end

function perform.rollback(world, level)
  if #world.stack < level then return false end
  local txn = world.stack[level]
  cut(world, level)
  return txn:rollback()
end

--- Over the heads of the nested ones.
function perform.commit_outer(world)
  if #world.stack < 2 then return false end
  local txn = world.stack[1]
  cut(world, 1)
  return txn:commit()
end

function perform.begin_second(world)
  if #world.stack == 0 then return false end
  local txn, code = world.engine:begin(true)
  return txn and "a second writer", code
end

local function on_top(f)
  return function(world, ...)
    if #world.stack == 0 then return false end
    return f(top(world), ...)
  end
end

perform.put = on_top(function(txn, n, size, seed) return txn:put(key(n), value(size, seed)) end)
perform.get = on_top(function(txn, n) return txn:get(key(n)) end)
perform.del = on_top(function(txn, n) return txn:del(key(n)) end)
perform.copy = on_top(function(txn, from, to) return txn:copy(key(from), key(to)) end)
perform.del_range = on_top(function(txn, from, to) return txn:del_range(key(from), key(to)) end)
perform.del_all = on_top(function(txn) return txn:del_range("", "") end)
perform.dump = on_top(function(txn) return dump(txn, "next") end)
perform.dump_back = on_top(function(txn) return dump(txn, "prev") end)

--- The outermost transaction, maybe while another is open in it.
function perform.get_outer(world, n)
  if #world.stack == 0 then return false end
  return world.stack[1]:get(key(n))
end

function perform.read(world, i)
  if world.readers[i] then world.readers[i]:rollback() end
  local code
  world.readers[i], code = world.engine:begin(false)
  return world.readers[i] and true, code
end

local function on_reader(f)
  return function(world, i, ...)
    if not world.readers[i] then return false end
    return f(world.readers[i], ...)
  end
end

perform.read_get = on_reader(function(txn, n) return txn:get(key(n)) end)
perform.read_dump = on_reader(function(txn) return dump(txn, "next") end)
perform.read_put = on_reader(function(txn, n) return txn:put(key(n), "") end)
perform.read_end = on_reader(function(txn) return txn:commit() end)

function perform.cursor(world, i, reader)
  local txn = reader == 0 and top(world) or world.readers[reader]
  if not txn then return false end
  if world.cursors[i] then world.cursors[i]:close() end
  local code
  world.cursors[i], code = txn:cursor()
  return world.cursors[i] and true, code
end

local function with_cursor(method)
  return function(world, i, n)
    local cursor = world.cursors[i]
    if not cursor then return false end
    return cursor[method](cursor, n and key(n))
  end
end

for _, method in ipairs { "seek", "next", "prev", "to_end", "current", "put", "del" } do
  perform["cursor_" .. method] = with_cursor(method)
end

--- Steps on, deleting every row it comes to.
function perform.cursor_sweep(world, i, steps)
  local cursor, swept = world.cursors[i], {}
  if not cursor then return false end
  for _ = 1, steps do
    local ok, code = cursor:next()
    swept[#swept + 1] = ok and cursor:current() or code
    if ok then swept[#swept + 1] = tostring(cursor:del()) end
  end
  return table.concat(swept, "\n")
end

--- A cursor on a row while a nested transaction deletes the row or replaces it, and commits or rolls back.
function perform.cursor_across(world, i, n, deletes, commits)
  local txn = top(world)
  local cursor = txn and txn:cursor()
  if not cursor then return false end
  cursor:seek(key(n))
  world.cursors[i] = cursor
  local nested = txn:begin()
  if deletes == 1 then nested:del(key(n)) else nested:put(key(n), "across") end
  if commits == 1 then nested:commit() else nested:rollback() end
  local at, under = cursor:current()
  return tostring(at), under
end

function perform.account(world)
  local stats = world.engine:stats()
  return stats.entries, stats.readers
end

function perform.check(world)
  local found = world.engine:check()
  return #found, found[1] and found[1].text
end

--- Close with everything open, and open again; an engine that keeps nothing ends its transactions.
function perform.reopen(world)
  if world.stack[1] then world.stack[1]:rollback() end
  if world.reopen then
    world.engine:close()
    world.engine = world.reopen()
  end
  for i = 1, operations.READERS do
    if world.readers[i] and not world.reopen then world.readers[i]:rollback() end
  end
  world.stack, world.readers, world.cursors = {}, {}, {}
  return true
end

--- What an operation gives in a world: its results as a list, without the text of a failure.
function operations.perform(world, operation)
  local results = table.pack(perform[operation[1]](world, table.unpack(operation, 2)))
  return results[1] and { results[1], results[2] } or { results[1], results[2] or "" }
end

return operations
