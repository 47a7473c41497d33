---@meta larder
--- What store:verify and larder.recover return, for editors. Never loaded by programs.

--- Something that is wrong.
---@class larder.Finding
---@field kind "page"|"row"|"key"|"space"|"store"|"sequence"|"room"|"rating"|"progress"|"collection"|"document"|"count"|"index"|"map"|"queue"|"job"|"cache"|"unfinished"
---@field where string `document 7 of collection "plans"`, `index "status" of collection "plans"`, `ratings of room number 12`
---@field text string

---@class larder.VerifyReport
---@field ok boolean nothing was found
---@field readable boolean false: pages are damaged, so that the rows were not read; larder.recover saves what can be
---@field rows integer
---@field rooms integer
---@field documents integer
---@field entries integer of indexes
---@field keys integer of maps
---@field queues integer
---@field jobs integer
---@field caches integer
---@field cached integer entries of caches; their files are not looked at
---@field found integer how many findings; `findings` has the first 1000
---@field findings larder.Finding[]
---@field collections { name: string, documents: integer, indexes: integer }[] the first 1000
---@field repaired? { what: string, ok: boolean, text: string? }[] with `repair`; `text` says why it stays as it is

---@class larder.RecoverReport
---@field ok boolean the new store is sound
---@field resumed boolean an earlier run that was broken off was gone on with
---@field rows integer taken over, by that one, too; indexes are made anew
---@field older integer earlier states of them that were left out
---@field rooms integer
---@field documents integer
---@field collections { name: string, documents: integer, indexes: integer }[]
---@field losses integer how many; `lost` has the first 1000
---@field lost { where: string, text: string }[]
---@field repaired { what: string, ok: boolean, text: string? }[] what was made anew
---@field note string what a report cannot know
---@field verify larder.VerifyReport of the new store

---@class larder.Store
local Store = {}

--- Look at everything: pages, rows, every document against every index in both directions, counts, ratings and their rooms, jobs and their queues, caches. Nothing is raised for what is wrong: it is
--- in the report. It reads one snapshot; writers go on. With `repair`, indexes, counts, states of jobs, caches and the sequence are made anew where they are wrong, each in one transaction, and the report is that
--- of the last look. Raises MISUSE (repair while a write transaction is open), IO, and what `progress` raises.
---@param options? { progress: fun(done: integer, total: integer), repair: "indexes" } progress may not use the store
---@return larder.VerifyReport
function Store:verify(options) end
