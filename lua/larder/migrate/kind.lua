--- What the methods of collections, rooms and maps read, write and delete; for the dry run.
---
--- A rule is called as rule(place, handle, method, ...) in the method's stead: it calls the method, counts, and returns what that returned.
--- `place` (record.lua) has the counts `read`, `written`, `deleted`, and `touch(handle, key)`, which keeps what is there before a write.
local kind = {}

-- ---- how much a result is ----

local function one_if_there(value) return value ~= nil and value ~= false and 1 or 0 end
local function length(value) return type(value) == "table" and #value or 0 end
local function number(value) return value or 0 end
local function always_one() return 1 end

-- ---- rules ----

local function counted(field, measure)
  return function(place, handle, method, ...)
    local results = table.pack(handle[method](handle, ...))
    place[field] = place[field] + measure(results[1])
    return table.unpack(results, 1, results.n)
  end
end

--- The rule behind a touch of the key that `key_of` makes of the arguments.
local function touching(key_of, rule)
  return function(place, handle, method, ...)
    place:touch(handle, key_of(handle, ...))
    return rule(place, handle, method, ...)
  end
end

--- Each step that gives something reads one.
local function stepped(place, handle, method, ...)
  local step = handle[method](handle, ...)
  local function pass(...)
    if ... ~= nil then place.read = place.read + 1 end
    return ...
  end
  return function() return pass(step()) end
end

local function first_argument(_, key) return key end

local read_one, read_list = counted("read", one_if_there), counted("read", length)
local write_one, write_many = counted("written", one_if_there), counted("written", number)
local delete_one, delete_many = counted("deleted", one_if_there), counted("deleted", number)

-- ---- collections ----

local function id_in(collection, document)
  if type(document) == "table" then return document[collection:key()] end
end

--- Touch the first of those that the filter finds. What cannot be found, the method itself complains about.
local function touch_found(place, collection, where)
  local ok, found = pcall(collection.find, collection, { where = where, limit = place:room_for_samples() })
  for _, document in ipairs(ok and found or {}) do place:touch(collection, id_in(collection, document), document) end
end

local function for_found(rule)
  return function(place, collection, method, where, ...)
    touch_found(place, collection, where)
    return rule(place, collection, method, where, ...)
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
    get = read_one, has = read_one, first = read_one, find = read_list, each = stepped, key = uncounted,
    create = create,
    put = touching(id_in, write_one),
    update = touching(first_argument, write_one),
    delete = touching(first_argument, delete_one),
    update_where = for_found(write_many),
    delete_where = for_found(delete_many),
    upgrade_all = write_many,
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

kind.rooms = {
  look = function(rooms, name) return rooms:get(name) end,
  rules = {
    get = read_one, has = read_one, list = read_list, each = stepped, names = stepped, matches = read_list, check_password = read_one,
    save = touching(room_name, counted("written", always_one)),
    rate = touching(first_argument, counted("written", rated)),
    delete = touching(first_argument, delete_one),
    expire = delete_many,
    import = write_many,
  },
}

-- ---- maps ----

local function delete_range(place, map, method, ends)
  local range = { limit = place:room_for_samples() }
  for name, value in pairs(type(ends) == "table" and ends or {}) do range[name] = value end
  pcall(function()
    for key, value in map:range(range) do place:touch(map, key, value) end
  end)
  return delete_many(place, map, method, ends)
end

kind.map = {
  look = function(map, key) return map:get(key) end,
  rules = {
    get = read_one, has = read_one, first = read_one, last = read_one, before = read_one, after = read_one, range = stepped,
    set = touching(first_argument, write_one),
    increment = touching(first_argument, counted("written", always_one)),
    delete = touching(first_argument, delete_one),
    delete_range = delete_range,
  },
}

--- Handles of any other kind: their calls are counted by name.
kind.other = { rules = {} }

return kind
