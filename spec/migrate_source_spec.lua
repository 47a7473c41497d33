local larder = require "larder"
local support = require "support"

local raises = support.raises

--- A directory with these files.
local function directory(files)
  local folder = support.folder()
  for name, text in pairs(files) do support.write_file(folder .. "/" .. name, text) end
  return folder
end

local good = "return { up = function(tx, ctx) end }"

describe("migrations in a directory", function()
  local store
  before_each(function() store = larder.open "memory:" end)
  after_each(function()
    store:close()
    support.remove_folders()
  end)

  local function refused(files, ...)
    local folder = directory(files)
    local e = raises("INVALID", { ... }, larder.migrations, store, folder)
    assert.are.equal("larder.migrations", e.op)
    return e, folder
  end

  it("are known by their files' names, in order of the numbers", function()
    local folder = directory { ["10_c.lua"] = good, ["2_b_and_more.lua"] = good, ["0001_a.lua"] = good }
    local names = {}
    for i, one in ipairs(larder.migrations(store, folder):status()) do names[i] = one.version .. one.name .. one.state end
    support.same({ "1apending", "2b_and_morepending", "10cpending" }, names)
  end)

  it("leave other files alone, hidden ones too", function()
    local folder = directory { ["README.md"] = "", ["0001_a.lua~"] = "", [".0001_b.lua"] = "(", ["0001_a.lua"] = good }
    assert.are.equal(1, #larder.migrations(store, folder):status())
  end)

  it("are none in an empty directory", function()
    local migrations = larder.migrations(store, directory {})
    assert.are.equal(0, #migrations:status())
    assert.are.equal(0, #migrations:up())
  end)

  it("are INVALID where the directory is missing, or a file", function()
    raises("INVALID", { "/nowhere/migrations", "No such file" }, larder.migrations, store, "/nowhere/migrations")
    local file = directory { x = "" } .. "/x"
    raises("INVALID", { file, "Not a directory" }, larder.migrations, store, file)
    raises("INVALID", "NUL", larder.migrations, store, "a\0b")
  end)

  it("are those of the directory, with a slash behind it or not, and of no other", function()
    local folder = directory { ["0001_a.lua"] = "return { up = function() error 'no' end }" }
    for _, slashes in ipairs { "", "/", "//" } do
      local migrations = larder.migrations(store, folder .. slashes)
      raises("INVALID", "(" .. folder .. "/0001_a.lua), up: " .. folder .. "/0001_a.lua:1: no", migrations.up, migrations)
    end
    raises("INVALID", "the name of a directory is not empty", larder.migrations, store, "")
  end)

  it("are files that can be read", function()
    local folder = support.folder()
    assert(os.execute("mkdir " .. folder .. "/0001_a.lua"))
    raises("INVALID", folder .. "/0001_a.lua: Is a directory", larder.migrations, store, folder)
    assert(os.execute(("cd %s && rmdir 0001_a.lua && ln -s nowhere 0001_a.lua"):format(folder)))
    local e = raises("INVALID", folder .. "/0001_a.lua: No such file", larder.migrations, store, folder)
    assert.are.equal(1, select(2, e.message:gsub("0001_a", "")))
  end)

  it("are the same with other ends of lines, a byte order mark, a first line for the shell", function()
    local function checksum(text, line)
      local migrations = larder.migrations(larder.open "memory:", directory { ["0001_a.lua"] = text })
      raises("INVALID", ("/0001_a.lua:%d: no"):format(line), migrations.up, migrations)
      return migrations:status()[1].checksum
    end
    local text = "return {\n  up = function()\n    error 'no'\n  end,\n}\n"
    local first = checksum(text, 3)
    assert.are.equal(first, checksum(text:gsub("\n", "\r\n"), 3))
    assert.are.equal(first, checksum("\xef\xbb\xbf" .. text, 3))
    assert.are.equal(first, checksum("\xef\xbb\xbf" .. text:gsub("\n", "\r\n"), 3))
    assert.are_not.equal(first, checksum("#!/usr/bin/env lua5.4\n" .. text, 4))
    assert.are_not.equal(first, checksum(text:gsub("\n", "\n\n"), 5))
    assert.are_not.equal(first, checksum(text:gsub("  end", "   end"), 3))
  end)

  it("have numbered names", function()
    for _, name in ipairs { "add_owner.lua", "0001_a.LUA", "1e3_a.lua", "0x1_a.lua", "0001-a.lua", "0001.lua", "0001_.lua", "0_a.lua",
      "99999999999999999999_a.lua", "-1_a.lua", "1a_b.lua" } do
      refused({ [name] = good }, name, "0001_add_owner.lua")
    end
  end)

  it("name file and line of what Lua refuses", function()
    local _, folder = refused({ ["0001_a.lua"] = "return {\n up = function( end }" }, "0001_a.lua:2:")
    assert.is_string(folder)
    local e = refused({ ["0001_a.lua"] = "\n\nerror { 'odd' }" }, "0001_a.lua: table:")
    assert.are.equal("odd", e.cause[1])
    e = refused({ ["0001_a.lua"] = "\n\nlocal x = nil + 1" }, "0001_a.lua:3:")
    assert.are.equal(1, select(2, e.message:gsub("0001_a", "")))
    refused({ ["0001_a.lua"] = string.dump(function() return {} end) }, "0001_a.lua", "binary chunk")
  end)

  it("return a table", function()
    refused({ ["0001_a.lua"] = "" }, "0001_a.lua: expected it to return a table, got nothing")
    refused({ ["0001_a.lua"] = "return 1" }, "got a number")
    refused({ ["0001_a.lua"] = "return nil" }, "got a nil")
    refused({ ["0001_a.lua"] = "return function(tx) end" }, "got a function")
  end)

  it("have fields that are known, and of their kinds", function()
    local function field(text, ...)
      refused({ ["0001_a.lua"] = "return {" .. text .. "}" }, "/0001_a.lua: ", ...)
    end
    field("upp = print", '"upp"', "up")
    field("name = 'b', up = print", '"name"')
    field("[1] = print", '"1"')
    field("up = 1", "up: expected a function, got 1")
    field("up = print, down = 'x'", "down: expected a function, got a string")
    field("up = print, description = {}", "description: expected a string, got a table")
    field("", "has neither up nor batch")
    field("up = print, batch = print", "has both up and batch")
    field("batch = print", "collection: is missing")
    field("batch = print, collection = 1", "collection: expected a string")
    field("batch = print, collection = 'x', where = 'y'", "where: expected a filter")
    for _, size in ipairs { "0", "-1", "1.5", "'1'" } do
      field("batch = print, collection = 'x', size = " .. size, "size: expected a whole number from 1")
    end
    for _, pause in ipairs { "-1", "0/0", "1/0", "'1'" } do
      field("batch = print, collection = 'x', pause_ms = " .. pause, "pause_ms: expected ms, a number from 0")
    end
    for _, name in ipairs { "collection = 'x'", "where = {}", "size = 1", "pause_ms = 1" } do
      field("up = print, " .. name, name:match "%S+" .. ": is for batch, and this has up")
    end
  end)

  it("see all globals, and keep their own to themselves", function()
    local folder = directory {
      ["0001_a.lua"] = "mine = 1 string_of = tostring return { up = function() assert(mine == 1 and string_of(2) == '2') mine = 3 end }",
      ["0002_b.lua"] = "assert(not mine) return { up = function(tx) assert(not mine and require 'larder') tx:map('m'):set(1, 1) end }",
    }
    assert.are.equal(2, #larder.migrations(store, folder):up())
    assert.is_nil(rawget(_G, "mine"))
    assert.are.equal(1, store:map("m"):get(1))
  end)
end)

describe("migrations in a list", function()
  local store
  before_each(function() store = larder.open "memory:" end)
  after_each(function() store:close() end)
  local function nothing() end

  it("take their numbers from their places, or say them", function()
    local migrations = larder.migrations(store, { { name = "a", up = nothing }, { name = "b", version = 7, up = nothing } })
    support.same({ 1, 7 }, { migrations:status()[1].version, migrations:status()[2].version })
  end)

  it("are tables with a name", function()
    local function refused(text, list) raises("INVALID", text, larder.migrations, store, list) end
    refused("migration 2 of the list: expected a table, got a number", { { name = "a", up = nothing }, 1 })
    refused("migration 1 of the list: name: is missing", { { up = nothing } })
    refused("migration 1 of the list: name: is missing", { { name = "", up = nothing } })
    refused("version: expected a whole number from 1, got 0", { { name = "a", version = 0, up = nothing } })
    refused("version: expected a whole number from 1, got 1.5", { { name = "a", version = 1.5, up = nothing } })
    refused('migration 1 "a": has neither', { { name = "a" } })
    refused("the list: expected migrations as 1..n", { add_owner = { up = nothing } })
    refused("the list: expected migrations as 1..n", { { name = "a", up = nothing }, x = 1 })
    refused("expected a directory or a list, got a number", 1)
    refused("expected a directory or a list, got a nil", nil)
  end)

  it("have the checksum of what they do, or the one they say", function()
    local function checksum(one)
      one.name = "a"
      return larder.migrations(store, { one }):status()[1].checksum
    end
    local function of(text) return checksum { up = load("return function(tx) " .. text .. " end")() } end
    assert.are.equal(of "local x = 1 return x", of "\n\n  local x = 1   return x")
    local everything = "local a <close>, b, c, d, e, f = nil, 1.5, 7, ('x'):rep(3), true, -3 for k in pairs(%s) do "
      .. "tx(function(...) local rest = { ... } return function() return a, k, %s, rest end end) end return function() end"
    local long = "'" .. ("y"):rep(200) .. "'"
    assert.are.equal(of(everything:format("tx", long)), of("\n\n" .. everything:format("\ntx", "\n" .. long)))
    assert.are_not.equal(of(everything:format("tx", "1")), of(everything:format("tx", "2")))
    assert.are_not.equal(of "return 1", of "return 2")
    assert.are.equal("v1", checksum { up = nothing, checksum = "v1" })
    local function batched(where) return checksum { batch = nothing, collection = "c", where = where } end
    assert.are.equal(batched { a = 1, b = { 2, larder.null } }, batched { b = { 2, larder.null }, a = 1 })
    assert.are_not.equal(batched { a = 1 }, batched { a = 1.0 })
    assert.are_not.equal(batched { a = 1 }, batched { a = "1" })
    assert.are_not.equal(batched(), batched {})
    assert.are_not.equal(checksum { up = nothing }, checksum { up = nothing, down = nothing })
    raises("INVALID", { 'migration 1 "a"', "checksum: is missing", "unable to dump" }, checksum, { up = print })
  end)

  it("belong to an open store, with options that are known", function()
    for _, wrong in ipairs { 1, "store", {}, store:map "x" } do
      raises("INVALID", "expected a store", larder.migrations, wrong, {})
    end
    raises("INVALID", { '"gap"', "gaps" }, larder.migrations, store, {}, { gap = true })
    raises("INVALID", "option gaps: expected a boolean, got 1", larder.migrations, store, {}, { gaps = 1 })
    raises("INVALID", "options: expected a table", larder.migrations, store, {}, 1)
    raises("INVALID", '"dry_run"', larder.migrations, store, {}, { dry_run = true })
    local migrations = larder.migrations(store, {})
    store:close()
    raises("CLOSED", nil, migrations.up, migrations)
    raises("CLOSED", nil, migrations.status, migrations)
  end)
end)
