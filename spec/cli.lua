--- `larder` as a user types it: processes of their own, in a folder of their own; and terminals, which tmux plays.
local port = require "larder_port"
local shell = require "check.shell"

local support = require "support"

local cli = {}

--- Other programs than ours run without the sanitizers that the specs may be run with.
local function must(command)
  return shell.must("unset LD_PRELOAD; " .. command)
end

local here = must("pwd"):gsub("\n$", "")

local function absolute(paths)
  return (paths:gsub("[^;]+", function(one) return one:find "^/" and one or here .. "/" .. one end))
end

local lua = os.getenv "LUA" or "lua5.4"

--- What a shell needs to find the command as `larder`.
local function prepare(folder)
  local preload = os.getenv "LD_PRELOAD" -- the sanitizers'
  local script = ("#!/bin/sh\nexec env %s LUA_PATH=%s LUA_CPATH=%s %s %s/lua/larder/cli/larder.lua \"$@\"\n"):format(
    preload and "LD_PRELOAD=" .. shell.quote(preload) or "", shell.quote(absolute(package.path)), shell.quote(absolute(package.cpath)), lua,
    shell.quote(here))
  must(("mkdir %s/bin"):format(shell.quote(folder)))
  support.write_file(folder .. "/bin/larder", script)
  must(("chmod +x %s/bin/larder"):format(shell.quote(folder)))
end

local settings = "env -u LARDER_URL -u STORAGE_TYPE -u STORAGE_PATH -u LOG_LEVEL -u NO_COLOR -u LD_PRELOAD"

--- A folder to type in.
function cli.new()
  local self = setmetatable({ folder = (must "mktemp -d":gsub("\n$", "")) }, { __index = cli })
  prepare(self.folder)
  return self
end

function cli:remove()
  must("rm -rf " .. shell.quote(self.folder))
end

function cli:path(name)
  return self.folder .. "/" .. name
end

local function environment(self)
  return ("PATH=%s:\"$PATH\" HOME=%s LARDER_HISTORY=%s"):format(shell.quote(self:path "bin"), shell.quote(self.folder),
    shell.quote(self:path ".history"))
end

--- Type a line into a shell; the exit code, what it printed, what it said on standard error.
function cli:type(line, input)
  support.write_file(self:path ".line", line .. "\n")
  support.write_file(self:path ".in", input or "")
  local command = ("cd %s && %s %s sh .line <.in >.out 2>.err"):format(shell.quote(self.folder), settings, environment(self))
  local _, _, code = os.execute(command)
  return code, support.read_file(self:path ".out"), support.read_file(self:path ".err")
end

--- A line that has to succeed: what it printed.
function cli:must(line, input)
  local code, out, err = self:type(line, input)
  if code ~= 0 then error(("%s\nexit code %d\n%s%s"):format(line, code, out, err), 2) end
  return out, err
end

-- ---- terminals ----

local terminal_methods = {}

local function tmux(self, ...)
  return must(("tmux -L %s -f /dev/null %s"):format(self.name, string.format(...)))
end

--- A terminal with a shell in it that knows `larder`.
function cli:terminal(columns, rows)
  local terminal = setmetatable({ name = "larder" .. port.getpid() .. "-" .. tostring(port.monotonic()):gsub("%D", "") },
    { __index = terminal_methods, __close = function(t) if not t.gone then t:quit() end end })
  local command = ("cd %s && %s %s LANG=C.UTF-8 PS1='$ ' sh"):format(shell.quote(self.folder), settings, environment(self))
  must(("LANG=C.UTF-8 LC_ALL=C.UTF-8 tmux -u -L %s -f /dev/null new-session -d -x %d -y %d %s"):format(
    terminal.name, columns or 80, rows or 24, shell.quote(command)))
  terminal:sees "$"
  return terminal
end

--- Keys as tmux names them: "Up", "C-c", "Enter".
function terminal_methods:press(...)
  tmux(self, "send-keys %s", table.concat({ ... }, " "))
end

--- Text, and Enter.
function terminal_methods:enter(text)
  tmux(self, "send-keys -l %s", shell.quote(text))
  self:press "Enter"
end

function terminal_methods:text(text)
  tmux(self, "send-keys -l %s", shell.quote(text))
end

--- The terminal is gone, and who is in it gets SIGHUP.
function terminal_methods:quit()
  tmux(self, "kill-server")
  self.gone = true
end

--- What is on the screen, without blanks at the ends of lines.
function terminal_methods:screen()
  return (tmux(self, "capture-pane -p"):gsub("\n+$", "\n"))
end

--- Wait until the text (a pattern, where `pattern`) is on the screen; fails after 20 s.
function terminal_methods:sees(text, pattern)
  local finish = port.monotonic() + 20
  local screen
  repeat
    screen = self:screen()
    if screen:find(text, 1, not pattern) then return screen end
    port.sleep(0.02)
  until port.monotonic() > finish
  error(("%q did not come:\n%s"):format(text, screen), 2)
end

cli.has_terminal = shell.has "tmux"

return cli
