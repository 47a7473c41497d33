--- What larder.copy, larder.load and store:dump check alike: their options, and places that may be given as URLs.
local config = require "larder.config"
local core = require "larder.core"

local options_of = {}

local function type_of(value)
  return math.type(value) or type(value)
end

local function names_of(rules)
  local names = {}
  for name in pairs(rules) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- `rules`: the type of each option.
---@return table options
function options_of.check(op, options, rules)
  if options == nil then return {} end
  if type(options) ~= "table" then core.fail(op, ("options: expected a table, got a %s"):format(type(options))) end
  for name, value in pairs(options) do
    local wanted = rules[name]
    if not wanted then core.unknown(op, "option", tostring(name), table.unpack(names_of(rules))) end
    if type_of(value) ~= wanted then
      core.fail(op, ("option %s: expected a %s, got a %s"):format(name, wanted, type_of(value)))
    end
  end
  return options
end

--- The names of collections, a list of strings; nil: everything.
function options_of.names(op, names)
  if names == nil then return nil end
  for i, name in ipairs(names) do
    if type(name) ~= "string" then
      core.fail(op, ("option collections[%d]: expected a string, got a %s"):format(i, type(name)))
    end
  end
  if #names == 0 then core.fail(op, "option collections: expected names, got an empty list") end
  return names
end

local opened_mt = { __close = function(opened) if opened.own then opened.place:close() end end }

local function has_read_only(engine)
  for _, name in ipairs(core.options(engine)) do
    if name == "read_only" then return true end
  end
  return false
end

--- A source is not made when it is not there, and never written to: it is opened read-only, where this process has it not open already.
local function open_source(where)
  local larder = require "larder"
  local engine, given = config.resolve(where, os.getenv)
  if given.read_only or not has_read_only(engine) then return larder.open(where) end
  local options = { read_only = true }
  for name, value in pairs(type(where) == "string" and { url = where } or where) do options[name] = value end
  local ok, store = pcall(larder.open, options)
  if ok then return store end
  if store.code == "INVALID" and store.message:find("is open in this process", 1, true) then return larder.open(where) end
  error(store, 0)
end

--- "lmdb:./data" of a store that is not open yet.
local function label_of(where)
  local _, _, hooks = config.resolve(where, os.getenv)
  return hooks.label
end

local function refuse_same(op)
  core.fail(op, "the source and the target are the same store")
end

--- { place =, is_store = }: the store or transaction that was given, or the store at a URL, which the end of the variable closes.
--- `what` is "from", or the name of what is written to; that must not be `source`.
function options_of.open(op, what, where, source)
  local kind = type(where) == "userdata" and getmetatable(where)
  if kind == "larder.store" or kind == "larder.tx" then
    if source and source.is_store and kind == "larder.store" and core.same_store(source.place, where) then refuse_same(op) end
    return setmetatable({ place = where, is_store = kind == "larder.store" }, opened_mt)
  end
  if type(where) ~= "string" and type(where) ~= "table" then
    core.fail(op, ("%s: expected a store or a URL, got a %s"):format(what, type(where)))
  end
  if source and source.is_store and core.same_store(source.place, label_of(where)) then refuse_same(op) end
  local place = what == "from" and open_source(where) or require "larder".open(where)
  return setmetatable({ place = place, is_store = true, own = true }, opened_mt)
end

return options_of
