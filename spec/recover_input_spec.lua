-- larder.recover of what it is not for: other files, newer stores, stores that are written to; and wrong calls.
local larder = require "larder"
local port = require "larder_port"
local raw = require "raw_rows"
local support = require "support"

describe("larder.recover, of something else,", function()
  local folder, path

  before_each(function()
    folder = support.folder()
    path = folder .. "/store"
    local store <close> = larder.open { engine = "lmdb", path = path, durability = "none" }
    for i = 1, 500 do store:collection("plans"):put { id = i, text = ("t"):rep(i) } end
  end)
  after_each(support.remove_folders)

  it("tells that a file holds no row of ours", function()
    for i, bytes in ipairs { "", ("garbage"):rep(3000), ("\0"):rep(20000) } do
      support.write_file(folder .. "/data.mdb", bytes)
      local report = larder.recover(folder, ("%s/new%d"):format(folder, i))
      support.same({ 0, 1 }, { report.rows, report.losses })
      support.same({ where = "the file", text = "holds no row of a larder store" }, report.lost[1])
    end
    assert.are.equal(0, larder.recover(path, "memory:").losses)
  end)

  it("refuses a store of a later version", function()
    raw.write(path, function(rows)
      rows.put(raw.key("store", "larder"), "\x83\xa5store\xa6larder\xa6format\x02\xa7made_by\xa19")
    end)
    support.raises("UNSUPPORTED", "the store has format 2, this version of larder reads format 1", larder.recover, path, "memory:")
  end)

  it("tells that somebody wrote to the file while it was read", function()
    local store <close> = larder.open { engine = "lmdb", path = path, durability = "none" }
    local done = false
    local report = larder.recover(path, "memory:", { progress = function()
      if not done then store:map("m"):set("k", 1) end
      done = true
    end })
    local told = false
    for _, loss in ipairs(report.lost) do told = told or loss.text:find("was written to while it was read", 1, true) end
    assert.truthy(told)
    assert.are.equal(0, larder.recover(path, "memory:").losses)
  end)

  it("is not given the damaged store under another name", function()
    os.execute(("ln -s store '%s/link'"):format(folder))
    local before = support.read_file(path .. "/data.mdb")
    local around = folder .. "/../" .. folder:match "[^/]+$" .. "/store"
    for _, to in ipairs { path, path .. "/", around, folder .. "/link", "lmdb:" .. folder .. "/link" } do
      support.raises("INVALID", "to: is the damaged store itself", larder.recover, path, to)
      support.raises("INVALID", "to: is the damaged store itself", larder.recover, path .. "/data.mdb", to)
    end
    assert.are.equal(before, support.read_file(path .. "/data.mdb"))
  end)

  it("names what is wrong in a call", function()
    local function problem_of(...)
      local ok, problem = pcall(larder.recover, ...)
      assert.is_false(ok)
      assert.are.equal("larder.recover", problem.op)
      return problem.message
    end
    assert.are.equal("path: expected a path, got a nil", problem_of())
    assert.are.equal("to: expected a path, a URL or a table of options, got a nil", problem_of(path))
    assert.are.equal("to: expected a path, a URL or a table of options, got a number", problem_of(path, 7))
    assert.are.equal("options: expected a table, got a number", problem_of(path, folder .. "/a", 7))
    assert.are.equal("option progress: expected a function, got a boolean", problem_of(path, folder .. "/a", { progress = true }))
    assert.is_nil(port.file_size(folder .. "/a/data.mdb"))
  end)
end)
