--- A transaction that keeps account of what is done in it: for the dry run.
---
--- It and its handles stand before the true ones: each method goes through a rule (kind.lua) that calls the true one and counts. A
--- nested transaction that is rolled back takes its counts along. Of the first few keys that are written in each place, what was there
--- before is kept, and what is there at the end is read at the end.
local kind = require "larder.migrate.kind"

local record = {}

-- ---- places ----

local place_methods = {}
local place_mt = { __index = place_methods }

local function new_place(recorder, kind_name, name)
  return setmetatable({
    kind = kind_name, name = name, read = 0, written = 0, deleted = 0, calls = {}, touched = {}, most = recorder.samples,
  }, place_mt)
end

local function place_of(recorder, kind_name, name)
  local id = kind_name .. ":" .. tostring(name)
  local place = recorder.by_id[id]
  if not place then
    place = new_place(recorder, kind_name, name)
    recorder.by_id[id] = place
    recorder.places[#recorder.places + 1] = place
  end
  return place
end

local function same_key(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

function place_methods:room_for_samples()
  return self.most - #self.touched
end

local function is_new(place, key)
  if key == nil or place:room_for_samples() <= 0 then return false end
  for _, sample in ipairs(place.touched) do
    if same_key(sample.key, key) then return false end
  end
  return true
end

--- Keep what is there under the key, unless `before` says it. A key that is none is left to the method to complain about.
function place_methods:touch(handle, key, before)
  if not is_new(self, key) then return end
  local ok = true
  if before == nil then ok, before = pcall(kind[self.kind].look, handle, key) end
  if ok then self.touched[#self.touched + 1] = { key = key, before = before } end
end

--- A key under which nothing was.
function place_methods:touch_new(key)
  if is_new(self, key) then self.touched[#self.touched + 1] = { key = key } end
end

-- ---- handles ----

local function count_call(place, handle, method, ...)
  place.calls[method] = (place.calls[method] or 0) + 1
  return handle[method](handle, ...)
end

local function handle_for(place, handle)
  local rules = (kind[place.kind] or kind.other).rules
  local function method_of(_, name)
    local method = handle[name]
    if type(method) ~= "function" or name == "where" then return method end -- where: ends in other methods of what it is called on
    local rule = rules[name] or count_call
    return function(_, ...) return rule(place, handle, name, ...) end
  end
  return setmetatable({}, {
    __index = method_of,
    __tostring = function() return tostring(handle) end,
    __name = getmetatable(handle),
    __metatable = getmetatable(handle),
  })
end

-- ---- counts that are taken back ----

local function keep(recorder)
  local kept = {}
  for i, place in ipairs(recorder.places) do
    local calls = {}
    for name, count in pairs(place.calls) do calls[name] = count end
    kept[i] = { read = place.read, written = place.written, deleted = place.deleted, calls = calls, touched = #place.touched }
  end
  return kept
end

local function take_back(recorder, kept)
  for i, place in ipairs(recorder.places) do
    local was = kept[i] or { read = 0, written = 0, deleted = 0, calls = {}, touched = 0 }
    place.read, place.written, place.deleted, place.calls = was.read, was.written, was.deleted, was.calls
    for n = #place.touched, was.touched + 1, -1 do place.touched[n] = nil end
  end
end

-- ---- transactions ----

local wrap

local tx_rules = {}

local function nested(method)
  return function(recorder, tx, f)
    if type(f) ~= "function" then return tx[method](tx, f) end
    local kept = keep(recorder)
    local results = table.pack(pcall(tx[method], tx, function(inner) return f(wrap(recorder, inner)) end))
    if not results[1] then
      take_back(recorder, kept)
      error(results[2], 0)
    end
    return table.unpack(results, 2, results.n)
  end
end

tx_rules.update = nested "update"
tx_rules.view = nested "view"

function tx_rules.begin(recorder, tx, ...)
  return wrap(recorder, tx:begin(...), keep(recorder))
end

function tx_rules.collection(recorder, tx, name, ...)
  return handle_for(place_of(recorder, "collection", name), tx:collection(name, ...))
end

function tx_rules.rooms(recorder, tx, ...)
  local place = place_of(recorder, "rooms")
  place.tx = tx
  return handle_for(place, tx:rooms(...))
end

function tx_rules.queue(recorder, tx, name, ...)
  return handle_for(place_of(recorder, "queue", name), tx:queue(name, ...))
end

function tx_rules.map(recorder, tx, name, ...)
  return handle_for(place_of(recorder, "map", name), tx:map(name, ...))
end

function tx_rules.drop(recorder, tx, name, ...)
  if type(name) == "string" then kind.count_drop(place_of(recorder, "collection", name), tx:collection(name)) end
  return tx:drop(name, ...)
end

--- What is none of these: a handle that it gives is counted by the names of its calls.
local function other(recorder, tx, method, ...)
  local result = table.pack(tx[method](tx, ...))
  if type(result[1]) == "userdata" then
    result[1] = handle_for(place_of(recorder, method, type(...) == "string" and (...) or nil), result[1])
  end
  return table.unpack(result, 1, result.n)
end

--- `kept`: of one begun by hand, the counts before it.
function wrap(recorder, tx, kept)
  local ended = kept == nil
  local function roll_back()
    if not ended then take_back(recorder, kept) end
    ended = true
  end
  local function method_of(_, name)
    if type(tx[name]) ~= "function" then return tx[name] end
    return function(_, ...)
      if name == "rollback" then roll_back() end
      if name == "commit" then ended = true end
      if tx_rules[name] then return tx_rules[name](recorder, tx, ...) end
      return other(recorder, tx, name, ...)
    end
  end
  return setmetatable({}, {
    __index = method_of,
    __tostring = function() return tostring(tx) end,
    __close = function()
      if ended then return end
      roll_back()
      tx:rollback()
    end,
    __name = "larder.tx",
    __metatable = "larder.tx",
  })
end

--- `samples`: of how many keys a place.
function record.new(tx, samples)
  local recorder = { tx = tx, samples = samples, places = {}, by_id = {} }
  return recorder, wrap(recorder, tx)
end

local function handle_of(tx, place)
  return place.name and tx[place.kind](tx, place.name) or tx[place.kind](tx)
end

local function sampled(tx, place)
  if #place.touched == 0 then return {} end
  local handle, samples = handle_of(tx, place), {}
  for i, sample in ipairs(place.touched) do
    samples[i] = { key = sample.key, before = sample.before, after = kind[place.kind].look(handle, sample.key) }
  end
  return samples
end

--- What was done, place by place, in the order of first use; while the transaction is open.
function record.changes(recorder)
  local changes = {}
  for _, place in ipairs(recorder.places) do
    if place.read + place.written + place.deleted > 0 or next(place.calls) then
      changes[#changes + 1] = {
        kind = place.kind, name = place.name, read = place.read, written = place.written, deleted = place.deleted,
        calls = next(place.calls) and place.calls or nil, samples = sampled(recorder.tx, place),
      }
    end
  end
  return changes
end

return record
