-- Each rule of `make check` finds what was planted for it, and nothing in a clean tree.
local shell = require "check.shell"

local lua = os.getenv "LUA" or "lua5.4"

describe("the rule", function()
  local root

  before_each(function() root = shell.folder() end)
  after_each(function() shell.remove(root) end)

  local function plant(path, text) shell.write(root .. "/" .. path, text) end

  local function check(rule)
    local script = "spec/check/" .. rule
    local runner = rule:find "%.lua$" and lua .. " " or ""
    return shell.run(runner .. script .. " " .. shell.quote(root))
  end

  local function passes(rule)
    local ok, output = check(rule)
    assert.are.equal("", output)
    assert.is_true(ok)
  end

  local function finds(rule, what)
    local ok, output = check(rule)
    assert.is_false(ok)
    assert.is_truthy(output:find(what, 1, true), output)
    assert.are.equal(1, select(2, output:gsub("\n", "\n")), output)
  end

  describe("includes", function()
    it("lets every file include what is below it", function()
      plant("csrc/base.h", "#include <string.h>\n")
      plant("csrc/json.c", '#include <cjson/cJSON.h>\n#include "base.h"\n')
      plant("csrc/json_scan.c", '#include "value.h"\n')
      plant("csrc/room.c", '#include "json.h"\n#include "engine.h"\n')
      plant("csrc/engines/lmdb_env.h", "#include <lmdb.h>\n")
      plant("csrc/engines/memory.c", '#include "../engine.h"\n#include "memory_tree.h"\n')
      plant("csrc/bind/rooms.c", '#include <lua.h>\n#include "../room.h"\n#include "bind.h"\n')
      passes "includes.lua"
    end)

    local planted = {
      { "csrc/room.c", "#include <lua.h>", "<lua.h> belongs to csrc/bind/" },
      { "csrc/engines/memory.c", "# include <lauxlib.h>", "<lauxlib.h> belongs to csrc/bind/" },
      { "csrc/engines/memory.c", "#include <lmdb.h>", "<lmdb.h> belongs to" },
      { "csrc/lmdb.c", "#include <lmdb.h>", "<lmdb.h> belongs to" },
      { "csrc/bind/lmdb.c", "#include <lmdb.h>", "<lmdb.h> belongs to" },
      { "csrc/json_scan.c", "#include <cjson/cJSON.h>", "belongs to csrc/json.c" },
      { "csrc/room.c", "#include <cJSON.h>", "belongs to csrc/json.c" },
      { "csrc/engines/memory.c", '#include "../value.h"', "an engine knows" },
      { "csrc/engines/memory.c", '#include "../room.h"', "an engine knows" },
      { "csrc/engines/memory.c", '#include "../bind/bind.h"', "an engine knows" },
      { "csrc/room.c", '#include "bind/bind.h"', "the core does not know csrc/bind/bind.h" },
      { "csrc/room.c", '#include "engines/btree.h"', "the core does not know csrc/engines/btree.h" },
      { "csrc/tuple.c", '#include "row.h"', "the ground does not know" },
      { "csrc/json_scan.c", '#include "engine.h"', "the ground does not know" },
      { "csrc/value.h", '#include "room.h"', "the ground does not know" },
      { "csrc/room.c", '#include "../spec/c/check.h"', "the library does not know spec/c/check.h" },
    }
    for _, case in ipairs(planted) do
      it("finds " .. case[2] .. " in " .. case[1], function()
        plant(case[1], "\n" .. case[2] .. "\n")
        finds("includes.lua", case[1] .. ":2: ")
        finds("includes.lua", case[3])
      end)
    end
  end)

  describe("budget", function()
    local function c_function(lines)
      return "static int f(int a,\n             int b) {\n" .. ("  a++;\n"):rep(lines - 3) .. "}\n"
    end

    it("lets functions and files up to the limit pass", function()
      plant("csrc/a.c", c_function(40) .. "\n" .. c_function(40))
      plant("csrc/b.c", ("\n"):rep(500))
      plant("csrc/table.c", "static const int table[] = {\n" .. ("  f(1),\n"):rep(60) .. "};\n")
      plant("csrc/c.h", ("\n"):rep(200) .. "")
      plant("lua/d.lua", "local function f()\n" .. ("  print()\n"):rep(38) .. "end\nf()\n" .. ("\n"):rep(209))
      passes "budget.lua"
    end)

    it("finds a C function of 41 lines", function()
      plant("csrc/a.c", c_function(40) .. "\n" .. c_function(41))
      finds("budget.lua", "csrc/a.c:42: f has 41 lines")
    end)

    it("finds it in the C files of the specs", function()
      plant("spec/c/test_a.c", "int main(void) {\n" .. ("\n"):rep(60) .. "}\n")
      finds("budget.lua", "spec/c/test_a.c:1: main has 62 lines")
    end)

    it("finds a Lua function of 41 lines, in another one too", function()
      plant("lua/d.lua", "local t = { function()\n" .. ("  print()\n"):rep(39) .. "end }\nreturn t\n")
      finds("budget.lua", "lua/d.lua:1: a function has 41 lines")
    end)

    for path, lines in pairs { ["csrc/b.c"] = 500, ["csrc/b.h"] = 200, ["lua/b.lua"] = 250, ["spec/b_spec.lua"] = 250 } do
      it(("finds the line %d of %s"):format(lines + 1, path), function()
        plant(path, ("\n"):rep(lines + 1))
        finds("budget.lua", ("%s: %d lines, at most %d"):format(path, lines + 1, lines))
      end)
    end
  end)

  describe("marks", function()
    it("lets words pass that only look like marks", function()
      plant("csrc/a.c", "int TODOS; /* tmpfs/work */\n")
      passes "marks.lua"
    end)

    for _, mark in ipairs { "TO" .. "DO", "FIX" .. "ME" } do
      it("finds " .. mark, function()
        plant("lua/a.lua", "\n-- " .. mark .. ": later\n")
        finds("marks.lua", "lua/a.lua:2: " .. mark)
      end)
    end

    it("finds a path of one machine", function()
      plant("spec/a_spec.lua", 'open "/hom' .. 'e/ada/store"\n')
      finds("marks.lua", "spec/a_spec.lua:1: a path of one machine")
    end)

    it("finds blanks at the end of a line", function()
      plant("csrc/a.h", "int a; \n")
      finds("marks.lua", "csrc/a.h:1: ends in blanks")
    end)
  end)

  describe("sources", function()
    local function plant_tree()
      plant("rockspec/larder-scm-1.rockspec", [[build = { modules = {
        ["larder.core"] = { sources = { "csrc/a.c", "csrc/bind/b.c" } },
        larder = "lua/larder/init.lua", ["larder.q"] = "lua/larder/q.lua" } }]])
      plant("csrc/a.c", "")
      plant("csrc/bind/b.c", "")
      plant("lua/larder/init.lua", "")
      plant("lua/larder/q.lua", "")
    end

    it("passes when the rockspec lists the tree", function()
      plant_tree()
      passes "sources.lua"
    end)

    it("finds a C file that is not listed", function()
      plant_tree()
      plant("csrc/engines/new.c", "")
      finds("sources.lua", "source csrc/engines/new.c is in the tree and not listed")
    end)

    it("finds a Lua module that is not listed", function()
      plant_tree()
      plant("lua/larder/cli/copy.lua", "")
      finds("sources.lua", "module larder.cli.copy = lua/larder/cli/copy.lua is in the tree and not listed")
    end)

    it("finds what is listed and gone", function()
      plant_tree()
      shell.remove(root .. "/csrc/bind/b.c")
      finds("sources.lua", "source csrc/bind/b.c is listed and not in the tree")
    end)
  end)

  describe("mirror", function()
    it("knows specs by their noun, in any folder", function()
      plant("csrc/queue.c", "")
      plant("csrc/queue_row.c", "")
      plant("csrc/engines/memory.c", "")
      plant("csrc/crc.c", "")
      plant("lua/larder/query.lua", "")
      plant("spec/queue_spec.lua", "")
      plant("spec/engines/memory_spec.lua", "")
      plant("spec/c/test_crc.c", "")
      plant("spec/query_spec.lua", "")
      passes "mirror.lua"
    end)

    it("finds a source without a spec", function()
      plant("csrc/queue.c", "")
      plant("spec/queues_spec.lua", "")
      finds("mirror.lua", "csrc/queue.c: no spec/queue_spec.lua, no spec/c/test_queue.c")
    end)
  end)

  describe("luacheck", function()
    before_each(function() shell.must("cp .luacheckrc " .. shell.quote(root)) end)

    it("finds an unused variable", function()
      if not shell.has "luacheck" then return pending "luacheck is not here" end
      plant("lua/a.lua", "local unused = 1\n")
      local ok, output = check "luacheck.sh"
      assert.is_false(ok)
      assert.is_truthy(output:find("unused variable 'unused'", 1, true), output)
    end)
  end)

  describe("format", function()
    before_each(function() shell.must("cp .clang-format " .. shell.quote(root)) end)

    it("finds a line that clang-format would lay out differently", function()
      plant("csrc/a.c", "int  a;\n")
      plant("spec/c/b.c", "int b;\n")
      local ok, output, status = check "format.sh"
      if status == 77 then return pending "clang-format 14 is not here" end
      assert.is_false(ok)
      assert.is_truthy(output:find("a.c:1:4", 1, true), output)
    end)
  end)
end)
