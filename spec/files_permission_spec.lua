-- larder.files where the system forbids something, and deleting what is old.
local larder = require "larder"
local forked = require "spec.forked"
local port = require "larder_port"
local support = require "spec.support"

describe("larder.files", function()
  local folder, files

  before_each(function()
    folder = support.folder()
    files = larder.files(folder .. "/base")
  end)

  after_each(function()
    files:close()
    support.remove_folders()
  end)

  -- What f says as user nobody.
  local function as_nobody(f)
    return forked.said(function()
      port.setuid(65534)
      return f()
    end)
  end

  it("knows what a user may not do", function()
    files:write("d/f", "x")
    port.chmod(folder .. "/base/d", 365) -- 0555
    local function try()
      local codes = {}
      for _, call in ipairs{ { "write", "d/g", "x" }, { "write", "d/f", "y" }, { "delete", "d/f" }, { "move", "d/f", "g" },
        { "make_dir", "d/e" }, { "remove_dir", "d", { recursive = true } } } do
        local _, e = pcall(files[call[1]], files, table.unpack(call, 2))
        codes[#codes + 1] = e.code
      end
      return table.concat(codes, " ") .. " " .. files:read "d/f"
    end
    os.execute(("chmod 755 '%s'; chown -R 65534 '%s/base' 2>/dev/null"):format(folder, folder))
    assert.are.equal(("PERMISSION "):rep(6) .. "x", as_nobody(try))
  end)

  it("force removes what directories would not let go", function()
    files:write("d/e/f", "x")
    os.execute(("chmod 755 '%s'; chown -R 65534 '%s/base' 2>/dev/null; chmod 000 '%s/base/d/e'; chmod 555 '%s/base/d'"):format(
      folder, folder, folder, folder))
    assert.are.equal("PERMISSION true true", as_nobody(function()
      local _, e = pcall(files.remove_dir, files, "d", { recursive = true })
      local there = files:dir_exists "d/e"
      return ("%s %s %s"):format(e.code, there, files:remove_dir("d", { recursive = true, force = true }))
    end))
    assert.is_false(files:dir_exists "d")
  end)

  it("keeps another user's files to that user", function()
    files:write("d/f", "x")
    os.execute(("chmod 755 '%s' '%s/base'"):format(folder, folder))
    assert.are.equal(("PERMISSION/13 "):rep(6), as_nobody(function()
      local codes = ""
      for _, call in ipairs{ { "read", "d/f" }, { "stat", "d/f" }, { "checksum", "d/f" }, { "list", "d" }, { "copy", "d/f", "g" },
        { "write", "g", "x" } } do
        local _, e = pcall(files[call[1]], files, table.unpack(call, 2))
        codes = codes .. e.code .. "/" .. e.errno .. " "
      end
      return codes
    end))
  end)

  it("lists no directory as empty that only tells its names", function()
    files:write("d/f", "x")
    os.execute(("chmod 755 '%s' '%s/base'; chmod 744 '%s/base/d'"):format(folder, folder, folder))
    assert.are.equal("PERMISSION d/f, PERMISSION d/f, 0 1", as_nobody(function()
      local _, plain = pcall(files.list, files, "d")
      local _, deep = pcall(files.list, files, { recursive = true })
      local count, failures = files:delete_older_than("d", math.maxinteger // 1024)
      return ("%s %s, %s %s, %d %d"):format(plain.code, plain.path, deep.code, deep.path, count, #failures)
    end))
  end)

  it("goes on behind a directory that may not be read", function()
    for _, path in ipairs{ "a/1", "b/2", "c/3" } do files:write(path, "x") end
    os.execute(("chmod 755 '%s'; chown -R 65534 '%s/base'; chmod 000 '%s/base/b'"):format(folder, folder, folder))
    assert.are.equal("a/1 b=PERMISSION c/3 nil", as_nobody(function()
      local step, said = files:each{ recursive = true }, {}
      for i = 1, 4 do
        local ok, found = pcall(step)
        said[i] = ok and tostring(found) or found.path .. "=" .. found.code
      end
      return table.concat(said, " ")
    end))
    port.chmod(folder .. "/base/b", 448)
  end)

  it("says which end of a move is in the way", function()
    files:write("closed/f", "x")
    files:write("open/f", "x")
    os.execute(("chmod 755 '%s'; chown -R 65534 '%s/base'; chmod 555 '%s/base/closed'"):format(folder, folder, folder))
    assert.are.equal("closed/f closed/g", as_nobody(function()
      local _, from = pcall(files.move, files, "closed/f", "open/g")
      local _, to = pcall(files.move, files, "open/f", "closed/g")
      return from.path .. " " .. to.path
    end))
  end)

  it("opens no root where none can be made", function()
    os.execute(("chmod 755 '%s'"):format(folder))
    assert.are.equal("PERMISSION 13 " .. folder .. "/other/one", as_nobody(function()
      local _, e = pcall(larder.files, folder .. "/other/one")
      return ("%s %d %s"):format(e.code, e.errno, e.path)
    end))
  end)

  describe("delete_older_than", function()
    it("deletes at any depth what is older, and counts it", function()
      files:write("a/old", "x")
      files:write("a/b/older", "x")
      files:write("new", "x")
      os.execute(("touch -d '2001-01-01' '%s/base/a/old' '%s/base/a/b/older'"):format(folder, folder))
      local count, failures = files:delete_older_than("", (os.time() - 3600) * 1000)
      assert.are.equal(2, count)
      support.none(failures)
      assert.is_true(files:exists "new" and files:dir_exists "a/b")
      assert.are.equal(0, (files:delete_older_than("nowhere", math.maxinteger // 2)))
    end)

    it("goes on after a failure, and says what failed", function()
      for _, path in ipairs{ "a/1", "b/2", "c/3", "d/4" } do files:write(path, "x") end
      os.execute(("chmod 755 '%s'; chown -R 65534 '%s/base' 2>/dev/null; chmod 555 '%s/base/b'; chmod 000 '%s/base/c'"):format(
        folder, folder, folder, folder))
      assert.are.equal("2 b/2=PERMISSION=13 c=PERMISSION=13", as_nobody(function()
        local count, failures = files:delete_older_than("", (os.time() + 3600) * 1000)
        local said = { count }
        for _, e in ipairs(failures) do said[#said + 1] = e.path .. "=" .. e.code .. "=" .. e.errno end
        return table.concat(said, " ")
      end))
      port.chmod(folder .. "/base/c", 448)
      assert.is_true(files:exists "b/2" and files:exists "c/3" and not files:exists "a/1" and not files:exists "d/4")
    end)

    it("refuses what is no time", function()
      for _, time in ipairs{ "1", 0 / 0, math.huge, {} } do
        support.raises("INVALID", "time", files.delete_older_than, files, "", time)
      end
      support.raises("INVALID", "time", files.delete_older_than, files, "")
    end)
  end)
end)
