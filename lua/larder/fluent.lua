--- The fluent form of a query: plans:where{ status = "open" }:sort("-createdAt", "name"):limit(20):all()
---
--- Each step gives a new object, so that one query can be the beginning of several.
local core = require "larder.core"

local methods = core.collection_methods

local query_methods = {}
local query_mt = { __name = "larder.query", __index = query_methods }

function query_mt:__tostring()
  return ("larder.query on %s"):format(self.collection)
end

local function with(self, name, value)
  local options = {}
  for known, given in pairs(self.options) do options[known] = given end
  options[name] = value
  return setmetatable({ collection = self.collection, options = options }, query_mt)
end

function methods.where(collection, filter)
  if filter ~= nil and type(filter) ~= "table" then
    core.fail("collection:where", ("expected a filter, a table, got %s"):format(type(filter)))
  end
  return setmetatable({ collection = collection, options = { where = filter or {} } }, query_mt)
end

--- Names or one list of names.
local function names_of(first, ...)
  if type(first) == "table" then return first end
  return { first, ... }
end

function query_methods:sort(...)
  return with(self, "sort", names_of(...))
end

function query_methods:select(...)
  return with(self, "select", names_of(...))
end

for _, name in ipairs { "limit", "offset", "after" } do
  query_methods[name] = function(self, value) return with(self, name, value) end
end

function query_methods:all()
  return self.collection:find(self.options)
end

function query_methods:first()
  return self.collection:first(self.options)
end

function query_methods:each()
  return self.collection:each(self.options)
end

--- What is about all that match, must not have been cut to a part of it.
local function check_whole(self, op)
  for _, name in ipairs { "limit", "offset", "after" } do
    if self.options[name] ~= nil then
      core.fail(op, ("is for all documents that match: it does not go with %s"):format(name))
    end
  end
end

function query_methods:count()
  check_whole(self, "query:count")
  return self.collection:count(self.options.where)
end

function query_methods:distinct(field)
  check_whole(self, "query:distinct")
  return self.collection:distinct(field, self.options.where)
end

function query_methods:delete()
  check_whole(self, "query:delete")
  return self.collection:delete_where(self.options.where)
end

function query_methods:update(patch)
  check_whole(self, "query:update")
  return self.collection:update_where(self.options.where, patch)
end

return query_methods
