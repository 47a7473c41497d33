---@meta larder
--- Migrations, for editors. Never loaded by programs.

--- What a migration gets beside the transaction or the document.
---@class larder.MigrationContext
---@field name string "add_owner"
---@field version integer
---@field description? string
---@field direction "up"|"down"
---@field dry_run boolean
---@field half_done boolean its batches were begun before: `up` goes on, `down` meets both kinds of documents
---@field store larder.Stats when the step began
---@field tx? larder.Tx of batches: the batch's transaction, for other collections; not for the documents of this one, which may be in the batch
---@field log fun(message: any) into the report's `messages`, and to the option `log`

--- What a file `0001_add_owner.lua` returns, or one of a list. Either `up` or `batch`. A file is text, sees all globals, and what it sets as a
--- global stays in it.
---@class larder.Migration
---@field version? integer lists only, from 1; its place in the list when absent
---@field name? string lists only, and needed there
---@field checksum? string lists only: a text of your own that changes with it; the functions' bytecode decides when absent
---@field description? string
---@field up? fun(tx: larder.Tx, ctx: larder.MigrationContext)
---@field down? fun(tx: larder.Tx, ctx: larder.MigrationContext) one transaction, for batches too
---@field batch? fun(document: larder.Document, ctx: larder.MigrationContext): larder.Document? the document as it is to be, or `larder.remove`; nothing: the one it got, as it is now. What is as before is not written
---@field collection? string of batch
---@field where? larder.Filter of batch; all when absent
---@field size? integer of batch: documents a transaction; 500 when absent
---@field pause_ms? number of batch: to wait between two

--- For `larder.migrations`, and for each call, which wins.
---@class larder.MigrationOptions
---@field out_of_order? boolean accept one that was not run though a later one was
---@field changed? boolean accept what was changed since it was run; its checksum is then the new one, for good
---@field missing? boolean accept what was run and is gone, for good
---@field gaps? boolean accept missing numbers; for numbers that are dates
---@field program? string the version of your program, for the history
---@field log? fun(message: string, ctx: larder.MigrationContext)
---@field progress? fun(entry: larder.MigrationEntry) after each batch; its `more` is false after the last one
---@field pause_ms? number between batches, instead of the migration's own
---@field sleep? fun(seconds: number) what waits
---@field samples? integer of a dry run: keys a place; 3 when absent

---@class larder.RunOptions: larder.MigrationOptions
---@field dry_run? boolean run, report, roll back
---@field restart? boolean batches that were begun begin anew
---@field batches? integer run at most so many batches, then pause

---@class larder.UpOptions: larder.RunOptions
---@field to? integer up to this version, with it

---@class larder.DownOptions: larder.RunOptions
---@field n? integer how many; 1 when absent

--- What was done in one place. A document, value or room that was given to the migration is read.
---@class larder.PlaceChanges
---@field kind "collection"|"rooms"|"map"|"queue"|string
---@field name? string
---@field read integer
---@field written integer
---@field deleted integer
---@field samples { key: larder.Key, before: any, after: any }[] of the first keys that were written or deleted; nil is absent
---@field calls? table<string, integer> of methods that are none of these

---@class larder.MigrationEntry
---@field version integer
---@field name string
---@field direction "up"|"down"|"baseline"
---@field took number seconds; of batches all together
---@field messages string[]
---@field seen? integer documents, of all batches so far; likewise `changed` and `deleted`
---@field changed? integer
---@field deleted? integer
---@field batches? integer
---@field total? integer how many there were when the first batch began
---@field more? boolean there are batches left
---@field changes? larder.PlaceChanges[] of a dry run

--- An entry for each that was run; empty when there was nothing to do.
---@class larder.MigrationReport
---@field [integer] larder.MigrationEntry
---@field paused? boolean ended by `pause`, or by the option `batches`
---@field dry_run? boolean

---@class larder.MigrationStatus
---@field version integer
---@field name string
---@field description? string
---@field checksum string
---@field state "pending"|"running"|"done" running: batches were begun
---@field gone? boolean it was run, and is not there
---@field problem? string what `up` would say of it
---@field at? integer ms since 1970
---@field took? number seconds
---@field program? string
---@field larder? string the library's version
---@field baseline? boolean entered without running
---@field seen? integer of batches, as are `changed`, `deleted`, `batches`, `total`

---@class larder.MigrationProblem
---@field kind "twice"|"gap"|"missing"|"changed"|"out_of_order"
---@field version integer
---@field name? string nil of a gap
---@field message string

--- Each is run in one transaction with its row in the history, the map "larder.migrations" of the store, which is reserved for it. All that speaks
--- against running is checked before anything is run, and told at once: INVALID with `problems`. One that raises leaves nothing, and those behind it
--- are not run; the error names it, the line, and has what was raised as `cause`.
---@class larder.Migrations
local Migrations = {}

--- Run what was not run yet, in order.
---@param options? larder.UpOptions
---@return larder.MigrationReport
function Migrations:up(options) end

--- Take back what was run last. INVALID before anything is run when one of them has no `down`.
---@param options? larder.DownOptions
---@return larder.MigrationReport
function Migrations:down(options) end

--- Take back the last one and run it again, in one transaction unless it has batches.
---@param options? larder.RunOptions
---@return larder.MigrationReport
function Migrations:redo(options) end

--- Take back what is above the version, the last one first, and run what is missing up to it.
---@param version integer 0: before the first
---@param options? larder.RunOptions
---@return larder.MigrationReport
function Migrations:to(version, options) end

--- All, in order of version, those that are gone too.
---@return larder.MigrationStatus[]
---@return integer? paused ms since 1970
function Migrations:status() end

--- What `up` would refuse; empty when nothing.
---@param options? larder.MigrationOptions
---@return larder.MigrationProblem[]
function Migrations:validate(options) end

--- Enter all up to the version as done without running them: for a store that has what they make. INVALID when some were run.
---@param version integer
---@param options? larder.MigrationOptions
---@return larder.MigrationReport
function Migrations:baseline(version, options) end

--- Let no migration and no batch begin, in any process, until `resume`: what runs stops behind its batch, with `paused` in its report; `up` raises INVALID.
---@return boolean changed
function Migrations:pause() end

---@return boolean changed
function Migrations:resume() end
