--- The model: what an engine is, in plain Lua, with the methods of larder_port's handles and their results (without the texts).
---
--- A state is { keys = sorted array, values = by key }. What is committed is never changed, only replaced, so readers share it;
--- a write transaction works on a copy. A cursor is before all rows, behind them, or at a key, whether that has a row or not.
local map = {}

local BEFORE, BEHIND = {}, {}

-- ---- states ----

--- The place of the first key >= `key`.
local function place(state, key)
  local low, high = 1, #state.keys + 1
  while low < high do
    local middle = (low + high) // 2
    if state.keys[middle] < key then low = middle + 1 else high = middle end
  end
  return low
end

local function copy(state)
  local values = {}
  for key, value in pairs(state.values) do values[key] = value end
  return { keys = table.move(state.keys, 1, #state.keys, 1, {}), values = values }
end

local function put(state, key, value)
  if not state.values[key] then table.insert(state.keys, place(state, key), key) end
  state.values[key] = value
end

local function del(state, key)
  if not state.values[key] then return nil, "NOTFOUND" end
  table.remove(state.keys, place(state, key))
  state.values[key] = nil
  return true
end

-- ---- engine ----

local engine_methods, txn_methods, cursor_methods = {}, {}, {}
local engine_mt = { __index = engine_methods }
local txn_mt = { __index = txn_methods }
local cursor_mt = { __index = cursor_methods }

function map.open()
  return setmetatable({ committed = { keys = {}, values = {} }, txns = {} }, engine_mt)
end

function engine_methods:begin(writable)
  if writable and self.writer then return nil, "MISUSE" end
  local state = writable and copy(self.committed) or self.committed
  local txn = setmetatable({ engine = self, state = state, writable = writable }, txn_mt)
  if writable then self.writer = txn end
  self.txns[txn] = true
  return txn
end

function engine_methods:stats()
  local readers = 0
  for txn in pairs(self.txns) do readers = readers + (txn.writable and 0 or 1) end
  return { entries = #self.committed.keys, readers = readers }
end

function engine_methods:check() -- luacheck: ignore self
  return {}
end

function engine_methods:sync() -- luacheck: ignore self
  return true
end

-- ---- transactions ----

--- nil when it may be used, else the code.
local function refusal(txn, writing)
  if txn.ended then return "CLOSED" end
  if txn.child or (writing and not txn.writable) then return "MISUSE" end
end

local function finish(txn)
  if txn.child then finish(txn.child) end
  txn.ended = true
  txn.engine.txns[txn] = nil
  if txn.parent then txn.parent.child = nil end
  if txn.engine.writer == txn then txn.engine.writer = nil end
end

function txn_methods:begin()
  local code = refusal(self, true)
  if code then return nil, code end
  self.child = setmetatable({ engine = self.engine, state = copy(self.state), writable = true, parent = self }, txn_mt)
  self.engine.txns[self.child] = true
  return self.child
end

function txn_methods:commit()
  if self.ended then return nil, "CLOSED" end
  local code = self.child and "MISUSE"
  finish(self)
  if code then return nil, code end
  if self.parent then
    self.parent.state = self.state
  elseif self.writable then
    self.engine.committed = self.state
  end
  return true
end

function txn_methods:rollback()
  if self.ended then return nil, "CLOSED" end
  finish(self)
  return true
end

function txn_methods:get(key)
  local code = refusal(self)
  if code then return nil, code end
  local value = self.state.values[key]
  if not value then return nil, "NOTFOUND" end
  return value
end

function txn_methods:put(key, value)
  local code = refusal(self, true)
  if code then return nil, code end
  put(self.state, key, value)
  return true
end

function txn_methods:copy(from, to)
  local value, code = self:get(from)
  if not value then return nil, code end
  return self:put(to, value)
end

function txn_methods:del(key)
  local code = refusal(self, true)
  if code then return nil, code end
  return del(self.state, key)
end

function txn_methods:del_range(from, to)
  local code = refusal(self, true)
  if code then return nil, code end
  local first, count = place(self.state, from), 0
  local key = self.state.keys[first]
  while key and (to == "" or key < to) do
    del(self.state, key)
    count = count + 1
    key = self.state.keys[first]
  end
  return count
end

function txn_methods:cursor()
  local code = refusal(self)
  if code then return nil, code end
  return setmetatable({ txn = self, at = BEFORE }, cursor_mt)
end

-- ---- cursors ----

local function arrive(cursor, key, edge)
  cursor.at = key or edge
  if not key then return nil, "NOTFOUND" end
  return true
end

function cursor_methods:seek(key)
  local code = refusal(self.txn)
  if code then return nil, code end
  return arrive(self, self.txn.state.keys[place(self.txn.state, key)], BEHIND)
end

function cursor_methods:next()
  local code, state = refusal(self.txn), self.txn.state
  if code then return nil, code end
  if self.at == BEHIND then return nil, "NOTFOUND" end
  local index = self.at == BEFORE and 1 or place(state, self.at .. "\0")
  return arrive(self, state.keys[index], BEHIND)
end

function cursor_methods:prev()
  local code, state = refusal(self.txn), self.txn.state
  if code then return nil, code end
  if self.at == BEFORE then return nil, "NOTFOUND" end
  local index = self.at == BEHIND and #state.keys or place(state, self.at) - 1
  return arrive(self, state.keys[index], BEFORE)
end

function cursor_methods:to_end()
  if self.txn.ended then return nil, "CLOSED" end
  self.at = BEHIND
  return true
end

function cursor_methods:current()
  local code = refusal(self.txn)
  if code then return nil, code end
  local value = self.txn.state.values[self.at]
  if not value then return nil, "NOTFOUND" end
  return self.at, value
end

function cursor_methods:put()
  local key, value = self:current()
  if not key then return nil, value end
  return self.txn:put(key, value)
end

function cursor_methods:del()
  local key, code = self:current()
  if not key then return nil, code end
  return self.txn:del(key)
end

function cursor_methods:close() -- luacheck: ignore self
end

return map
