--- What the methods of collections, rooms and maps read, write and delete; for the dry run. The rules are those of rule.lua.
local jobs = require "larder.migrate.jobs"
local rule = require "larder.migrate.rule"

local kind = {}

-- ---- collections ----

local function id_in(collection, document)
  if type(document) == "table" then return document[collection:key()] end
end

--- Touch the first of those that the filter finds. What cannot be found, the method itself complains about.
local function touch_found(place, collection, where)
  local ok, found = pcall(collection.find, collection, { where = where, limit = place:room_for_samples() })
  for _, document in ipairs(ok and found or {}) do place:touch(collection, id_in(collection, document), document) end
end

local function for_found(behind)
  return function(place, collection, method, where, ...)
    touch_found(place, collection, where)
    return behind(place, collection, method, where, ...)
  end
end

local function create(place, collection, method, ...)
  local document = collection[method](collection, ...)
  place.written = place.written + 1
  place:touch_new(id_in(collection, document))
  return document
end

local function uncounted(_, handle, method, ...)
  return handle[method](handle, ...)
end

kind.collection = {
  look = function(collection, id) return (collection:get(id)) end,
  rules = {
    get = rule.read_one, has = rule.read_one, first = rule.read_one, find = rule.read_list, each = rule.stepped, key = uncounted,
    create = create,
    put = rule.touching(id_in, rule.write_one),
    update = rule.touching(rule.first_argument, rule.write_one),
    delete = rule.touching(rule.first_argument, rule.delete_one),
    update_where = for_found(rule.write_many),
    delete_where = for_found(rule.delete_many),
    upgrade_all = rule.write_many,
  },
}

--- All of a collection goes.
function kind.count_drop(place, collection)
  touch_found(place, collection)
  place.deleted = place.deleted + collection:count()
end

-- ---- rooms ----

local function room_name(_, room)
  return type(room) == "table" and room.roomName or nil
end

local function rated(result) return result.rated and 1 or 0 end

--- Which ones go is known when they are gone: so it is done once, and taken back.
local function expire(place, rooms, method, ...)
  local arguments, names = table.pack(...), {}
  pcall(place.tx.update, place.tx, function(tx)
    names = select(2, tx:rooms():expire(table.unpack(arguments, 1, arguments.n)))
    error "taken back"
  end)
  for _, name in ipairs(names) do place:touch(rooms, name) end
  return rule.delete_many(place, rooms, method, ...)
end

kind.rooms = {
  look = function(rooms, name) return rooms:get(name) end,
  rules = {
    get = rule.read_one, has = rule.read_one, list = rule.read_list, each = rule.stepped, names = rule.stepped,
    matches = rule.read_list, check_password = rule.read_one,
    save = rule.touching(room_name, rule.counted("written", rule.always_one)),
    rate = rule.touching(rule.first_argument, rule.counted("written", rated)),
    delete = rule.touching(rule.first_argument, rule.delete_one),
    expire = expire,
    import = rule.write_many,
  },
}

-- ---- maps ----

local function delete_range(place, map, method, ends)
  local range = { limit = place:room_for_samples() }
  for name, value in pairs(type(ends) == "table" and ends or {}) do range[name] = value end
  pcall(function()
    for key, value in map:range(range) do place:touch(map, key, value) end
  end)
  return rule.delete_many(place, map, method, ends)
end

kind.map = {
  look = function(map, key) return map:get(key) end,
  rules = {
    get = rule.read_one, has = rule.read_one, first = rule.read_one, last = rule.read_one,
    before = rule.read_one, after = rule.read_one, range = rule.stepped,
    set = rule.touching(rule.first_argument, rule.write_one),
    increment = rule.touching(rule.first_argument, rule.counted("written", rule.always_one)),
    delete = rule.touching(rule.first_argument, rule.delete_one),
    delete_range = delete_range,
  },
}

kind.queue = jobs

--- Handles of any other kind: their calls are counted by name.
kind.other = { rules = {} }

return kind
