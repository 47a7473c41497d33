---@meta larder
--- Ordered maps, for editors. Never loaded by programs.

--- A string, an integer, or a tuple: an array of them, 1023 bytes at most each. A tuple of one is that one, and comes back so.
--- Order: integers before strings (by bytes), part by part; a tuple that is the beginning of another comes first.
---@alias larder.Key string|integer|(string|integer)[]

--- Which keys: those that all that is given agrees on.
---@class larder.MapEnds
---@field from? larder.Key the lower end, reversed too
---@field to? larder.Key the upper end
---@field from_open? boolean without `from` itself
---@field to_open? boolean without `to` itself
---@field prefix? larder.Key a string: what keys' first string begins with; an integer or an array: the parts that they begin with

---@class larder.MapRange: larder.MapEnds
---@field reverse? boolean from the upper end down
---@field limit? integer

--- Values are anything that can be stored. A key that is none raises INVALID, one too long TOOBIG.
---@class larder.Map
local Map = {}

---@param key larder.Key
---@param value any INVALID when nil
---@param options? { if_absent: boolean } if_absent = true: leave what is there
---@return boolean set false when it was left
function Map:set(key, value, options) end

---@param key larder.Key
---@return any value nil when it is not there
function Map:get(key) end

---@param key larder.Key
---@return boolean
function Map:has(key) end

---@param key larder.Key
---@return boolean deleted false when it was not there
function Map:delete(key) end

--- Costs the same for any size.
---@return integer
function Map:count() end

--- Add to an integer; what is absent counts as 0. Raises INVALID when the value is no integer, or the sum would be none.
---@param key larder.Key
---@param n? integer 1 when absent
---@return integer sum the new value
function Map:increment(key, n) end

---@return larder.Key? key nil when the map is empty
---@return any value
function Map:first() end

---@return larder.Key? key nil when the map is empty
---@return any value
function Map:last() end

--- The key next below, whether `key` itself is there or not.
---@param key larder.Key
---@return larder.Key?
---@return any value
function Map:before(key) end

--- The key next above, whether `key` itself is there or not.
---@param key larder.Key
---@return larder.Key?
---@return any value
function Map:after(key) end

--- `for key, value in map:range{ prefix = "a" } do`: in order of keys, read page by page; no transaction is held between steps. Writing
--- meanwhile is fine: what stays comes exactly once. In a write transaction a step goes to the next key as it is then.
---@param range? larder.MapRange
---@return fun(): larder.Key?, any
function Map:range(range) end

---@param ends larder.MapEnds {} deletes all
---@return integer count
function Map:delete_range(ends) end
