-- includes.lua -- dependencies point down only. Reads the #include lines.
local tree = dofile(arg[0]:gsub("[^/]*$", "tree.lua"))

-- Who may include a header of another library.
local allowed = {
  ["lua.h"] = "^csrc/bind/", ["lauxlib.h"] = "^csrc/bind/", ["lualib.h"] = "^csrc/bind/", ["luaconf.h"] = "^csrc/bind/",
  ["lmdb.h"] = "^csrc/engines/lmdb[%w_]*%.[ch]$",
  ["zlib.h"] = "^csrc/gzip%.c$",
  ["cjson/cJSON.h"] = "^csrc/json%.c$", ["cJSON.h"] = "^csrc/json%.c$",
}

-- The ground, and what else of the core an engine may know.
local ground = { base = true, env = true, folder = true, tuple = true, value = true, json = true, crc32c = true, base64 = true }
local port = { base = true, env = true, engine = true, folder = true, mirror = true }

-- Whether a name is of a noun of the set: json_scan is of json.
local function is_of(set, name)
  return set[name] or set[name:match "^[^_]+"] or false
end

-- The path of a local include, below the root: csrc/bind/x.c, "../base.h" -> csrc/base.h
local function resolve(path, included)
  local at = path:gsub("[^/]*$", "") .. included
  repeat
    local count
    at, count = at:gsub("[^/]+/%.%./", "", 1)
  until count == 0
  if not tree.has(at) and tree.has("csrc/" .. included) then return "csrc/" .. included end
  return at
end

local function check_foreign(path, number, header)
  local who = allowed[header]
  if who and not path:find(who) then
    tree.finding("%s:%d: <%s> belongs to %s only", path, number, header, who:gsub("[%^$%%]", ""))
  end
end

local function check_engine(path, number, target)
  if target:find "^csrc/engines/" or port[target:match "^csrc/([%w_]+)%.h$"] then return end
  tree.finding("%s:%d: an engine knows base.h, env.h, engine.h, folder.h, mirror.h and headers in engines/, not %s", path, number, target)
end

local function check_layer(path, number, target)
  if target:find "^csrc/bind/" or target:find "^csrc/engines/" then
    tree.finding("%s:%d: the core does not know %s", path, number, target)
  end
  local noun = path:match "^csrc/([%w_]+)%."
  if is_of(ground, noun) and not is_of(ground, target:match "([%w_]+)%.h$" or target) then
    tree.finding("%s:%d: the ground does not know the layers: %s", path, number, target)
  end
end

local function check_local(path, number, target)
  if target:find "^spec/" then return tree.finding("%s:%d: the library does not know %s", path, number, target) end
  if path:find "^csrc/engines/" then return check_engine(path, number, target) end
  if not path:find "^csrc/bind/" then check_layer(path, number, target) end
end

for _, path in ipairs(tree.files("%.[ch]$", "csrc")) do
  for number, line in tree.lines(path) do
    local open, header = line:match '^%s*#%s*include%s*([<"])([^>"]+)'
    if header then check_foreign(path, number, header) end
    if open == '"' then check_local(path, number, resolve(path, header)) end
  end
end
tree.finish()
