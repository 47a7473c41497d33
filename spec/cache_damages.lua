--- Damages of the cache that spec/cache_verify_spec.lua fills: what is done to its rows; then what has to be found: kind, where, text;
--- the keys that are left when it was put right (nil: it is not), and how many values are in quarantine.
--- `s` has the numbers of the caches, the ids and places of entries.
local raw = require "raw_rows"

local ENTRY, DATA, STATE, QUEUE, EXPIRY, TRASH, LEASE = 1, 2, 3, 4, 5, 9, 10

local function row(...) return raw.key("cached", ...) end
local function a(s) return row(s.c, ENTRY, "a") end
local function place(s, key) return row(s.c, QUEUE, 1, -s[key].place) end
local all = { "a", "b", "f", "g", "z" }

return {
  { "an entry that is damaged", function(w, s) w.spoil(a(s)) end, "row", 'entry "a" of cache number', "checksum", { "b", "f", "g", "z" } },
  { "an entry that cannot be read", function(w, s) w.put(a(s), "\1", 0) end, "cache", 'cache "c"', "an entry cannot be read",
    { "b", "f", "g", "z" } },
  { "an entry under no key", function(w, s) w.put(row(s.c, ENTRY, 7), w.payload(a(s)), 0) end, "key", "row ", "is no key", all },
  { "two entries in one place", function(w, s) w.put(row(s.c, ENTRY, "twin"), w.payload(a(s)), 0) end, "cache", 'entry "twin"',
    "its row of the order is another entry's", all },
  { "an entry without its place", function(w, s) w.delete(place(s, "a")) end, "cache", 'entry "a" of cache "c"',
    "has no row of the order", all },
  { "an entry whose place is another's", function(w, s) w.put(place(s, "a"), "b", 0) end, "cache", 'entry "a" of cache "c"',
    "its row of the order is another entry's", all },
  { "a place that is damaged", function(w, s) w.spoil(place(s, "a")) end, "row", "place in the order", "checksum", all },
  { "a place of nobody", function(w, s) w.put(row(s.c, QUEUE, 1, -1000), "a", 0) end, "cache", 'cache "c"',
    "order: rows for 6, there are 5", all },
  { "an entry that would not expire", function(w, s) w.delete(row(s.c, EXPIRY, s.b.expires, s.b.id)) end, "cache",
    'entry "b" of cache "c"', "has no row of expiry", all },
  { "an expiry of nobody", function(w, s) w.put(row(s.c, EXPIRY, 5, 1000), "a", 0) end, "cache", 'cache "c"',
    "expiry: rows for 2, there are 1", all },
  { "an entry without its value", function(w, s) w.delete(row(s.c, DATA, s.a.id)) end, "cache", 'entry "a" of cache "c"',
    "has no value", { "b", "f", "g", "z" } },
  { "a value that is damaged", function(w, s) w.spoil(row(s.c, DATA, s.a.id)) end, "row",
    function(s) return ("value %d of cache number %d"):format(s.a.id, s.c) end, "checksum", { "b", "f", "g", "z" }, 1 },
  { "a value of another size", function(w, s) w.put(row(s.c, DATA, s.a.id), "cut", 0) end, "cache", 'entry "a" of cache "c"',
    "its value has another size", { "b", "f", "g", "z" } },
  { "a value of nobody", function(w, s) w.put(row(s.c, DATA, 1000), "lost", 0) end, "cache", 'cache "c"',
    "values: rows for 4, there are 3", all },
  { "a file without its row", function(w, s) w.delete(s.file) end, "cache", 'entry "f" of cache "c"', "has no row", all },
  { "a file with too many holders", function(w, s) w.put(s.file, "\3", 0) end, "cache", 'cache "c"',
    "files: rows for 3, there are 2", all },
  { "a file that is to be deleted", function(w, s)
    local name = s.file:sub(-65, -2)
    w.put(row(s.c, TRASH, name), name, 0)
  end, "cache", 'entry "f" of cache "c"', "is to be deleted", all },
  { "counts that differ", function(w, s)
    w.put(row(s.c, STATE), (w.payload(row(s.c, STATE)):gsub("\5", "\6", 1)), 0)
  end, "cache", 'cache "c"', "says 6 entries of 412 bytes, there are 5 of 412", all },
  { "settings that are damaged", function(w, s) w.spoil(row(s.c, STATE)) end, "cache", 'cache "c"', "settings cannot be read", {} },
  { "settings that are cut off", function(w, s) w.put(row(s.c, STATE), "\1\1", 0) end, "cache", 'cache "c"',
    "settings cannot be read", {} },
  { "a cache whose number is damaged", function(w) w.spoil(raw.key("cache", "c")) end, "row", 'cache "c"', "checksum", {} },
  { "rows of no cache", function(w) w.delete(raw.key("cache", "c")) end, "cache", "rows of cache number", "there is no such cache", {} },
  { "two caches with one number", function(w, s) w.put(raw.key("cache", "d"), string.char(s.c), 0) end, "cache", "cache number",
    "two have this number", nil },
  { "a ghost that nobody would forget", function(w, s) w.delete(s.ghost) end, "cache", 'cache "s3"', "ghosts: rows for", all },
  { "a lease that is damaged", function(w, s)
    w.put(row(s.c, LEASE, "a"), "\5\5", 0)
    w.spoil(row(s.c, LEASE, "a"))
  end, "row", 'lease of key "a" of cache number', "checksum", all },
  { "a row of no kind", function(w, s) w.put(row(s.c, 12, 1), "", 0) end, "key", "row ", "is no key", nil },
}
