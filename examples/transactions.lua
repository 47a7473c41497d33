-- Several changes that happen together or not at all.
local larder = require "larder"
local store <close> = larder.open "memory:"

-- update: commits when the function returns, and passes its results through.
local progress = store:update(function(tx)
  local rooms = tx:rooms()
  rooms:save{ roomName = "attic" }
  return rooms:rate("attic", "ada", "movie-7", "like").progress
end)
print("progress", progress)

-- An error rolls everything back.
local ok, problem = pcall(store.update, store, function(tx)
  tx:rooms():delete "attic"
  error "changed my mind"
end)
print("update", ok, problem, "the room is still there:", store:rooms():has "attic")

-- view: one snapshot, whatever others write meanwhile.
store:view(function(tx)
  store:rooms():save{ roomName = "cellar" }
  print("the snapshot sees the cellar:", tx:rooms():has "cellar")
end)

-- By hand. Leaving the block without a commit rolls back.
do
  local tx <close> = store:begin "write"
  tx:rooms():save{ roomName = "roof" }
end
print("the roof was rolled back:", not store:rooms():has "roof")
