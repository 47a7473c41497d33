--- plans:upgrade_all{ batch = 500, progress = function(done, total) end }: the documents of older versions are written in the program's.
local core = require "larder.core"

local methods = core.collection_methods

local function progress_of(options)
  local progress = type(options) == "table" and options.progress or nil
  if progress ~= nil and type(progress) ~= "function" then
    core.fail("collection:upgrade_all", ("option progress: expected a function, got a %s"):format(type(progress)))
  end
  return progress
end

--- From the first document to the last; how many were upgraded, how many are left.
local function pass(collection, options, done, progress)
  local count, older, after
  local found = 0
  repeat
    count, older, after = core.upgrade_batch(collection, options, after)
    found = found + count
    if progress and count > 0 then progress(done + found, done + found + older) end
  until after == nil
  return found, older
end

--- Some may be left when an older program writes meanwhile: once more then, as long as it finds any.
function methods.upgrade_all(collection, options)
  local progress, done = progress_of(options), 0
  repeat
    local found, older = pass(collection, options, done, progress)
    done = done + found
  until older == 0 or found == 0
  return done
end

return methods
