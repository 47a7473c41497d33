--- From what larder.files gets to what core.files takes: a provider's name and its options as text.
local core = require "larder.core"
local config = require "larder.config"

local files = {}

local OP <const> = "larder.files"

--- Other names of providers in URLs.
local same = { file = "local" }

local function check_table(options, what)
  if options ~= nil and type(options) ~= "table" then
    core.fail(OP, ("%s: expected a table, got a %s"):format(what, type(options)))
  end
  return options or {}
end

--- "./uploads", which has no scheme, is a path as it stands; so is "./a:b".
local function from_text(where)
  if not where:find "^%a[%w+.-]*:" then return { provider = "local", path = where } end
  local options = config.parse_url(where, OP)
  options.provider, options.engine = same[options.engine] or options.engine, nil
  return options
end

local function as_text(name, value)
  local kind = math.type(value) or type(value)
  if kind == "string" then return value end
  if kind == "integer" then return tostring(value) end
  core.fail(OP, ("option %s: expected text or a whole number, got a %s"):format(name, kind))
end

--- A table may have a `url`, as that of larder.open; what stands beside it goes before what the URL says.
local function from_table(where)
  if where.url == nil then return where end
  if type(where.url) ~= "string" then
    core.fail(OP, ("option url: expected a string, got a %s"):format(type(where.url)))
  end
  local options = from_text(where.url)
  for name, value in pairs(where) do
    if name ~= "url" then options[name] = value end
  end
  return options
end

---@param where string|table
---@param more? table
---@return string provider
---@return table<string, string> options
function files.resolve(where, more)
  if type(where) ~= "string" and type(where) ~= "table" then
    core.fail(OP, ("expected a path, a URL or a table of options, got a %s"):format(type(where)))
  end
  local found = type(where) == "string" and from_text(where) or from_table(where)
  local provider, texts = "local", {}
  for _, options in ipairs{ found, check_table(more, "options") } do
    for name, value in pairs(options) do
      if type(name) ~= "string" then core.fail(OP, "options: expected names as keys") end
      if name == "provider" then provider = as_text(name, value) else texts[name] = as_text(name, value) end
    end
  end
  return provider, texts
end

return files
