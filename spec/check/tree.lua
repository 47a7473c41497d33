-- tree.lua -- the files of the project, and how a rule ends. A rule is a script that takes the root folder (".") as its argument.
local tree = { root = arg[1] or "." }

local findings = {}

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The paths below the folders, relative to the root, that match the pattern; sorted.
---@param pattern string
---@param ... string folders
---@return string[]
function tree.files(pattern, ...)
  local listing <close> = assert(io.popen(("cd %s && find %s -type f 2>/dev/null"):format(
    quote(tree.root), table.concat({ ... }, " "))))
  local paths = {}
  for path in listing:lines() do
    path = path:gsub("^%./", "")
    if path:find(pattern) and not path:find "^build/" and not path:find "^%.git/" then paths[#paths + 1] = path end
  end
  table.sort(paths)
  return paths
end

---@param path string relative to the root
---@return string
function tree.read(path)
  local file <close> = assert(io.open(tree.root .. "/" .. path, "rb"))
  return file:read "a"
end

--- The lines of a file, with their numbers.
---@param path string
function tree.lines(path)
  local number = 0
  local following = (tree.read(path) .. "\n"):gsub("\n\n$", "\n"):gmatch "(.-)\n"
  return function()
    number = number + 1
    local line = following()
    return line and number, line
  end
end

---@param path string
---@return boolean
function tree.has(path)
  local file = io.open(tree.root .. "/" .. path, "rb")
  return file ~= nil and file:close()
end

function tree.finding(...)
  findings[#findings + 1] = string.format(...)
end

--- End the script: print what was found and fail when there was anything.
function tree.finish()
  for _, finding in ipairs(findings) do print(finding) end
  os.exit(#findings == 0)
end

return tree
