-- The examples of README.md: each block of Lua is a program that runs as it is pasted.
local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function run_in_folder(folder, program)
  local path = folder .. "/program.lua"
  do
    local file <close> = assert(io.open(path, "w"))
    file:write(program)
  end
  -- The search paths of the specs are relative to the project.
  local here = io.popen("pwd"):read "l"
  local function absolute(paths)
    return (paths:gsub("[^;]+", function(one) return one:find "^/" and one or here .. "/" .. one end))
  end
  local command = ("cd '%s' && LUA_PATH='%s' LUA_CPATH='%s' '%s' program.lua 2>&1"):format(
    folder, absolute(package.path), absolute(package.cpath), os.getenv "LUA" or "lua5.4")
  local pipe = io.popen(command)
  local output = pipe:read "a"
  return pipe:close(), output
end

describe("README.md", function()
  local readme = read_file "README.md"
  local count = 0

  for program in readme:gmatch "```lua\n(.-)```" do
    count = count + 1
    local line = select(2, readme:sub(1, readme:find(program, 1, true)):gsub("\n", "")) + 1
    it("has an example that works at line " .. line, function()
      local folder = os.tmpname()
      os.remove(folder)
      os.execute("mkdir " .. folder)
      local ok, output = run_in_folder(folder, program)
      os.execute("rm -r " .. folder)
      assert.is_true(ok, output)
    end)
  end

  it("has examples", function() assert.is_true(count >= 6) end)

  it("begins with the two commands", function()
    assert.truthy(readme:find("^# Larder.-```sh\nmake demo.-\nmake test"))
  end)
end)
