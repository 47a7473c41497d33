--- Writing into a store of LMDB behind its back: rows as they lie there, sound in themselves.
local port = require "larder_port"

local raw = {}

raw.space = { store = 1, room = 2, rating = 3, progress = 4, collection = 5, document = 6, count = 7, index = 8, map = 9,
  queue = 10, job = 11, cache = 12, cached = 13 }

--- raw.key("document", "plans", 7)
function raw.key(space, ...)
  return string.char(raw.space[space] or space) .. port.tuple(...)
end

--- Works in a write transaction of the bare engine: `work(rows)`, with the functions below.
function raw.write(path, work)
  local engine = assert(port.open("lmdb", { path = path, durability = "none" }))
  local txn = assert(engine:begin(true))
  local rows = {}
  function rows.put(key, payload, revision) assert(txn:put(key, port.row(key, revision or 1, payload))) end
  function rows.put_value(key, value) assert(txn:put(key, value)) end
  function rows.value(key) return assert(txn:get(key)) end
  --- The first key that begins with `prefix`, or nil.
  function rows.first(prefix)
    local cursor = assert(txn:cursor())
    local key = cursor:seek(prefix) and cursor:current()
    cursor:close()
    return key and key:sub(1, #prefix) == prefix and key or nil
  end
  --- Of a row of a queue, whose revision is 0.
  function rows.payload(key) return rows.value(key):sub(8) end
  function rows.delete(key) assert(txn:del(key)) end
  --- Turn one bit of the last byte over.
  function rows.spoil(key)
    local value = assert(txn:get(key))
    assert(txn:put(key, value:sub(1, -2) .. string.char(value:byte(-1) ~ 1)))
  end
  work(rows)
  assert(txn:commit())
  engine:close()
end

--- The numbers of a collection's indexes, by name: { status = 3 }. They are small where the collection was the first to be declared.
function raw.index_numbers(path, collection)
  local numbers = {}
  raw.write(path, function(rows)
    for size, rest in rows.value(raw.key("collection", collection)):gmatch "\xa4name([\xa0-\xbf])(%C+\xa6number.)" do
      local length = size:byte() - 0xa0
      assert(rest:byte(-1) < 128)
      numbers[rest:sub(1, length)] = rest:byte(-1)
    end
  end)
  return numbers
end

return raw
