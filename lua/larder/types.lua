---@meta larder
--- What editors need to know (LuaLS). Never loaded by programs.
--- Times are ms since 1970 (whole numbers), durations are seconds and may be fractions.

---@alias larder.Code
---| "EXISTS" # choose another key
---| "CONFLICT" # run the transaction again
---| "BUSY" # somebody holds a lock: try later
---| "FULL" # raise a limit, free space
---| "TOOBIG" # shorten the input
---| "INVALID" # mend the input
---| "CORRUPT" # restore from a backup
---| "IO" # look at the disk, the permissions
---| "UNSUPPORTED" # use another engine, another version
---| "CLOSED" # open it again
---| "MISUSE" # mend the program
---| "NOMEM" # free memory
---| "NOTFOUND" # rate in a room that is not there

--- What every failure raises. `tostring(e)` is readable.
---@class larder.Error
---@field code larder.Code
---@field message string what was wrong, and where
---@field op string what was called: "rooms:save"
---@field retryable boolean the same call may succeed when it is made again
---@field cause? any what Lua said, where the error stands for another one
---@field problems? larder.FileProblem[] of rooms:import

---@class larder.FileProblem
---@field file string its name in the directory
---@field line? integer from 1
---@field column? integer from 1, in bytes
---@field message string

---@class larder.OpenOptions
---@field url? string "memory:", "lmdb:./data", "lmdb:/var/lib/app?durability=system", "file:./data"; instead of engine and path
---@field engine? "memory"|"lmdb"|"file"
---@field path? string lmdb: the folder; file: the directory of JSON files; made when missing
---@field durability? "commit"|"system"|"none" lmdb, file ("commit", "none"): "commit" (default) survives a power loss, "system" a crash of the process, "none" is for bulk loads
---@field map_size? string|integer lmdb: how much address space to begin with, in bytes or as "64GiB"; it grows by itself
---@field readers? integer lmdb: read transactions at once, by all processes; 1024 when absent
---@field check_on_open? string|integer lmdb: check every page of a store up to this size; "16MiB" when absent, 0 for never
---@field read_only? boolean lmdb, file: writes are MISUSE
---@field log? "error"|"warn"|"info"|"debug"|fun(level: string, line: string) may not use the store; silent when absent
---@field clock? fun(): integer ms since 1970; the system's when absent
---@field sleep? larder.Sleep how queues wait for jobs; the whole process sleeps when absent

---@class larder.Stats
---@field engine string
---@field entries integer rows
---@field bytes_used integer
---@field bytes_limit? integer
---@field readers integer read transactions open now

--- What a store and a transaction have in common.
---@class larder.Place
local Place = {}

--- The rooms of the store.
---@param options? { passwords: "plain" }
---@return larder.Rooms
function Place:rooms(options) end

--- The ordered map of that name: what was never set is empty, so there is nothing to create.
---@param name string 1 to 1023 bytes
---@return larder.Map
function Place:map(name) end

---@return string[] names of the maps that have keys, in order
function Place:maps() end

--- The job queue of that name.
---@param name string 1 to 1023 bytes
---@param options? larder.QueueOptions
---@return larder.Queue
function Place:queue(name, options) end

---@return string[] names of the queues that were written to, in order
function Place:queues() end

--- A collection of documents. Handles of one name share what was declared; another declaration raises INVALID.
---@param name string 1 to 1023 bytes
---@param options? larder.CollectionOptions
---@return larder.Collection
function Place:collection(name, options) end

---@return string[] names of the collections that were written to, in order
function Place:collections() end

--- Remove a collection with all its documents.
---@param name string
---@return boolean dropped false when there was none
function Place:drop(name) end

--- Run the function in a write transaction: commits when it returns, rolls back when it raises, runs again on a
--- conflict (so it should have no other effects). Inside a transaction it nests. The function must not yield.
---@generic R
---@param f fun(tx: larder.Tx): R...
---@return R ...
function Place:update(f) end

--- Run the function on one snapshot. A write inside is MISUSE.
---@generic R
---@param f fun(tx: larder.Tx): R...
---@return R ...
function Place:view(f) end

--- Begin a transaction that is ended by hand; leaving a `<close>` variable rolls it back.
---@param mode? "write"|"read" "write" when absent
---@return larder.Tx
function Place:begin(mode) end

---@return larder.Stats
function Place:stats() end

---@class larder.Store: larder.Place
local Store = {}

--- Have the function called after each commit through this handle that changed something, with the changes in their order. It may use the
--- store: what it commits is told afterwards, to itself, too. It must not yield; an error goes to the log. Closing the store ends it.
--- Transactions that had begun before are not told of.
---@param f fun(changes: larder.Change[]) gets a list of its own
---@return fun() stop ends it; twice is fine
function Store:on_commit(f) end

--- Make every commit so far survive a power loss (matters with durability "system" and "none").
function Store:sync() end

--- Roll back what is open and close. Twice is fine.
function Store:close() end

---@class larder.Tx: larder.Place
local Tx = {}

--- Ends the transaction even when it fails.
function Tx:commit() end

function Tx:rollback() end

---@alias larder.Vote { [1]: string, [2]: "like"|"dislike", [3]: number } user, rating, ms since 1970

--- Other fields are kept as they are.
---@class larder.Room
---@field roomName string 1 to 1023 bytes
---@field password? string stored as given
---@field filters? table
---@field options? table
---@field sort? string
---@field createdAt? string
---@field creatorPlexUserId? string
---@field creatorPlexUsername? string
---@field ratings? table<string, larder.Vote[]> by mediaId, in order of rating
---@field userProgress? table<string, integer> by user

---@class larder.Match
---@field mediaId string
---@field users string[] in order of rating
---@field matchedAt number ms since 1970, of the latest like

---@class larder.Rated
---@field rated boolean false when this user has rated this medium before
---@field progress integer ratings of this user in this room
---@field match? larder.Match when this rating is a like that makes or joins one

---@class larder.RoomStats
---@field rooms integer
---@field ratings integer
---@field likes integer
---@field matches integer media with two likes or more, room by room
---@field match_rate number matches / rated media, 0 to 1

---@class larder.Rooms
local Rooms = {}

--- Insert or replace, whole: ratings and progress included.
---@param room larder.Room
function Rooms:save(room) end

---@param name string
---@param options? { ratings: boolean } ratings = false: without ratings and userProgress
---@return larder.Room?
function Rooms:get(name, options) end

---@param name string
---@return boolean
function Rooms:has(name) end

---@param name string
---@return boolean deleted false when it was not there
function Rooms:delete(name) end

--- The configurations, without password, ratings and progress, in order of name.
---@param options? { prefix: string?, after: string?, limit: integer? }
---@return larder.Room[]
function Rooms:list(options) end

--- `for name, room in rooms:each() do`: configurations, read page by page; no transaction is held between steps.
---@param options? { prefix: string?, after: string?, ratings: boolean? } ratings = true: with ratings and userProgress
---@return fun(): string?, larder.Room?
function Rooms:each(options) end

--- `for name in rooms:names() do`
---@param options? { prefix: string?, after: string? }
---@return fun(): string?
function Rooms:names(options) end

--- Raises NOTFOUND when there is no such room.
---@param name string
---@param user string
---@param mediaId string
---@param rating "like"|"dislike"
---@param time? number ms since 1970; now when absent
---@return larder.Rated
function Rooms:rate(name, user, mediaId, rating, time) end

--- Ordered by matchedAt, then mediaId. With a user: only what this user liked. nil: no such room.
---@param name string
---@param user? string
---@return larder.Match[]?
function Rooms:matches(name, user) end

--- A room without a password accepts any attempt. nil: no such room.
---@param name string
---@param attempt? string
---@return boolean?
function Rooms:check_password(name, attempt) end

--- Delete the rooms without a save or rating in this store for so long.
---@param options { idle: number } seconds
---@return integer count
---@return string[] names
function Rooms:expire(options) end

---@return larder.RoomStats
function Rooms:stats() end

--- Take in a directory of MovieMatch's room files (`*.json`), all or nothing. A room that is there already is a
--- problem unless `replace`. Raises INVALID with `problems`.
---@param directory string
---@param options? { replace: boolean }
---@return integer count
function Rooms:import(directory, options) end

--- Write every room, whole, as a JSON file; each file atomically.
---@param directory string made when missing
---@return integer count
function Rooms:export(directory) end
