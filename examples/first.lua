-- The first program: it remembers from run to run. Try it twice.
local larder = require "larder"
local store <close> = larder.open(arg[1] or "lmdb:./build/first")
local rooms = store:rooms()
if not rooms:has "movie night" then rooms:save{ roomName = "movie night", password = "popcorn" } end
for _, user in ipairs{ "ada", "grace" } do
  local result = rooms:rate("movie night", user, "movie-2001", "like")
  print(user, result.rated and "rated" or "had rated before", result.match and "a match!" or "")
end
print(#rooms:matches "movie night", "match so far")
