-- shell.lua -- folders of their own and commands, for the specs of the build.
local shell = {}

---@param text string
---@return string one word for a shell
function shell.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Run a command.
---@param command string
---@return boolean ok whether it ended with status 0
---@return string output what it printed, errors too
---@return integer status
function shell.run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1 </dev/null"))
  local output = pipe:read "a"
  local ok, _, status = pipe:close()
  return ok or false, output, status
end

--- Run a command that has to succeed.
---@return string output
function shell.must(command)
  local ok, output = shell.run(command)
  if not ok then error(command .. "\n" .. output, 2) end
  return output
end

--- A new empty folder; remove it.
---@return string
function shell.folder()
  return (shell.must "mktemp -d":gsub("\n$", ""))
end

---@param path string
function shell.remove(path)
  shell.must("rm -rf " .. shell.quote(path))
end

--- Write a file, and the folders above it.
---@param path string
---@param text string
function shell.write(path, text)
  shell.must("mkdir -p " .. shell.quote(path:gsub("[^/]*$", "")))
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

--- Copy the sources, without what was built, so that a build leaves nothing beside them.
---@param folder string
function shell.copy_sources(folder)
  shell.must("cp -R .ci Makefile LICENSE csrc lua rockspec spec examples " .. shell.quote(folder))
end

---@param name string
---@return boolean whether there is such a program
function shell.has(name)
  return (shell.run("command -v " .. name))
end

return shell
