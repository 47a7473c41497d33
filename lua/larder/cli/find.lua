--- larder find: what a filter matches.
local arguments = require "larder.cli.arguments"
local grid = require "larder.cli.grid"
local json = require "larder.cli.json"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local COLUMNS_FROM = 200

local find = {
  name = "find",
  summary = "Find documents, or look through a map.",
  description = [[Print the documents that a filter matches, all without one. With --map the keys and values of a
map.]],
  example = {
    "larder find lmdb:./data plans",
    [[larder find lmdb:./data plans '{"status": "open"}' --sort=-cost,title --limit 20 --select title,cost]],
    "larder find --json lmdb:./data plans",
    "larder find lmdb:./data plans --count",
    [[larder find lmdb:./data plans '{"status": "open"}' --explain]],
    "larder find --map lmdb:./data seen --prefix a",
  },
}

function find.declare(command)
  arguments.url(command)
  command:argument("name", "The collection.")
  command:argument("where", [[A filter, as MongoDB's: '{"age": {"$gte": 18}}']]):args "?"
  command:option("--sort", "Fields; a descending one has a minus in front."):argname "<a,-b>"
  command:option("--select", "Fields to print; the id comes along."):argname "<a,b>"
  arguments.count(command, "--limit", "Print at most so many.")
  arguments.count(command, "--offset", "Leave out the first so many.")
  command:option("--after", "Go on behind the place that a find with --limit told."):argname "<place>"
  command:option("--prefix", "With --map: keys that begin so."):argname "<key>"
  command:mutex(
    command:flag("--count", "Print how many there are."),
    command:option("--distinct", "Print the values of this field."):argname "<field>",
    command:flag("--explain", "Print how they would be found, and by which index."),
    command:flag("--map", "The name is that of a map."))
  arguments.json(command)
end

local function query_of(args)
  return { where = arguments.object(args.where, "filter"), sort = arguments.names(args.sort), select = arguments.names(args.select),
    limit = args.limit, offset = args.offset, after = args.after }
end

--- The names of the fields of some documents: the id first, the others in order.
local function field_names(documents, key)
  local seen, names = { [key] = true }, {}
  for _, document in ipairs(documents) do
    for name in pairs(document) do
      if type(name) == "string" and not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  table.insert(names, 1, key)
  return names
end

--- The columns are those of the first documents.
local function print_table(next_document, key)
  local first = {}
  for document in next_document do
    first[#first + 1] = document
    if #first == COLUMNS_FROM then break end
  end
  local rows = grid.new(field_names(first, key), { whole = { key } })
  for _, document in ipairs(first) do rows:add(document) end
  if #first == COLUMNS_FROM then
    for document in next_document do rows:add(document) end
  end
  rows:finish()
end

local function print_documents(next_document, collection, args)
  if not args.json then return print_table(next_document, collection:key()) end
  for document in next_document do terminal.print(json.text(document)) end
end

local function find_page(collection, query, args)
  local documents, place = collection:find(query)
  local at = 0
  print_documents(function()
    at = at + 1
    return documents[at]
  end, collection, args)
  if place then terminal.note("there are more: --after '%s'", place) end
end

local function print_map(map, args)
  local options = { limit = args.limit, prefix = args.prefix and arguments.key(args.prefix) }
  local rows = not args.json and grid.new({ "key", "value" }, { whole = { "key" } })
  for key, value in map:range(options) do
    if rows then rows:add { key = key, value = value } else terminal.print(json.text { key = key, value = value }) end
  end
  if rows then rows:finish() end
end

local function print_values(values)
  for _, value in ipairs(values) do terminal.print(json.text(value)) end
end

--- What would be passed over is refused.
local function check(args)
  local mode = args.map and "map" or args.count and "count" or args.distinct and "distinct"
  local allowed = { map = { limit = true, prefix = true }, count = { where = true }, distinct = { where = true } }
  for _, name in ipairs { "where", "sort", "select", "limit", "offset", "after", "prefix" } do
    local fits = not mode and name ~= "prefix" or mode and allowed[mode][name]
    if args[name] and not fits then
      local option = name == "where" and "a filter" or "--" .. name
      if not mode then arguments.refuse("%s goes with --map only", option) end
      arguments.refuse("%s does not go with --%s", option, mode)
    end
  end
end

--- A name that was mistyped looks like a collection without documents.
local function say_if_missing(names, kind, name)
  for _, there in ipairs(names) do
    if there == name then return end
  end
  terminal.note("larder: there is no %s %s", kind, text.plain(name))
end

function find.run(args)
  check(args)
  local store <close> = arguments.look(args.url)
  local query = query_of(args)
  say_if_missing(args.map and store:maps() or store:collections(), args.map and "map" or "collection", args.name)
  if args.map then return print_map(store:map(args.name), args) end
  local collection = store:collection(args.name)
  if args.count then
    terminal.print(tostring(collection:count(query.where)))
  elseif args.distinct then
    print_values(collection:distinct(args.distinct, query.where))
  elseif args.explain then
    terminal.print(json.text(collection:explain(query), not args.json))
  elseif query.limit then
    find_page(collection, query, args)
  else
    print_documents(collection:each(query), collection, args)
  end
end

return find
