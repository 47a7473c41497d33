-- The two ways to install: into a tree of LuaRocks, and by `make install`. A program that sees nothing but what was installed uses it.
local shell = require "check.shell"

local lua = os.getenv "LUA" or "lua5.4"

local program = [[
local larder = require "larder"
for _ = 1, 2 do
  local store <close> = larder.open "lmdb:./data"
  local rooms = store:rooms()
  if not rooms:has "attic" then rooms:save { roomName = "attic" } end
  rooms:rate("attic", "ada", "movie-1", "like")
end
local store <close> = larder.open "lmdb:./data"
print(store:rooms():get("attic").userProgress.ada, package.searchpath("larder.core", package.cpath))
]]

local consumer = [[
#include <stdio.h>
#include "engine.h"
int main(void) {
  ld_config config = {.env = ld_env_system()};
  ld_engine *engine;
  ld_error error;
  if (ld_engine_open(&ld_memory_engine, &config, &engine, &error) != LD_OK) return 1;
  ld_engine_close(engine);
  return puts("linked") < 0;
}
]]

describe("an installed larder", function()
  local root, sources

  setup(function()
    root = shell.folder()
    sources = root .. "/sources"
    shell.must("mkdir " .. sources)
    shell.copy_sources(sources)
  end)
  teardown(function() shell.remove(root) end)

  -- Run the program in a folder of its own with these search paths only.
  local function use(name, ldir, cdir)
    local folder = root .. "/" .. name .. "-use"
    shell.write(folder .. "/program.lua", program)
    return shell.must(("cd %s && env -u LUA_INIT LUA_PATH='%s/?.lua;%s/?/init.lua' LUA_CPATH='%s/?.so' %s program.lua"):format(
      folder, ldir, ldir, cdir, lua))
  end

  -- Run the command that is installed there.
  local function command(there, arguments)
    local paths = "LUA_PATH='THERE/share/lua/5.4/?.lua;THERE/share/lua/5.4/?/init.lua;;' LUA_CPATH='THERE/lib/lua/5.4/?.so;;'"
    return shell.must(("cd %s && %s %s/bin/larder %s"):format(root, paths:gsub("THERE", there), there, arguments))
  end

  -- Its dependency, argparse, is the machine's: nothing is fetched.
  it("works from a tree that luarocks made", function()
    if not shell.has "luarocks" then return pending "luarocks is not here" end
    local tree = root .. "/tree"
    shell.must(("cd %s && luarocks --lua-version 5.4 make --deps-mode none --tree %s rockspec/larder-scm-1.rockspec"):format(sources, tree))
    assert.are.equal("1\t" .. tree .. "/lib/lua/5.4/larder/core.so\n", use("rock", tree .. "/share/lua/5.4", tree .. "/lib/lua/5.4"))
    assert.are.equal("larder " .. require("larder").version .. "\n", command(tree, "--version"))
  end)

  describe("by make", function()
    local prefix

    setup(function()
      prefix = root .. "/prefix"
      shell.must(("make -C %s CFLAGS=-O1 install PREFIX=%s"):format(sources, prefix))
    end)

    it("works", function()
      assert.are.equal("1\t" .. prefix .. "/lib/lua/5.4/larder/core.so\n",
        use("make", prefix .. "/share/lua/5.4", prefix .. "/lib/lua/5.4"))
    end)

    it("brings the command", function()
      assert.truthy(command(prefix, "verify memory:"):find "^sound: ")
    end)

    it("shows nothing of itself to other modules but its luaopen_", function()
      local defined = shell.must("nm -D --defined-only " .. prefix .. "/lib/lua/5.4/larder/core.so")
      assert.is_truthy(defined:find "luaopen_larder_core")
      assert.is_nil(defined:find " ld_", defined)
    end)

    it("is linked by C programs through pkg-config", function()
      shell.write(root .. "/consumer.c", consumer)
      shell.must(("cd %s && cc consumer.c -o consumer $(PKG_CONFIG_PATH=%s/lib/pkgconfig pkg-config --cflags --libs larder)"):format(
        root, prefix))
      assert.are.equal("linked\n", shell.must(root .. "/consumer"))
    end)

    it("goes to the folders that this Lua searches", function()
      local stage = root .. "/stage"
      shell.must(("make -C %s CFLAGS=-O1 install PREFIX=/usr/local DESTDIR=%s"):format(sources, stage))
      for path, name in pairs { [package.path] = "share/lua/5.4/larder/init.lua", [package.cpath] = "lib/lua/5.4/larder/core.so" } do
        assert.is_truthy(path:find("/usr/local/" .. name:match "^.-5%.4", 1, true), path)
        assert.is_truthy(io.open(stage .. "/usr/local/" .. name), name)
      end
    end)

    it("is gone after make uninstall", function()
      shell.must(("make -C %s CFLAGS=-O1 uninstall PREFIX=%s"):format(sources, prefix))
      assert.are.equal("", shell.must("find " .. prefix .. " -type f"))
    end)
  end)
end)
