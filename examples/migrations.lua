-- Changes of the data that are made once: in one transaction, or in batches; tried dry, run, taken back.
local larder = require "larder"
local store <close> = larder.open "lmdb:./data"

for i = 1, 1000 do store:collection("films"):put { id = i, title = "  Film " .. i } end
for _, name in ipairs { "attic", "cellar" } do store:rooms():save { roomName = name, options = { "oldest" } } end

local migrations = larder.migrations(store, {                     -- or a directory with a file for each
  {
    name = "say the sort",
    up = function(tx, ctx)
      for name, room in tx:rooms():each { ratings = true } do
        room.sort, room.options = room.options[1], nil
        tx:rooms():save(room)
        tx:queue("mail"):enqueue { about = name }                 -- jobs, too, are there when it has succeeded, or not at all
      end
      ctx.log "all rooms have a sort"
    end,
    down = function(tx)
      for _, room in tx:rooms():each { ratings = true } do
        room.sort, room.options = nil, { room.sort }
        tx:rooms():save(room)
      end
    end,
  },
  {
    name = "trim titles",
    collection = "films", size = 250, pause_ms = 1,               -- too many for one transaction
    batch = function(film) film.title = film.title:match "^%s*(.*)" end,
  },
}, { program = "1.4.0" })

for _, entry in ipairs(migrations:up { dry_run = true }) do
  for _, place in ipairs(entry.changes) do
    print(entry.name, place.kind, place.name or "", place.written .. " would be written")
  end
end

migrations:up { batches = 2 }                                      -- stopped half-way, as a kill would
print("then", migrations:status()[2].state, migrations:status()[2].seen)
migrations:up { progress = function(at) print("on to", at.seen .. " of " .. at.total) end }
assert(store:collection("films"):get(7).title == "Film 7" and store:rooms():get("attic").sort == "oldest")
assert(#migrations:up() == 0)                                      -- each is run once

local ok, problem = pcall(migrations.to, migrations, 0)            -- trimmed titles do not come back
print(not ok and problem.message)
