--- What larder.copy, larder.load and store:dump check alike: their options, and places that may be given as URLs.
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

--- { place =, is_store = }: the store or transaction that was given, or the store at a URL, which the end of the variable closes.
function options_of.open(op, what, where)
  local kind = type(where) == "userdata" and getmetatable(where)
  if kind == "larder.store" or kind == "larder.tx" then
    return setmetatable({ place = where, is_store = kind == "larder.store" }, opened_mt)
  end
  if type(where) ~= "string" and type(where) ~= "table" then
    core.fail(op, ("%s: expected a store or a URL, got a %s"):format(what, type(where)))
  end
  local place = require "larder".open(where)
  return setmetatable({ place = place, is_store = true, own = true }, opened_mt)
end

return options_of
