--- What Tab adds at the prompt of `larder shell`: names of fields and methods, and in quotes the names of what is stored.
local MOST = 100

--- The names behind "store:col": fields of tables, methods of handles.
local function names_in(value)
  local mt = debug.getmetatable(value)
  local from = { type(value) == "table" and value or {}, mt and type(mt.__index) == "table" and mt.__index or {} }
  local names = {}
  for _, each in ipairs(from) do
    for name in next, each do
      if type(name) == "string" and name:find "^[%a_][%w_]*$" then names[#names + 1] = name end
    end
  end
  table.sort(names)
  return names
end

--- What the path "store", "larder.q" stands for; nothing is called.
local function value_of(path, environment)
  local value = environment
  for name in path:gmatch "[%w_]+" do
    local ok, field = pcall(function() return value[name] end)
    if not ok or field == nil then return nil end
    value = field
  end
  return value
end

local function beginning_with(word, names)
  local choices = {}
  for _, name in ipairs(names) do
    if name:sub(1, #word) == word then choices[#choices + 1] = name end
  end
  return choices
end

local function common_beginning(names)
  local common = names[1] or ""
  for _, name in ipairs(names) do
    while name:sub(1, #common) ~= common or not utf8.len(common) do common = common:sub(1, -2) end
  end
  return common
end

-- ---- what is stored ----

local function rooms_of(rooms, word)
  local names = {}
  for i, room in ipairs(rooms:list { prefix = word, limit = MOST }) do names[i] = room.roomName end
  return names
end

local function list_of(method)
  return function(place) return place[method](place) end
end

--- Of each kind of handle, methods that get a name first, and what lists the names.
local in_place = { collection = list_of "collections", drop = list_of "collections", map = list_of "maps", queue = list_of "queues" }
local lists = {
  ["larder.store"] = in_place,
  ["larder.tx"] = in_place,
  ["larder.rooms"] = { get = rooms_of, has = rooms_of, delete = rooms_of, rate = rooms_of, matches = rooms_of },
}

--- `store:collection "pl`: names as they are typed, so those that would have to be escaped are left out. nil: there is no quote.
local function stored_names(line, environment)
  local path, method, quote, word = line:match "([%a_][%w_.]*):([%a_]+)%s*%(?%s*([\"'])([^\"']*)$"
  local value = path and value_of(path, environment)
  local list = value ~= nil and (lists[getmetatable(value)] or {})[method]
  if not list then return quote and {}, word end
  local ok, names = pcall(list, value, word)
  local plain = {}
  for _, name in ipairs(ok and names or {}) do
    if utf8.len(name) and not name:find "[%c\"'\\]" then plain[#plain + 1] = name end
  end
  return plain, word
end

--- For larder.cli.line.
---@param environment table
---@return fun(line: string): string, string[] what is to be added; and what there is to choose from
return function(environment)
  return function(line)
    local names, word = stored_names(line, environment)
    if not names then
      local path
      path, word = line:match "([%a_][%w_.:]*)[.:]([%w_]*)$"
      if not path then path, word = "", line:match "([%a_][%w_]*)$" or "" end
      local value = value_of(path, environment)
      names = value ~= nil and names_in(value) or {}
    end
    local choices = beginning_with(word, names)
    return common_beginning(choices):sub(#word + 1), choices
  end
end
