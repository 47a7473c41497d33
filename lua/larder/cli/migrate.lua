--- larder migrate: the migrations of a directory, run in a store.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local larder = require "larder"
local progress = require "larder.cli.progress"
local reports = require "larder.cli.migrations"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

--- Options of the library that are flags here.
local ACCEPTS = {
  { "out_of_order", "--out-of-order", "Accept one that was not run though a later one was." },
  { "changed", "--changed", "Accept what was changed since it was run." },
  { "missing", "--missing", "Accept what was run and is gone." },
  { "gaps", "--gaps", "Accept missing numbers." },
}

local function declare(command)
  arguments.url(command)
  command:argument("directory", "Where the files 0001_name.lua are.")
  for _, accept in ipairs(ACCEPTS) do command:flag(accept[2], accept[3]):target(accept[1]) end
  arguments.json(command)
end

local function declare_run(command)
  declare(command)
  arguments.dry_run(command)
  command:flag("--restart", "Batches that were begun begin anew.")
  arguments.count(command, "--batches", "Run at most so many batches, then stop.")
  arguments.count(command, "--pause-ms", "Wait so many ms between two batches.")
  command:option("--program", "The version of your program, for the history."):argname "<version>"
end

local function options_of(args)
  local options = {}
  for _, accept in ipairs(ACCEPTS) do options[accept[1]] = args[accept[1]] end
  return options
end

local function open(args)
  return args.writes and arguments.open(args.url, args.create, args.dry_run) or arguments.look(args.url)
end

local function migrations_of(store, args)
  return larder.migrations(store, args.directory, options_of(args))
end

-- ---- what was done ----

local function show_changes(entry)
  for _, place in ipairs(entry.changes or {}) do
    terminal.print(("  %s %s: %d read, %d written, %d deleted"):format(place.kind, text.plain(place.name or ""), place.read, place.written,
      place.deleted))
    for _, sample in ipairs(place.samples) do
      terminal.print(text.plain(("    %s: %s -> %s"):format(grid.shown(sample.key), grid.shown(sample.before), grid.shown(sample.after))))
    end
  end
end

local function show(report, args)
  if args.json then return reports.print_json(report, args.dry_run) end
  for _, entry in ipairs(report) do
    terminal.print(("%s %04d %s  %s"):format(entry.direction, entry.version, text.plain(entry.name), text.duration(entry.took)))
    if entry.seen then
      terminal.print(("  %d of %d documents: %d changed, %d deleted"):format(entry.seen, entry.total or entry.seen, entry.changed,
        entry.deleted))
    end
    for _, message in ipairs(entry.messages) do terminal.print("  " .. text.plain(message)) end
    show_changes(entry)
  end
  if #report == 0 then terminal.note "nothing to do" end
  if report.paused then terminal.note "paused; the next run goes on" end
  if args.dry_run then terminal.note "nothing was changed" end
end

--- A call that runs migrations, with a bar for batches.
local function run(args, call)
  args.writes = true
  local store <close> = open(args)
  local report
  do
    local bar <close> = progress("migrate", args.json)
    local options = { dry_run = args.dry_run, restart = args.restart, batches = args.batches, pause_ms = args.pause_ms,
      program = args.program, progress = function(entry) bar:show(entry.seen or 0, entry.total) end }
    report = call(migrations_of(store, args), options)
  end
  show(report, args)
end

-- ---- the actions ----

local status = { name = "status", summary = "List the migrations, and what of them was run.",
  example = { "larder migrate status lmdb:./data ./migrations" }, declare = declare }

function status.run(args)
  local store <close> = open(args)
  local list, paused = migrations_of(store, args):status()
  if args.json then
    for _, one in ipairs(list) do terminal.print(json.text(one)) end
    return
  end
  for _, one in ipairs(list) do
    one.run, one.took = one.at and text.time(one.at), one.took and text.duration(one.took)
    one.problem = one.problem or one.gone and "the file is gone" or nil
  end
  grid.print({ "version", "name", "state", "run", "took", "problem" }, list, { optional = { "run", "took", "problem" } })
  if paused then terminal.note("paused since %s", text.time(paused)) end
end

local up = { name = "up", summary = "Run what was not run yet.", declare = declare_run, example = {
  "larder migrate up --dry-run lmdb:./data ./migrations", "larder migrate up lmdb:./data ./migrations" } }

function up.declare(command)
  declare_run(command)
  command:option("--to", "Up to this version."):argname "<version>":convert(arguments.whole(0, "--to"))
  arguments.create(command)
end

function up.run(args)
  run(args, function(migrations, options)
    options.to = args.to
    return migrations:up(options)
  end)
end

local function may_lose(args, what)
  return args.dry_run or arguments.sure(args, "%s in %s?", what, args.url)
end

local down = { name = "down", summary = "Take back what was run last.",
  example = { "larder migrate down --yes lmdb:./data ./migrations" } }

function down.declare(command)
  declare_run(command)
  arguments.count(command, "-c --count", "How many; 1 without.", 1)
  arguments.yes(command)
end

function down.run(args)
  if not may_lose(args, ("take back %d migrations"):format(args.count or 1)) then return 1 end
  run(args, function(migrations, options)
    options.n = args.count
    return migrations:down(options)
  end)
end

local redo = { name = "redo", summary = "Take back the last one and run it again.",
  example = { "larder migrate redo --yes lmdb:./data ./migrations" } }

function redo.declare(command)
  declare_run(command)
  arguments.yes(command)
end

function redo.run(args)
  if not may_lose(args, "redo the last migration") then return 1 end
  run(args, function(migrations, options) return migrations:redo(options) end)
end

local to = { name = "to", summary = "Go to a version, up or down.", example = { "larder migrate to --yes lmdb:./data ./migrations 1" } }

function to.declare(command)
  declare_run(command)
  command:argument("version", "0 is before the first."):convert(arguments.whole(0, "version"))
  arguments.yes(command)
end

function to.run(args)
  if not may_lose(args, ("go to version %d"):format(args.version)) then return 1 end
  run(args, function(migrations, options) return migrations:to(args.version, options) end)
end

local validate = { name = "validate", summary = "Say what speaks against running; exit code 1 when something does.",
  example = { "larder migrate validate lmdb:./data ./migrations" }, declare = declare }

function validate.run(args)
  local store <close> = open(args)
  local problems = migrations_of(store, args):validate()
  for _, problem in ipairs(problems) do
    terminal.print(args.json and json.text(problem) or text.plain(problem.message))
  end
  return #problems > 0 and 1 or 0
end

local baseline = { name = "baseline", summary = "Enter all up to a version as done, without running them.",
  example = { "larder migrate baseline --create lmdb:./new ./migrations 1" } }

function baseline.declare(command)
  declare(command)
  command:argument("version", "The last one."):convert(arguments.whole(1, "version"))
  arguments.dry_run(command)
  arguments.create(command)
end

function baseline.run(args)
  run(args, function(migrations)
    return args.dry_run and reports.preview_baseline(migrations, args.version) or migrations:baseline(args.version)
  end)
end

-- ---- stopping others ----

local function declare_store(command)
  arguments.url(command)
  arguments.dry_run(command)
  arguments.json(command)
end

--- Pause or resume all migrators of the store, whatever their directory; whether that changes anything.
local function call_for_all(args, method)
  args.writes = true
  local store <close> = open(args)
  local migrations = larder.migrations(store, {})
  if not args.dry_run then return migrations[method](migrations) end
  local _, since = migrations:status()
  return (since == nil) == (method == "pause")
end

--- "paused" or "resumed", and what is to be said then and else.
local function on_all(method, done, summary, next_step, otherwise)
  local action = { name = method, summary = summary, declare = declare_store }
  action.example = { ("larder migrate %s lmdb:./data"):format(method) }
  function action.run(args)
    local changes = call_for_all(args, method)
    arguments.tell(args, { [done] = changes }, "%s", not changes and otherwise or args.dry_run and "would be " .. done or done .. next_step)
  end
  return action
end

local pause = on_all("pause", "paused", "Let no migration and no batch begin, whoever runs them, until resume.",
  "; larder migrate resume ends that", "was paused already")
local resume = on_all("resume", "resumed", "End a pause.", "; larder migrate up goes on", "was not paused")

return {
  name = "migrate",
  summary = "Run data migrations.",
  example = { "larder migrate status lmdb:./data ./migrations", "larder migrate up --dry-run lmdb:./data ./migrations" },
  actions = { status, up, down, redo, to, validate, baseline, pause, resume },
}
