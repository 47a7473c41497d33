---@meta larder
--- larder.copy, store:dump and larder.load, for editors. Never loaded by programs.

---@class larder.CopyOptions
---@field progress? fun(rows: integer, total: integer) after each batch; both are the same after the last
---@field verify? boolean true when absent: all of both is read and compared at the end
---@field overwrite? boolean replace what the target holds, in one transaction with the check; progress may then not yield
---@field transform? fun(kind: "room"|"document"|"entry"|"job", document: any, name: string?): any what is stored instead; nil: nothing. Then nothing is compared. `name` is the collection, map or queue. It may not yield
---@field collections? string[] only these; the target must not have them, and may have others
---@field unfinished? boolean take a source into which a copy or load has not ended; else that is INVALID
---@field batch? integer rows in a transaction; when absent about 16 MiB, with transform 500

---@class larder.Content
---@field count integer
---@field hash string 32 hex digits, of keys, revisions and values: on a copy it is the same

---@class larder.CopyReport
---@field verified boolean
---@field resumed boolean the copy had been begun before
---@field rows integer
---@field rooms larder.Content
---@field collections table<string, larder.Content>
---@field maps table<string, larder.Content>
---@field queues table<string, larder.Content> their options
---@field jobs table<integer, larder.Content> all rows of a queue, by its number
---@field other table<integer, larder.Content> what this version does not know, by space
---@field left_out string[] names of the source's caches: they are not copied

---@class larder.RecordCounts
---@field rooms integer
---@field collections integer
---@field documents integer
---@field entries integer of maps
---@field queues integer
---@field jobs integer
---@field rows integer others
---@field left_out? string[] of a dump: names of the caches, which are not in it

---@class larder.DumpOptions
---@field progress? fun(done: integer, total: integer) records
---@field overwrite? boolean a file that is there
---@field collections? string[] only these; one that is not there is INVALID
---@field unfinished? boolean of a store into which a copy or load has not ended; else that is INVALID

---@class larder.LoadOptions
---@field progress? fun(done: integer, total: integer) records
---@field replace? boolean what is there; else it raises EXISTS. Queues are never replaced
---@field batch? integer lines in a transaction, into an empty store: a load that was broken off goes on. All or nothing when absent

---@class larder.Place
local Place = {}

--- Write all that is here, one snapshot, as JSON Lines. To a path: whole or not at all, packed by gzip where it ends in ".gz" (UNSUPPORTED without zlib). Raises EXISTS, IO, FULL, CORRUPT (naming a damaged row).
---@param where string|fun(text: string)|file* a path, or what takes pieces of the text
---@param options? larder.DumpOptions
---@return larder.RecordCounts
function Place:dump(where, options) end
