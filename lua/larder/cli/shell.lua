--- larder shell: a Lua prompt with `store`, `rooms` and `q`. Results are printed; what is not finished goes on in the next line.
---
--- At a terminal lines are edited by larder.cli.line; a script may come from a pipe, and ends at its first error.
local arguments = require "larder.cli.arguments"
local complete_in = require "larder.cli.complete"
local history = require "larder.cli.history"
local json = require "larder.cli.json"
local larder = require "larder"
local read_line = require "larder.cli.line"
local show = require "larder.cli.show"
local signals = require "larder.cli.signals"
local terminal = require "larder.cli.terminal"

local shell = {
  name = "shell",
  summary = "A Lua prompt with store, rooms and q.",
  description = [[A Lua prompt with store, rooms (store:rooms()), q (larder.q), larder and json(value). Values are
printed; = is not needed. Tab completes methods and, in quotes, names of what is stored; the arrows
go through the history (LARDER_HISTORY, ~/.larder_history). Ctrl-C ends what runs, Ctrl-D the
shell.]],
  example = {
    "larder shell lmdb:./data",
    [[larder shell lmdb:./data -e 'for name in rooms:names() do print(name) end']],
    "echo 'store:collection(\"plans\"):count()' | larder shell --read-only lmdb:./data",
  },
}

function shell.declare(command)
  arguments.url(command)
  command:option("-e", "Run this instead of asking; can be given again."):target "execute":argname "<lua>":count "*"
  command:flag("--read-only", "Nothing can be changed.")
  arguments.create(command)
end

-- ---- running ----

local function environment_of(store)
  local environment = { store = store, rooms = store:rooms(), q = larder.q, larder = larder, null = larder.null }
  function environment.json(value) terminal.print(json.text(value, true)) end
  return setmetatable(environment, { __index = _G })
end

--- As an expression, else as statements.
local function compile(source, environment)
  local chunk = load("return " .. source, "=shell", "t", environment)
  if chunk then return chunk end
  return load(source, "=shell", "t", environment)
end

local function is_unfinished(message)
  return message ~= nil and message:find "<eof>'?$" ~= nil
end

local function print_results(results)
  for i = 2, results.n do terminal.print(show(results[i])) end
end

--- Whether it ran to its end.
local function run(chunk)
  local results = table.pack(xpcall(chunk, function(problem)
    return type(problem) == "string" and debug.traceback(problem, 2):gsub("\n%s*%[C%]: in function 'xpcall'.*", "") or problem
  end))
  if results[1] then
    print_results(results)
    return true
  end
  terminal.note("%s", tostring(results[2]))
  return false
end

local function run_text(source, environment)
  local chunk, problem = compile(source, environment)
  if chunk then return run(chunk) end
  terminal.note("%s", problem)
  return false
end

-- ---- the prompt ----

--- Lines up to a whole chunk. nil: the end; false: cancelled.
local function read_chunk(environment, past, complete)
  local source
  repeat
    local line, cancelled = read_line(source and "     >> " or "larder> ", past.lines, complete)
    if not line then return nil end
    if cancelled then return false end
    past:add(line)
    source = source and source .. "\n" .. line or line
    local chunk, problem = compile(source, environment)
  until chunk or not is_unfinished(problem)
  return source
end

--- Ctrl-C while something ran: the prompt is there again, and can be interrupted again. Other signals end the shell.
local function talk(environment)
  local past, complete = history(), complete_in(environment)
  while true do
    local source = read_chunk(environment, past, complete)
    if source == nil then return end
    if source and source:find "%S" then run_text(source, environment) end
    local signal = signals.caught()
    if signal and signal ~= signals.SIGINT then return 128 + signal end
  end
end

local function execute(sources, environment)
  for _, source in ipairs(sources) do
    if not run_text(source, environment) then return 3 end
  end
end

local function read_script()
  local source, problem = io.read "a"
  if not source then arguments.refuse("standard input: %s", problem) end
  return source
end

function shell.run(args)
  local store <close> = args.read_only and arguments.look(args.url) or arguments.open(args.url, args.create)
  local environment = environment_of(store)
  if #args.execute > 0 then return execute(args.execute, environment) end
  if not terminal.can_ask() then return execute({ read_script() }, environment) end
  terminal.note("larder %s, %s. Ctrl-D ends.", larder.version, tostring(store))
  return talk(environment)
end

return shell
