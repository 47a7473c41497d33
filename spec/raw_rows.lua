--- Writing into a store of LMDB behind its back: rows as they lie there, sound in themselves.
local port = require "larder_port"

local raw = {}

raw.space = { store = 1, room = 2, rating = 3, progress = 4, collection = 5, document = 6, count = 7, index = 8, map = 9 }

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

return raw
