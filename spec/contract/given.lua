--- What the parts of an engine's contract share: an engine of its own for each test, and how the raw port is judged.
--- A failure of the port is nil, a code, and a text for all codes but NOTFOUND.
local busted = require "busted"
local assert = require "luassert"
local port = require "larder_port"

local given = {}

--- What the engine promises, before there is a test: { durable = bool, snapshot = ..., shared = ..., one_writer = ... }.
local function probe(open)
  local folder = port.temp_dir()
  local engine = given.ok(open(folder, {}))
  local promises = engine:promises()
  engine:close()
  port.remove_dir(folder)
  return promises
end

--- Before each test of this block `given.engine` is a fresh, empty engine; `given.open` opens another handle on its data.
function given.each(open)
  given.promises = probe(open)
  busted.before_each(function()
    given.folder, given.opened = port.temp_dir(), {}
    given.open = function(options, extra)
      local engine = given.ok(open(given.folder, options or {}, extra))
      given.opened[#given.opened + 1] = engine
      return engine
    end
    given.try_open = function(options, extra) return open(given.folder, options or {}, extra) end
    given.engine = given.open()
  end)
  busted.after_each(function()
    for _, engine in ipairs(given.opened) do engine:close() end
    port.fault()
    port.remove_dir(given.folder)
  end)
end

--- A write transaction with these rows in it: { "a", "1", "b", "2" }, or "a b c", each with its key as the value.
function given.write(rows)
  local txn = given.ok(given.engine:begin(true))
  given.put(txn, rows or {})
  return txn
end

--- The same, committed.
function given.rows(rows)
  given.ok(given.write(rows):commit())
end

function given.put(txn, rows)
  if type(rows) == "string" then
    for key in rows:gmatch "%S+" do given.ok(txn:put(key, key)) end
  else
    for i = 1, #rows, 2 do given.ok(txn:put(rows[i], rows[i + 1])) end
  end
end

function given.read()
  return given.ok(given.engine:begin(false))
end

-- ---- judging ----

--- Passes results on; fails with the code and the text where there is none.
function given.ok(first, ...)
  if not first then error(("the port failed: %s, %s"):format(...), 2) end
  return first, ...
end

--- Results that must be a failure with `code`. Returns the text.
function given.fails(code, nothing, got, text)
  assert.is_nil(nothing)
  assert.are.equal(code, got, text)
  if code == "NOTFOUND" then
    assert.is_nil(text)
  else
    assert.is_truthy(text and #text > 0, code .. " without a text")
  end
  return text
end

-- ---- looking ----

local function shown(key, value)
  return key == value and key or key .. "=" .. value
end

local function walk(txn, step, start)
  local all, cursor = {}, given.ok(txn:cursor())
  if start then cursor[start](cursor) end
  while cursor[step](cursor) do all[#all + 1] = shown(given.ok(cursor:current())) end
  cursor:close()
  return all
end

--- "a b=2": all rows in order, with the value where it is not the key.
function given.all(txn)
  return table.concat(walk(txn, "next"), " ")
end

function given.all_backwards(txn)
  return table.concat(walk(txn, "prev", "to_end"), " ")
end

--- What is committed.
function given.committed()
  local txn <close> = given.read()
  return given.all(txn)
end

--- The key under a cursor.
function given.at(cursor)
  local key = given.ok(cursor:current())
  return key
end

return given
