-- sources.lua -- the rockspec lists what is in the tree: every C file of the core and the binding, every Lua module.
local tree = dofile(arg[0]:gsub("[^/]*$", "tree.lua"))

local ROCKSPEC = "rockspec/larder-scm-1.rockspec"

local function load_rockspec()
  local rockspec = {}
  assert(load(tree.read(ROCKSPEC), "=" .. ROCKSPEC, "t", rockspec))()
  return rockspec.build.modules
end

-- lua/larder/cli/copy.lua -> larder.cli.copy
local function module_name(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

-- Both are sets of names.
local function compare(what, listed, there)
  for name in pairs(there) do
    if not listed[name] then tree.finding("%s: %s %s is in the tree and not listed", ROCKSPEC, what, name) end
  end
  for name in pairs(listed) do
    if not there[name] then tree.finding("%s: %s %s is listed and not in the tree", ROCKSPEC, what, name) end
  end
end

local function set(list)
  local found = {}
  for _, name in ipairs(list) do found[name] = true end
  return found
end

local modules = load_rockspec()
compare("source", set(modules["larder.core"].sources), set(tree.files("%.c$", "csrc")))
local listed, there = {}, {}
for name, path in pairs(modules) do
  if type(path) == "string" then listed[name .. " = " .. path] = true end
end
for _, path in ipairs(tree.files("%.lua$", "lua")) do there[module_name(path) .. " = " .. path] = true end
compare("module", listed, there)
tree.finish()
