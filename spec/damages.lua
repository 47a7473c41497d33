--- Damages of a store that spec/verify_spec.lua fills: what is done to its rows, then what has to be found: kind, where, text.
local raw = require "raw_rows"

local key = raw.key

-- An entry of document 7 in the index of status, as it lies there, with the one more NUL of order keys.
-- Values are short, so that tests with early cuts cut none.
local function status_entry(numbers, value, id)
  return key("index", numbers.status) .. "\x30" .. value .. "\0\0" .. key("index", id):sub(2)
end

local plan7 = "\x85\xa2id\x07\xa6status\xa1c\xa5email\xa2m7\xa1n\x07\xa4tags\x92\xa1a\xa2b7"

return {
  { "a row whose checksum is wrong", function(w) w.spoil(key("document", "plans", 7)) end,
    "row", 'document 7 of collection "plans"', "checksum" },
  { "a space that nobody knows", function(w) w.put("\xf0abc", "\xc0") end, "space", 'row "', "0xf0" },
  { "a key that is no tuple", function(w) w.put("\6\x30abc", "\x80") end, "key", "row", "no key of space 0x06" },
  { "a key of another shape", function(w) w.put(key("room", "a", "b"), "\x80") end, "key", "row", "no key of space 0x02" },
  { "a rating under a room without a number", function(w) w.put(key("rating", "a", "b"), "\x90") end, "key", "row", "0x03" },
  { "a row of the store that nobody writes", function(w) w.put(key("store", "other"), "\xc0") end, "store",
    'row "other" of the store', "no version" },
  { "a sequence that stands too low", function(w) w.put(key("store", "sequence"), "\5") end, "sequence",
    'row "sequence" of the store', "stands at 5" },
  { "a sequence that is no number", function(w) w.put(key("store", "sequence"), "\xff") end, "store",
    'row "sequence" of the store', "number" },
  { "a room's row that is cut off", function(w) w.put(key("room", "x"), "\xc0") end, "room", 'room "x"', "number" },
  { "a room of no number", function(w) w.put(key("room", "x"), "\0\0\0\x81\xa8roomName\xa1x") end, "room", 'room "x"',
    "number 0" },
  { "a room with unknown flags", function(w) w.put(key("room", "x"), "\x6f\x70\0\x81\xa8roomName\xa1x") end, "room",
    'room "x"', "flags" },
  { "a room whose document is damaged", function(w) w.put(key("room", "x"), "\x6f\0\0\x81\xa8roomName") end, "room",
    'room "x"', "" },
  { "a room without a name", function(w) w.put(key("room", "x"), "\x6f\0\0\x80") end, "room", 'room "x"', "roomName" },
  { "a room of another name", function(w) w.put(key("room", "x"), "\x6f\0\0\x81\xa8roomName\xa1y") end, "room", 'room "x"',
    "another" },
  { "two rooms of one number", function(w)
      w.put(key("room", "x"), "\x6f\0\0\x81\xa8roomName\xa1x")
      w.put(key("room", "y"), "\x6f\0\0\x81\xa8roomName\xa1y")
    end, "room", "room number 111", "two" },
  { "ratings that are no list", function(w) w.put(key("rating", 9, "m"), "\1") end, "rating",
    'ratings of "m" in room number 9', "list" },
  { "a rating that is none", function(w) w.put(key("rating", 9, "m"), "\x91\x92\xa1u\xa4like") end, "rating",
    'ratings of "m" in room number 9', "[1]" },
  { "ratings without a room", function(w)
      w.put(key("rating", 4321, "m"), "\x90")
      w.put(key("rating", 4321, "n"), "\x90")
    end, "rating", "ratings of room number 4321", "no such room: rows: 2" },
  { "progress without a room", function(w) w.put(key("progress", 4321, "u"), "\1\0") end, "progress",
    "progress of room number 4321", "no such room: rows: 1" },
  { "progress that is no number", function(w) w.put(key("progress", 4321, "u"), "\xc0") end, "progress",
    'progress of "u" in room number 4321', "number" },
  { "a declaration that cannot be read", function(w)
      w.put(key("collection", "odd"), "\x81\xa7indexes\x91\x81\xa5parts\x90")
    end, "collection", 'collection "odd"', "declaration" },
  { "a declaration that is no document", function(w) w.put(key("collection", "odd"), "\xc1") end, "collection",
    'collection "odd"', "" },
  { "a document of a collection that was never declared", function(w) w.put(key("document", "odd", 5), "\x81\xa2id\5") end,
    "collection", 'document 5 of collection "odd"', "never declared" },
  { "a document that is none", function(w) w.put(key("document", "people", "x"), "\x81\xa2id") end, "document",
    'document "x" of collection "people"', "" },
  { "a document that is no map", function(w) w.put(key("document", "people", "x"), "\x05") end, "document",
    'document "x" of collection "people"', "no map" },
  { "a document without an id", function(w) w.put(key("document", "people", "x"), "\x80") end, "document",
    'document "x" of collection "people"', "no id" },
  { "a document under another id", function(w) w.put(key("document", "people", "x"), "\x81\xa2id\xa1y") end, "document",
    'document "x" of collection "people"', 'another one: "y"' },
  { "a count of a collection that was never declared", function(w) w.put(key("count", "odd"), "\5") end, "count",
    'count of collection "odd"', "never declared" },
  { "a count that is no number", function(w) w.put(key("count", "people"), "\xff") end, "count",
    'count of collection "people"', "no number" },
  { "a count that is wrong", function(w) w.put(key("count", "plans"), "\x15") end, "count", 'collection "plans"',
    "says 21 documents, there are 20" },
  { "a document that was deleted behind the count", function(w) w.delete(key("document", "people", "ada")) end, "count",
    'collection "people"', "says 1 documents, there are 0" },
  { "an entry that is missing", function(w, n) w.delete(status_entry(n, "c", 7)) end, "index",
    'index "status" of collection "plans"', "document 7 has no entry" },
  { "an entry that is damaged", function(w, n) w.spoil(status_entry(n, "c", 7)) end, "index",
    'index "status" of collection "plans"', "document 7 has no entry" },
  { "an entry of a document that is not there", function(w, n) w.put(status_entry(n, "c", 99), "\x63") end, "index",
    'index "status" of collection "plans"', "document 99 has an entry, but is not there" },
  { "an entry that the document does not have", function(w, n) w.put(status_entry(n, "l", 7), "\7") end, "index",
    'index "status" of collection "plans"', "document 7 has an entry that does not follow" },
  { "an entry that leads to another document", function(w, n) w.put(status_entry(n, "c", 7), "\5") end, "index",
    'index "status" of collection "plans"', "document 7 has an entry that leads to another" },
  { "an entry without an id", function(w, n) w.put(status_entry(n, "c", 7), "\x80") end, "index",
    'index "status" of collection "plans"', "without an id" },
  { "an entry of an index that nobody declares", function(w) w.put(key("index", 5555) .. "\0", "\1") end, "index",
    "index number 5555", "no collection declares it: rows: 1" },
  { "a note of a build in an index that is ready", function(w, n) w.put(key("index", n.status), "\7") end, "index",
    'index "status" of collection "plans"', "how far" },
  { "a document that two of a unique index are", function(w, n)
      w.put(key("document", "plans", 7), (plan7:gsub("m7", "m5")))
      w.delete(key("index", n.email) .. "\x30m7\0\0" .. key("index", 7):sub(2))
      w.put(key("index", n.email) .. "\x30m5\0\0" .. key("index", 7):sub(2), "\7")
    end, "index", 'index "email" of collection "plans"', "document 5 has the same value" },
  { "several values where the declaration says one", function(w, n)
      w.put(key("document", "plans", 7), (plan7:gsub("\xa6status\xa1c", "\xa6status\x92\xa1a\xa1b")))
      w.delete(status_entry(n, "c", 7))
      w.put(status_entry(n, "a", 7), "\7")
      w.put(status_entry(n, "b", 7), "\7")
    end, "index", 'index "status" of collection "plans"', "document 7 has several" },
  { "a value of a map that is no document", function(w) w.put(key("map", "seen", "k", 3), "\xc1") end, "map",
    'key {"k", 3} of map "seen"', "" },
  { "a count of a map that is wrong", function(w) w.put(key("map", "seen"), "\9") end, "count", 'map "seen"',
    "says 9 keys, there are 10" },
  { "a map without a count", function(w) w.delete(key("map", "seen")) end, "count", 'map "seen"',
    "says 0 keys, there are 10" },
  { "a count of a map that is no number", function(w) w.put(key("map", "seen"), "") end, "map", 'map "seen"', "no number" },
  { "a map of a long name without a count", function(w) w.put(key("map", ("n"):rep(500), 1), "\1") end, "count", 'map "nnn',
    "says 0 keys, there are 1" },
  { "a long key under a wrong hash", function(w)
      local long = key("map", ("n"):rep(600))
      local value = require "larder_port".row(long, 1, "\0")
      w.put_value(long:sub(1, 495) .. ("h"):rep(16), value)
    end, "row", "row", "checksum" },
}
