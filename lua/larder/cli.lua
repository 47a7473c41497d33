--- The command `larder`: what was typed is read here, and what went wrong becomes an exit code. A command is a file in cli/, a table:
---
---     { name = "get", summary = "...", example = { "larder get lmdb:./data plans 7" },
---       declare = function(command) end,      -- its arguments; see larder.cli.arguments
---       run = function(args) return code end, -- nil is 0
---       actions = { ... } }                   -- instead of run: tables of the same kind, `larder rooms list`
---
--- Whatever ends a command, Ctrl-C too, is an error in it: stores are closed and transactions rolled back on the way out.
local argparse = require "argparse"
local completion = require "larder.cli.completion"
local core = require "larder.core"
local json = require "larder.cli.json"
local signals = require "larder.cli.signals"
local terminal = require "larder.cli.terminal"

local cli = {}

--- Exit codes. `larder --help` tells them, too.
cli.OK, cli.NO, cli.USAGE, cli.FAILED, cli.RETRY, cli.SIGNAL = 0, 1, 2, 3, 4, 128

local names = {
  "info", "stats", "get", "put", "delete", "find", "rooms", "queue", "dump", "load", "copy", "backup", "restore", "verify", "recover",
  "migrate", "shell",
}

local description = [[
Look at, check, move and mend stores. A store is named by its URL, such as lmdb:./data;
"-" is the one that the environment names (LARDER_URL, or STORAGE_TYPE and STORAGE_PATH).]]

local epilog = [[
Exit codes:
   0   done
   1   not found, a check that failed, or a question that was answered with no
   2   the command line is wrong, or --yes is missing where nobody can be asked
   3   the store refused or failed; the message ends in the error's code
   4   the same, but trying again may do
   130 Ctrl-C (128 and the number of the signal); nothing half-done is left

Results go to standard output, all else to standard error. NO_COLOR is respected.
`larder COMMAND --help` has examples; `larder completion bash` and `zsh` print completion scripts.]]

-- ---- the command line ----

local function has_json(argv)
  for _, word in ipairs(argv) do
    if word == "--json" then return true end
  end
  return false
end

--- argparse calls it with the parser of the command that was meant.
local function refuser(argv)
  return function(parser, message)
    if has_json(argv) then
      terminal.note("%s", json.text { error = { message = message } })
    else
      terminal.note("%s\n\n%s %s", parser:get_usage(), terminal.red "larder:", message)
    end
    os.exit(cli.USAGE, true)
  end
end

local function examples(of)
  local word = #of.example == 1 and "Example:" or "Examples:"
  return word .. "\n   " .. table.concat(of.example, "\n   ")
end

local function add(parent, of)
  local command = parent:command(of.name):summary(of.summary):description(of.description or of.summary)
  if of.example then command:epilog(examples(of)) end
  if of.declare then of.declare(command) end
  if not of.actions then return end
  command:command_target "action":require_command(true)
  for _, action in ipairs(of.actions) do add(command, action) end
end

local function show_version()
  print("larder " .. core.version)
  os.exit(cli.OK, true)
end

local function build(commands, argv)
  local parser = argparse("larder", description, epilog):command_target "command":require_command(true)
  parser.error = refuser(argv)
  parser:flag "--version":description "Print the version and exit.":action(show_version)
  parser:add_help_command { epilog = examples { example = { "larder help find" } } }
  for _, name in ipairs(names) do
    commands[name] = require("larder.cli." .. name)
    add(parser, commands[name])
  end
  completion.add(parser, examples(completion))
  return parser
end

local function chosen(commands, args)
  local command = commands[args.command]
  for _, action in ipairs(command.actions or {}) do
    if action.name == args.action then return action end
  end
  return command
end

-- ---- how it ends ----

local function as_json(problem)
  local code = type(problem) == "table" and problem.code or nil
  local message = type(problem) == "table" and (problem.usage or problem.message) or tostring(problem)
  return json.text { error = { message = message, code = code, op = code and problem.op, retryable = code and problem.retryable } }
end

--- An error object of the library, `{ usage = message }` of a command, or anything: a mistake in a program.
local function code_of(problem)
  if type(problem) ~= "table" then return cli.FAILED end
  if problem.usage then return cli.USAGE end
  return problem.retryable and cli.RETRY or cli.FAILED
end

local function explain(problem, args)
  if args.json then return terminal.note("%s", as_json(problem)) end
  terminal.note("%s %s", terminal.red "larder:", type(problem) == "table" and problem.usage or tostring(problem))
end

local function with_trace(problem)
  return type(problem) == "string" and problem:find "^[^ ]+%.lua:%d+: " and debug.traceback(problem, 2) or problem
end

local function run(command, args)
  local ok, result = xpcall(command.run, with_trace, args)
  local signal = signals.caught()
  if signal and not ok then terminal.note "interrupted" end
  if signal and (not ok or (result or 0) ~= 0) then return cli.SIGNAL + signal end
  if not ok then
    explain(result, args)
    return code_of(result)
  end
  return result or cli.OK
end

local function flush()
  local done, why = io.stdout:flush()
  if done then return true end
  terminal.note("larder: standard output: %s", why)
  return false
end

---@param argv string[]
---@return integer code for os.exit
function cli.main(argv)
  local commands = {}
  core.fill_files()
  signals.catch()
  local args = build(commands, argv):parse(argv)
  local code = run(chosen(commands, args), args)
  return flush() and code or code == cli.OK and cli.FAILED or code
end

return cli
