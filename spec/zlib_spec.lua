-- A larder that is built without zlib: it does all but packed dumps, and says so.
local shell = require "check.shell"

local lua = os.getenv "LUA" or "lua5.4"

local program = [[
local larder = require "larder"
local store <close> = larder.open "memory:"
store:map("m"):set("k", "v")
store:dump "plain.jsonl"
local loaded <close> = larder.open "memory:"
larder.load("plain.jsonl", loaded)
print(loaded:map("m"):get "k")
os.execute "gzip -k plain.jsonl"
print(select(2, pcall(store.dump, store, "packed.jsonl.gz")))
print(select(2, pcall(larder.load, "plain.jsonl.gz", loaded)))
print(io.open "packed.jsonl.gz")
]]

local said = [[
v
store:dump: gzip: this larder was built without zlib (zlib.h) (UNSUPPORTED)
larder.load: load "plain.jsonl.gz": gzip: this larder was built without zlib (zlib.h) (UNSUPPORTED)
nil	packed.jsonl.gz: No such file or directory	2
]]

describe("without zlib", function()
  local root
  setup(function() root = shell.folder() end)
  teardown(function() shell.remove(root) end)

  it("larder builds, and refuses what is packed", function()
    shell.copy_sources(root)
    shell.must(("cd %s && make ZLIB=no CFLAGS=-O0 all build/spec/test_gzip && build/spec/test_gzip"):format(root))
    shell.write(root .. "/program.lua", program)
    local paths = "LUA_PATH='lua/?.lua;lua/?/init.lua' LUA_CPATH='build/?.so'"
    assert.are.equal(said, shell.must(("cd %s && env -u LUA_INIT %s %s program.lua"):format(root, paths, lua)))
  end)

  it("deps asks for nothing of it", function()
    assert.are.equal("", (select(2, shell.run("cd " .. root .. " && ZLIB=no .ci/deps build"))))
  end)
end)
