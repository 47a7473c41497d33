-- Completion of the command line, in the shells themselves: a terminal, which tmux plays, with a Tab in it.
local cli = require "cli"
local support = require "support"

local function has(user, shell)
  return cli.has_terminal and (user:type("command -v " .. shell)) == 0
end

local start = {
  bash = function(user, terminal)
    user:must "larder completion bash >script"
    terminal:enter "HISTFILE= bash --norc --noprofile" -- which would write it when the terminal is gone
    terminal:enter "PS1='% '; . ./script; clear"
  end,
  zsh = function(user, terminal)
    user:must "mkdir -p functions && larder completion zsh >functions/_larder && zsh -n functions/_larder"
    support.write_file(user:path ".zshrc", "fpath=($PWD/functions $fpath); autoload -U compinit && compinit -u -D; PS1='%% '; clear\n")
    terminal:enter "ZDOTDIR=. zsh -d"
  end,
}

for _, shell in ipairs { "bash", "zsh" } do
  describe("larder completion " .. shell, function()
    local user

    before_each(function()
      user = cli.new()
      user:must [[larder put --create lmdb:./data plans '{"id": 7}']]
    end)
    after_each(function() user:remove() end)

    -- What is typed, the Tab, and what is there then; a cursor is behind it.
    local function completes(terminal, typed, whole)
      terminal:text(typed)
      terminal:press "Tab"
      terminal:sees("% " .. whole)
      terminal:press("C-u")
      terminal:enter "clear"
    end

    it("completes commands, actions, options, their values and the paths in URLs", function()
      if not has(user, shell) then return pending(shell .. " or tmux is not here") end
      local terminal <close> = user:terminal(100)
      start[shell](user, terminal)
      terminal:sees "%"
      completes(terminal, "larder ver", "larder verify")
      completes(terminal, "larder rooms exp", "larder rooms exp") -- expire or export
      completes(terminal, "larder rooms expi", "larder rooms expire")
      completes(terminal, "larder find lmdb:./data plans --exp", "larder find lmdb:./data plans --explain")
      completes(terminal, "larder queue jobs lmdb:./data mail --state de", "larder queue jobs lmdb:./data mail --state de")
      completes(terminal, "larder queue jobs lmdb:./data mail --state dea", "larder queue jobs lmdb:./data mail --state dead")
      completes(terminal, "larder info lmdb:./da", "larder info lmdb:./data/")
      completes(terminal, "larder copy lmdb:./data lmdb:./da", "larder copy lmdb:./data lmdb:./data/")
      completes(terminal, "larder help mig", "larder help migrate")
    end)

    it("lists what there is to choose from", function()
      if not has(user, shell) then return pending(shell .. " or tmux is not here") end
      local terminal <close> = user:terminal(100)
      start[shell](user, terminal)
      terminal:text "larder migrate "
      terminal:press("Tab", "Tab")
      local screen = terminal:sees "validate"
      for _, action in ipairs { "status", "up", "down", "redo", "to", "baseline" } do
        assert.truthy(screen:find("%f[%w]" .. action .. "%f[%W]"), action)
      end
    end)
  end)
end
