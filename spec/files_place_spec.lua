-- Where larder.files is: URLs, the root as it is found, and what becomes of it.
local larder = require "larder"
local port = require "larder_port"
local support = require "spec.support"

describe("the root of larder.files", function()
  local folder

  before_each(function() folder = support.folder() end)
  after_each(support.remove_folders)

  -- What a file "f" that is written there is found as.
  local function check(where, found, options)
    local files <close> = larder.files(where, options)
    files:write("f", "x")
    assert.are.equal("x", support.read_file(found .. "/f"))
    os.remove(found .. "/f")
  end

  it("is percent-decoded in a URL, and only there", function()
    check("local:" .. folder .. "/a%20b%2Fc", folder .. "/a b/c")
    check("file://" .. folder .. "/%C3%A9", folder .. "/é")
    check("local:" .. folder .. "/100%?durability=none", folder .. "/100%")
    check("local:" .. folder .. "/x%3Fy?durability=no%6Ee", folder .. "/x?y")
    check(folder .. "/a%20b", folder .. "/a%20b")
    check({ path = folder .. "/c%20d" }, folder .. "/c%20d")
    support.raises("INVALID", { "path", "NUL" }, larder.files, "local:" .. folder .. "/a%00b")
    support.raises("INVALID", { "url", "name=value", "durability" }, larder.files, "local:" .. folder .. "?durability")
    support.raises("INVALID", { "option durability", "someday" }, larder.files, "local:" .. folder .. "?durability=someday")
  end)

  it("is in a table with a url, too", function()
    check({ url = "local:" .. folder .. "/a?durability=none" }, folder .. "/a")
    check({ url = folder .. "/b", file_mode = 640 }, folder .. "/b")
    check({ url = "local:" .. folder .. "/c", path = folder .. "/d" }, folder .. "/d")
    support.raises("INVALID", "option url: expected a string, got a number", larder.files, { url = 7 })
    support.raises("INVALID", "urll", larder.files, { urll = folder })
  end)

  it("may be relative, and stays where it was", function()
    local here = assert(io.popen "pwd -P"):read "l"
    local up = here:gsub("/[^/]+", "/.."):sub(2)
    check(up .. folder .. "/x", folder .. "/x")
    check("local:./" .. up .. folder .. "/x/../y/", folder .. "/y")
  end)

  it("may be a symbolic link, whose target is the root from then on", function()
    port.mkdir(folder .. "/one")
    port.mkdir(folder .. "/two")
    port.symlink("one", folder .. "/link")
    local files <close> = larder.files(folder .. "/link")
    files:write("f", "x")
    os.remove(folder .. "/link")
    port.symlink("two", folder .. "/link")
    assert.are.equal("x", files:read "f")
    assert.are.equal("x", support.read_file(folder .. "/one/f"))
    port.symlink("nowhere", folder .. "/broken")
    support.raises("NOT_FOUND", "broken", larder.files, folder .. "/broken")
  end)

  it("that is removed is named by what needs it, and empty otherwise", function()
    local files <close> = larder.files(folder .. "/base")
    local writer <close> = files:open_writer "f"
    os.execute(("rm -r '%s/base'"):format(folder))
    for _, call in ipairs{ { "write", "f", "x" }, { "write", "d/f", "x" }, { "make_dir", "d" }, { "read", "f" }, { "open_reader", "f" } } do
      local e = support.raises("NOT_FOUND", "the root has been removed", files[call[1]], files, table.unpack(call, 2))
      assert.are.same({ 2, call[2] }, { e.errno, e.path })
    end
    support.raises("NOT_FOUND", "the root has been removed", writer.close, writer)
    support.none(files:list{ recursive = true })
    assert.is_false(files:exists "f" or files:delete "f" or files:remove_dir "d")
    check(folder .. "/base", folder .. "/base")
  end)

  it("that is moved takes its files along", function()
    local files <close> = larder.files(folder .. "/base")
    files:write("f", "x")
    os.rename(folder .. "/base", folder .. "/moved")
    files:write("g", "y")
    assert.are.equal("xy", files:read "f" .. support.read_file(folder .. "/moved/g"))
  end)

  it("that cannot be made leaves nothing behind", function()
    local long = folder .. ("/" .. ("x"):rep(200)):rep(21)
    support.raises("INVALID_PATH", "File name too long", larder.files, long)
    support.raises("INVALID", nil, larder.files, folder .. "/new", { file_mode = "x" })
    assert.are.equal("", io.popen(("ls -A '%s'"):format(folder)):read "a")
    support.write_file(folder .. "/file", "x")
    local e = support.raises("NOT_A_DIRECTORY", nil, larder.files, folder .. "/file/base")
    assert.are.same({ 20, folder .. "/file/base" }, { e.errno, e.path })
  end)
end)
