--- larder get: documents, or values of a map, by their ids.
local arguments = require "larder.cli.arguments"
local json = require "larder.cli.json"
local terminal = require "larder.cli.terminal"

local get = {
  name = "get",
  summary = "Print documents by their ids.",
  description = [[Print documents by their ids, or with --map values of an ordered map by their keys. Exit code 1
when one is not there.]],
  example = {
    "larder get lmdb:./data plans 7",
    "larder get --json --map lmdb:./data seen ada '[\"ada\", 2]'",
  },
}

function get.declare(command)
  arguments.url(command)
  command:argument("name", "The collection.")
  command:argument("id", [[7 is the number, '"7"' the text; of a map also '["ada", 2]'. -- goes before -7.]]):args "+"
  command:flag("--map", "The name is that of a map.")
  arguments.json(command)
end

function get.run(args)
  local store <close> = arguments.look(args.url)
  local from = args.map and store:map(args.name) or store:collection(args.name)
  local code
  for _, id in ipairs(args.id) do
    local value = from:get(arguments.key(id))
    if value == nil then
      terminal.note("larder: %s: there is no %s", args.name, id)
      code = 1
    else
      terminal.print(json.text(value, not args.json))
    end
  end
  return code
end

return get
