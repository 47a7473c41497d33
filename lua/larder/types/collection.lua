---@meta larder
--- Collections, for editors. Never loaded by programs.

---@alias larder.Id string|integer 1 to 1023 bytes, or an integer

--- A table with fields; one of them is its id.
---@alias larder.Document table

--- MongoDB's: `{ status = "open", age = { ["$gte"] = 18 }, ["$or"] = { {...}, {...} } }`. An empty one is for all.
---@alias larder.Filter table

--- Fields to set (a dotted name reaches inside, larder.remove deletes), or MongoDB's update operators: `{ ["$inc"] = { n = 1 } }`.
---@alias larder.Patch table

---@class larder.Query
---@field where? larder.Filter
---@field sort? string|string[] fields, "-name" is descending; then by id, ascending. Without it: by id
---@field limit? integer
---@field offset? integer
---@field after? string the cursor that `find` returned for the same sort
---@field select? string[] fields; the id comes along

--- What a program declares holds for all handles of the name in its store, whichever was given it; a later `upgrade` or `validate`
--- replaces the one before, another `version` or `key` is INVALID.
---@class larder.CollectionOptions
---@field key? string the field of the id; "id" when absent
---@field indexes? (string|string[]|larder.IndexDeclaration)[] built, when they are missing, before `collection` returns
---@field replace? boolean build anew the indexes that are declared otherwise than the store has them
---@field version? integer of the documents that the program writes, from 1; without it they are read as they are stored
---@field upgrade? table<integer, fun(document: larder.Document): larder.Document?> `[2]` makes version 2 of version 1; it returns the document, or changes the one it got. The same document must always give the same
---@field validate? fun(document: larder.Document): boolean?, string? runs before every write, with what will be stored; false, or nil and a message, or raising refuses it. What it changes is ignored

--- `upgrade` and `validate` run in the middle of a call: they may neither use the store (MISUSE) nor yield. What they raise is the `cause` of the error.
--- A document that a newer program wrote raises UNSUPPORTED where it would be given out, replaced or found to be changed; `has`, `delete` and `count()` take it as it is.

--- `{ "status", "-createdAt", unique = true }`: paths, "-name" is descending.
---@class larder.IndexDeclaration
---@field [integer] string 1 to 8 fields
---@field name? string its fields, with commas, when absent
---@field unique? boolean EXISTS for a second document of the same values; missing, null and an empty array are free
---@field sparse? boolean without documents that have none of the fields
---@field where? larder.Filter only of documents that pass it

---@class larder.Index
---@field name string
---@field parts string[]
---@field unique? boolean
---@field sparse? boolean
---@field where? larder.Filter
---@field ready? boolean it is built, so that queries may use it
---@field multikey? integer 1 << part - 1: a document had several values there
---@field truncated? boolean a value was cut off, so that it gives no order
---@field loose? boolean a document had too many values, and is looked at in each search

---@class larder.Explained
---@field index string|false false: all documents, or some by their ids
---@field sorted boolean what was found had to be sorted, for the plan does not give the order
---@field reverse boolean walked backwards
---@field keys_scanned integer
---@field documents_scanned integer
---@field returned integer
---@field candidates { index: string|false, chosen: boolean, reason: string, entries: integer? }[] entries were counted where several compete

--- Raises INVALID for what is no id, no filter, no patch, naming the path; TOOBIG for an id that is too long.
---@class larder.Collection
local Collection = {}

--- Raises EXISTS when the id is taken.
---@param document larder.Document its id is made when it is missing: a UUID that sorts by time
---@return larder.Document stored `document` itself, or, where an id was made, a copy with it
function Collection:create(document) end

--- Insert or replace, whole.
---@param document larder.Document with its id
---@param options? { if_rev: integer } CONFLICT when the stored one has another revision, or is not there
---@return larder.Document stored
function Collection:put(document, options) end

---@return string field of the id
function Collection:key() end

---@param id larder.Id
---@return larder.Document? document nil when it is not there
---@return integer? revision changes with each write, and none is used twice
function Collection:get(id) end

---@param id larder.Id
---@return boolean
function Collection:has(id) end

--- A function gets the document and returns it changed; it runs in a transaction, by the rules of `store:update`: it may
--- not yield, runs again on a conflict, and when it raises nothing is kept. Changing the id is INVALID.
---@param id larder.Id
---@param change larder.Patch|fun(document: larder.Document): larder.Document
---@param options? { if_rev: integer?, upsert: boolean? } upsert: where nothing is, begin with a document of the id alone
---@return larder.Document? changed nil when it is not there
function Collection:update(id, change, options) end

---@param id larder.Id
---@param options? { if_rev: integer } CONFLICT when the stored one has another revision
---@return boolean deleted false when it was not there
function Collection:delete(id, options) end

---@param query? larder.Query
---@return larder.Document[] documents
---@return string? cursor for `after`, when there are more than the limit
function Collection:find(query) end

---@param query? larder.Query
---@return larder.Document?
function Collection:first(query) end

--- `for document in plans:each{ where = ... } do`: read page by page; no transaction is held between steps. Writing
--- meanwhile is fine: in order of id, what stays comes exactly once. With a sort each page reads the collection once; in a
--- write transaction a page is one document.
---@param query? larder.Query
---@return fun(): larder.Document?
function Collection:each(query) end

---@param where? larder.Filter all when absent, which costs the same for any size
---@return integer
function Collection:count(where) end

--- The values of a field, each once, in order; of arrays their elements.
---@param field string
---@param where? larder.Filter
---@return any[]
function Collection:distinct(field, where) end

--- How `find` runs a query: it is run for that.
---@param query? larder.Query
---@return larder.Explained
function Collection:explain(query) end

---@return larder.Index[]
function Collection:indexes() end

---@param name string
---@return boolean dropped false when it was not there
function Collection:drop_index(name) end

--- Raises EXISTS when there is one called `to`.
---@param from string
---@param to string
---@return boolean renamed false when it was not there
function Collection:rename_index(from, to) end

--- All that match, or, when one of them cannot be changed so, none.
---@param where larder.Filter
---@param patch larder.Patch
---@return integer count
function Collection:update_where(where, patch) end

---@param where larder.Filter
---@return integer count
function Collection:delete_where(where) end

--- Write the documents of older versions in the program's, in order of id, `batch` (500) in each transaction; `progress` is called between them and may
--- yield. It may be stopped at any time and called again: what is done, is done. Raises INVALID naming the document that cannot be
--- upgraded or does not pass `validate`; the batches before stay. While older documents are there, indexes are not used.
---@param options? { batch: integer?, progress: fun(done: integer, total: integer)? }
---@return integer count
function Collection:upgrade_all(options) end

--- The fluent form: `plans:where{ status = "open" }:sort "-createdAt":limit(20):all()`
---@param filter? larder.Filter
---@return larder.FluentQuery
function Collection:where(filter) end

--- Each step gives a new object.
---@class larder.FluentQuery
local FluentQuery = {}

---@param ... string|string[] fields, "-name" is descending
---@return larder.FluentQuery
function FluentQuery:sort(...) end

---@param count integer
---@return larder.FluentQuery
function FluentQuery:limit(count) end

---@param count integer
---@return larder.FluentQuery
function FluentQuery:offset(count) end

---@param cursor? string that `all` returned
---@return larder.FluentQuery
function FluentQuery:after(cursor) end

---@param ... string|string[] fields
---@return larder.FluentQuery
function FluentQuery:select(...) end

---@return larder.Document[] documents
---@return string? cursor
function FluentQuery:all() end

---@return larder.Document?
function FluentQuery:first() end

---@return fun(): larder.Document?
function FluentQuery:each() end

--- count, distinct, delete and update are for all that match: with limit, offset or after they raise INVALID.
---@return integer
function FluentQuery:count() end

---@param field string
---@return any[]
function FluentQuery:distinct(field) end

---@return integer count
function FluentQuery:delete() end

---@param patch larder.Patch
---@return integer count
function FluentQuery:update(patch) end

--- What a field is compared with; combined with `&`, `|`, `~`. All give plain tables of operators.
---@class larder.Condition
---@operator band(table): larder.Condition
---@operator bor(table): larder.Condition
---@operator bnot: larder.Condition

---@class larder.Conditions
---@field eq fun(value: any): larder.Condition nil is null
---@field ne fun(value: any): larder.Condition
---@field gt fun(value: any): larder.Condition
---@field gte fun(value: any): larder.Condition
---@field lt fun(value: any): larder.Condition
---@field lte fun(value: any): larder.Condition
---@field one_of fun(list: any[]): larder.Condition
---@field none_of fun(list: any[]): larder.Condition
---@field prefix fun(text: string): larder.Condition
---@field match fun(pattern: string, options: "i"?): larder.Condition a POSIX extended regular expression
---@field exists fun(there: boolean?): larder.Condition
---@field size fun(count: integer): larder.Condition an array of so many
---@field all fun(list: any[]): larder.Condition an array with each of them
---@field any fun(filter: larder.Filter): larder.Condition an array with an element that matches
