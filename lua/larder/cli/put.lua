--- larder put: documents from the command line or from standard input, all or none.
local arguments = require "larder.cli.arguments"
local json = require "larder.cli.json"
local terminal = require "larder.cli.terminal"
local text = require "larder.cli.text"

local put = {
  name = "put",
  summary = "Write documents.",
  description = [[Write documents given as JSON, or from standard input: an array, or one a line. In one
transaction: all or none. A document without an id gets one.]],
  example = {
    [[larder put --create lmdb:./data plans '{"id": 7, "title": "paint the attic", "status": "open"}']],
    [[echo '{"id": 8, "title": "sell the boat"}' | larder put lmdb:./data plans]],
    [[larder put --patch lmdb:./data plans '{"id": 7, "status": "done"}']],
    [[larder put --map lmdb:./data seen ada '{"at": 1709319601000}']],
  },
}

function put.declare(command)
  arguments.url(command)
  command:argument("name", "The collection.")
  command:argument("json", "A document; with --map a key and a value.", nil, nil, "*"):target "values"
  command:mutex(
    command:flag("--new", "Refuse documents that are there."),
    command:flag("--patch", "Change only the fields that are given of documents that are there."),
    command:flag("--map", "The name is that of a map."))
  arguments.create(command)
  arguments.dry_run(command)
  arguments.json(command)
end

--- Each line a document; a text over several lines is one document, or an array of them.
local function from_input(take)
  local line, problem = io.read "L"
  while line and line:find "^%s*$" do line, problem = io.read "L" end
  if problem then arguments.refuse("standard input: %s", problem) end
  if not line then return end
  local ok, first = pcall(json.value, line)
  if not ok then
    line, first = nil, json.value(line .. io.read "a")
  end
  if type(first) == "table" and #first > 0 then
    for _, document in ipairs(first) do take(document) end
  else
    take(first)
  end
  if not line then return end
  for next_line in io.lines() do
    if next_line:find "%S" then take(json.value(next_line)) end
  end
end

--- Read before the transaction, which may run twice.
local function documents_of(args)
  local documents = {}
  local function take(document)
    if type(document) ~= "table" then arguments.refuse("expected a document, got %s", json.text(document)) end
    documents[#documents + 1] = document
  end
  if #args.values == 0 then from_input(take) end
  for _, value in ipairs(args.values) do take(arguments.object(value, "document")) end
  return documents
end

--- Fields to set; the id says where.
local function patch(collection, document)
  local key = collection:key()
  local id = document[key]
  if id == nil then arguments.refuse("--patch: a document has no %s", key) end
  local changes = {}
  for name, value in pairs(document) do
    if name ~= key then changes[name] = value end
  end
  return collection:update(id, changes)
end

local function write(collection, document, args)
  if args.patch then return patch(collection, document) end
  if args.new or document[collection:key()] == nil then return collection:create(document) end
  return collection:put(document)
end

local function put_documents(tx, args, documents)
  local collection, stored = tx:collection(args.name), {}
  for _, document in ipairs(documents) do stored[#stored + 1] = write(collection, document, args) end
  return stored
end

local function put_value(store, args)
  if #args.values ~= 2 then arguments.refuse "--map: expected a key and a value" end
  local key, value = arguments.key(args.values[1]), arguments.value(args.values[2], "value")
  arguments.write(store, args, function(tx) tx:map(args.name):set(key, value) end)
  if args.json then terminal.print(json.text { key = key, value = value }) end
end

local function say(args, count, missing)
  terminal.note("%s: %d %swritten%s", text.plain(args.name), count, args.dry_run and "would be " or "",
    missing > 0 and (", %d not there"):format(missing) or "")
end

function put.run(args)
  local store <close> = arguments.open(args.url, args.create, args.dry_run)
  if args.map then
    put_value(store, args)
    return say(args, 1, 0)
  end
  local documents = documents_of(args)
  local stored = arguments.write(store, args, function(tx) return put_documents(tx, args, documents) end)
  for _, document in ipairs(args.json and stored or {}) do terminal.print(json.text(document)) end
  say(args, #stored, #documents - #stored)
  return #stored < #documents and 1 or 0
end

return put
