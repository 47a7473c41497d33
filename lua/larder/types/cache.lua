---@meta larder
--- Bounded caches, for editors. Never loaded by programs.

---@class larder.CacheOptions
---@field max_bytes? integer of all values together; needed the first time, the stored one when absent
---@field ttl? number seconds that values live which are set without a ttl; for ever when absent
---@field policy? "lru"|"s3fifo" what goes when it is full; "lru" when absent
---@field files? larder.Files where large values are; all are in the store when absent
---@field large? integer values of so many bytes are files; 65536 when absent
---@field replace? boolean change what is stored; another policy empties the cache
---@field sleep? fun(seconds: number) how this handle waits in fetch; the store's when absent, then the whole process

---@class larder.CacheValueOptions
---@field ttl? number seconds; the cache's when absent
---@field type? string for info and clear{ type = }
---@field metadata? any what can be stored
---@field extension? string of the file of a large value: up to 16 letters and digits

---@class larder.CacheInfo
---@field size integer bytes
---@field created_at integer ms since 1970
---@field expires_at? integer
---@field uses integer as written last; uses of the last moments come in batches
---@field type? string
---@field metadata? any
---@field path? string of a large value: in the files that the cache was given
---@field stale? boolean of fetch: it has expired, and the producer failed

---@class larder.CacheKnown: larder.CacheInfo
---@field used_at integer ms since 1970; as written last, as `uses`

---@class larder.FetchOptions: larder.CacheValueOptions
---@field lease? number seconds after which another may run the producer; 30 when absent
---@field stale_if_error? boolean give the expired value when the producer raises
---@field path? boolean as in get

---@class larder.CacheFilter
---@field type? string exactly this; "" for what has none
---@field prefix? string of keys

---@class larder.CacheKeys: larder.CacheFilter
---@field after? string
---@field limit? integer

---@class larder.CacheStats
---@field entries integer
---@field bytes integer of values; an empty one counts as 1
---@field max_bytes integer
---@field hits integer
---@field misses integer
---@field evictions integer
---@field quarantined integer values that were found damaged

--- Keys are strings of 1 to 1023 bytes.
---@class larder.Cache
local Cache = {}

--- 64 hex digits: the SHA-256 of the URL and its params, in whatever order they come.
---@param url string
---@param params? any
---@return string
function Cache:key(url, params) end

--- Insert or replace; others go until it fits. Raises TOOBIG, and evicts nothing, when it is larger than the whole cache.
---@param key string
---@param data string|larder.Reader
---@param options? larder.CacheValueOptions
function Cache:set(key, data, options) end

--- Verified by its checksum, a file by its hash: what is damaged is nil, and goes to quarantine.
---@param key string
---@param options? { path: boolean } path = true: of a large value its path instead of its bytes
---@return string? data nil when it is not there or has expired
---@return larder.CacheInfo? info
function Cache:get(key, options) end

--- What is known of a value, without reading it; no use of it.
---@param key string
---@return larder.CacheKnown? info nil when it is not there or has expired
function Cache:info(key) end

--- The value; when it is missing, what the producer returns, which runs once however many coroutines and processes ask. Its second
--- result are options for this value. What is larger than the whole cache is returned, and not kept.
---@param key string
---@param producer fun(key: string): string|larder.Reader|nil, larder.CacheValueOptions?
---@param options? larder.FetchOptions
---@return string? data nil when the producer returned nil
---@return larder.CacheInfo? info
function Cache:fetch(key, producer, options) end

--- A new life from now on.
---@param key string
---@param options? { ttl: number }
---@return boolean touched false when it is not there or has expired
function Cache:touch(key, options) end

---@param key string
---@return boolean deleted false when it was not there
function Cache:delete(key) end

---@param filter? larder.CacheFilter all when absent
---@return integer count
function Cache:clear(filter) end

--- In order; those that have expired and are still there, too.
---@param options? larder.CacheKeys
---@return string[]
function Cache:keys(options) end

---@return integer count
function Cache:purge_expired() end

--- Delete the files that killed processes left, never one that an entry has.
---@return integer count
function Cache:sweep() end

---@return larder.CacheStats
function Cache:stats() end

---@class larder.Place
local Place = {}

---@return string[] names of the caches, in order
function Place:caches() end

---@class larder.Store
local Store = {}

--- The bounded cache of that name. Handles share what is stored of its options; other ones raise INVALID unless `replace = true`.
--- Caches stand outside of transactions: MISUSE on one.
---@param name string 1 to 1023 bytes
---@param options? larder.CacheOptions
---@return larder.Cache
function Store:cache(name, options) end
