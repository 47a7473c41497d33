-- budget.lua -- functions of at most 40 lines, C files of 500, Lua files of 250, headers of 200.
-- C is laid out by clang-format: a function begins in the first column and ends with a "}" there.
local tree = dofile(arg[0]:gsub("[^/]*$", "tree.lua"))

local FUNCTION_LINES = 40
local FILE_LINES = { c = 500, h = 200, lua = 250 }

local function check_file(path)
  local count, limit = 0, FILE_LINES[path:match "%.(%w+)$"]
  for number in tree.lines(path) do count = number end
  if count > limit then tree.finding("%s: %d lines, at most %d: look for the second noun", path, count, limit) end
end

local function check_length(path, first, last, name)
  local length = last - first + 1
  if length > FUNCTION_LINES then
    tree.finding("%s:%d: %s has %d lines, at most %d", path, first, name, length, FUNCTION_LINES)
  end
end

-- A line in the first column begins a declaration; the one whose lines up to the "{" have a "(" and no "=" is a function.
local function check_c_functions(path)
  local first, head, inside
  for number, line in tree.lines(path) do
    if inside then
      if line:find "^}" then
        check_length(path, first, number, head:match "([%w_]+)%s*%(" or "?")
        first, inside = nil, false
      end
    elseif line:find "^[%a_]" or (first and line:find "^%s+%S") then
      if line:find "^[%a_]" then first, head = number, "" end
      head = head .. line
      if line:find "{$" then
        inside = head:find "%(" and not head:find "=" and not head:find "^typedef" or false
        if not inside then first = nil end
      elseif line:find ";$" or line:find "}$" then
        first = nil
      end
    else
      first = nil
    end
  end
end

-- luac lists each function with its lines: function <name:first,last>
local function check_lua_functions(path)
  local listing <close> = assert(io.popen(("luac5.4 -l -p '%s/%s' 2>&1 || luac -l -p '%s/%s' 2>&1"):format(
    tree.root, path, tree.root, path)))
  for line in listing:lines() do
    local first, last = line:match "^function <.*:(%d+),(%d+)>"
    if first then check_length(path, tonumber(first), tonumber(last), "a function") end
  end
end

for _, path in ipairs(tree.files("%.[ch]$", "csrc", "spec/c", "spec/bench")) do
  check_file(path)
  check_c_functions(path)
end
for _, path in ipairs(tree.files("%.lua$", ".")) do check_file(path) end
for _, folder in ipairs { "lua", "examples", "spec/check", "spec/bench" } do
  for _, path in ipairs(tree.files("%.lua$", folder)) do check_lua_functions(path) end
end
tree.finish()
