--- What `verify` tells of the directory of a `file:` store, and what can be done with one that may only be read.
local busted = require "busted"
local assert = require "luassert"
local larder = require "larder"
local support = require "support"
local describe, it, before_each, after_each = busted.describe, busted.it, busted.before_each, busted.after_each
local raises, same = support.raises, support.same

local folder, store

local function open(more)
  local options = { engine = "file", path = folder, durability = "none" }
  for name, value in pairs(more or {}) do options[name] = value end
  store = larder.open(options)
  return store
end

local function write(name, text) return support.write_file(folder .. "/" .. name, text) end

local function shell(command)
  local pipe <close> = assert(io.popen(("unset LD_PRELOAD; cd '%s' && %s"):format(folder, command)))
  return pipe:read "a"
end

--- All files with their contents and times.
local function snapshot()
  return shell "find . -type f -o -type d | sort | xargs stat -c '%n %Y %Z %i' && find . -type f | sort | xargs cat"
end

local function around()
  before_each(function()
    folder = support.folder()
    open()
    store:rooms():save { roomName = "r" }
    store:collection("plans"):put { id = 1 }
    store:queue("mail"):enqueue "x"
  end)
  after_each(function()
    store:close()
    support.remove_folders()
  end)
end

local function findings()
  local report, list = store:verify(), {}
  for i, finding in ipairs(report.findings) do
    assert.are.equal("file", finding.kind)
    list[i] = finding.where .. " " .. finding.text
  end
  assert.are.equal(#list == 0, report.ok)
  assert.is_true(report.readable)
  return list
end

describe("verify of a file store", function()
  around()

  it("finds nothing wrong in what it wrote", function()
    store:rooms():save { roomName = "r", n = 2 }
    store:collection("plans"):delete(1)
    same({}, findings())
    store:close()
    open()
    same({}, findings())
  end)

  it("names files that are missing, changed, foreign, half-written, and changes nothing", function()
    os.remove(folder .. "/rooms/r.json")
    write("plans/1.json", '{"id": 1, "more": true}')
    write("plans/2.json", '{"id": 2}')
    write("note.txt", "mine")
    write("rooms/.larder-7.tmp", "half")
    write(".larder/rows/abc", "x")
    write(".larder/journal.new", "x")
    local before = snapshot()
    local list = findings()
    table.sort(list)
    same({
      'file ".larder/journal.new" was left by a commit that did not end',
      'file ".larder/rows/abc" is not this store\'s',
      'file "note.txt" is not this store\'s',
      'file "plans/1.json" is not what was written; another program has changed it, or it is damaged',
      'file "plans/2.json" is not this store\'s',
      'file "rooms/.larder-7.tmp" was left by a commit that did not end',
      'file "rooms/r.json" is missing; another program has removed it',
    }, list)
    assert.are.equal(before, snapshot())
  end)

  it("names what was left out when the store was opened, and why", function()
    store:close()
    write("rooms/bad.json", "{")
    open { damaged = "skip" }
    local list = findings()
    assert.are.equal(1, #list)
    assert.truthy(list[1]:find('file "rooms/bad.json" line 1, column 2', 1, true), list[1])
  end)

  it("counts what is in it", function()
    local report = store:verify()
    same({ 1, 1, 1, 1 }, { report.rooms, report.documents, report.queues, report.jobs })
  end)
end)

describe("a row of the store's own that is damaged", function()
  around()

  it("is named, or moved to quarantine: its collection is left out", function()
    store:collection("other", { indexes = { "n" } }):put { id = 1 }
    store:close()
    local row = shell "grep -l other .larder/rows/*":match "%S+"
    local text = support.read_file(folder .. "/" .. row)
    write(row, text:sub(1, -5) .. "oops")
    raises("CORRUPT", { row, "the row in it is damaged", "1 damaged" }, open)
    open { damaged = "skip" }
    same({ "plans" }, store:collections())
    raises("CONFLICT", "other/1.json", function() store:collection("other"):put { id = 1 } end)
    store:close()
    open()
    assert.are.equal(1, #findings())
    assert.truthy(shell "find quarantine -type f":find(row, 1, true))
  end)
end)

describe("a file store that is only read", function()
  around()

  it("is neither made nor changed, and refuses to be written", function()
    raises("INVALID", "another read_only", open, { read_only = true })
    store:close()
    write("rooms/.larder-7.tmp", "half")
    local before = snapshot()
    open { read_only = true }
    assert.is_true(store:rooms():has "r")
    assert.are.equal(1, store:collection("plans"):get(1).id)
    assert.are.equal(1, store:queue("mail"):counts().ready)
    raises("MISUSE", { "read_only", folder }, function() store:rooms():save { roomName = "s" } end)
    store:close()
    assert.are.equal(before, snapshot())
    local function look(path) return larder.open { engine = "file", path = path, read_only = true } end
    for _, path in ipairs { "/none", "/plans/x" } do raises("IO", "No such file or directory", look, folder .. path) end
    raises("IO", "Not a directory", look, folder .. "/rooms/r.json")
    raises("INVALID", "there is no store", look, support.folder())
    assert.are.equal(before, snapshot())
    raises("INVALID", "read_only", open, { read_only = "maybe" })
    open()
  end)

  it("shows what is in the backup of a damaged file, and leaves the file", function()
    store:rooms():save { roomName = "r", n = 2 }
    store:close()
    write("rooms/r.json", "{")
    local before = snapshot()
    open { read_only = true }
    assert.is_nil(store:rooms():get("r").n)
    store:close()
    assert.are.equal(before, snapshot())
    open()
  end)

  it("may be a MovieMatch directory, or on a medium that cannot be written", function()
    store:close()
    local place = support.folder()
    support.write_file(place .. "/Movie Night.json", '{"roomName": "Movie Night", "ratings": {}, "userProgress": {}}')
    os.execute(("chmod -R a-w '%s'"):format(place))
    store = larder.open { engine = "file", path = place, read_only = true }
    assert.are.equal("Movie Night", store:rooms():names()())
    os.execute(("chmod -R u+w '%s'"):format(place))
  end)

  it("may be read by several processes, while none writes", function()
    local program = ([[
      local ok, raised = pcall(require("larder").open, { engine = "file", path = %q, durability = "none", read_only = arg[1] ~= "write" })
      print(ok, ok or raised.code, ok or raised.message)]]):format(folder)
    local function try(word)
      local _, out = support.run(("arg = { %q } "):format(word) .. program)
      return out
    end
    assert.truthy(try "read":find("false\tBUSY\t.*in process %d+"))
    store:close()
    open { read_only = true }
    assert.truthy(try "read":find "^true")
    assert.truthy(try "write":find("false\tBUSY", 1, true))
    store:close()
    assert.truthy(try "write":find "^true")
    open()
  end)

  it("says so when a commit was not finished", function()
    store:close()
    write(".larder/journal", "x")
    raises("IO", "was not finished", open, { read_only = true })
    raises("CORRUPT", "journal", open)
    os.remove(folder .. "/.larder/journal")
    open()
  end)
end)
