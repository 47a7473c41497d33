-- files:list and files:each: order, pages, filters. Random trees: spec/c/test_files_list.c.
local larder = require "larder"
local port = require "larder_port"
local support = require "spec.support"

describe("files:list", function()
  local folder, files

  before_each(function()
    folder = support.folder()
    files = larder.files{ path = folder, durability = "none" }
  end)

  after_each(function()
    files:close()
    support.remove_folders()
  end)

  local function paths(...)
    local list, token = files:list(...)
    for i, entry in ipairs(list) do list[i] = entry.path end
    return list, token
  end

  local function make(...)
    for _, path in ipairs{ ... } do files:write(path, path) end
  end

  local function open_files()
    local count = 0
    local list <close> = io.popen("ls /proc/" .. port.getpid() .. "/fd 2>/dev/null")
    for _ in list:lines() do count = count + 1 end
    return count
  end

  it("gives what a directory holds, in byte order", function()
    make("b", "a/x", "a-", "B", "é", "c")
    support.same({ "B", "a", "a-", "b", "c", "é" }, (paths()))
    support.same({ "a/x" }, (paths "a"))
    local entry = files:list("a")[1]
    support.same({ path = "a/x", name = "x", kind = "file", size = 3, modified_at = entry.modified_at }, entry)
    assert.are.equal("directory", files:list()[2].kind)
  end)

  it("goes to any depth, in the order of whole paths", function()
    make("a/b/c", "a.txt", "a-x", "a/b.txt", "a0", "b/c")
    files:make_dir "empty"
    support.same({ "a-x", "a.txt", "a/b.txt", "a/b/c", "a0", "b/c" }, (paths{ recursive = true }))
    support.same({ "a/b.txt", "a/b/c" }, (paths("a", { recursive = true })))
    support.same({ "a/b.txt", "a/b/c" }, (paths{ recursive = true, prefix = "a/b" }))
    support.same({ "a/b", "a/b.txt" }, (paths{ prefix = "a/b" }))
    support.same({ "a/b", "a/b.txt" }, (paths("a", { prefix = "b" })))
  end)

  it("is empty where nothing is", function()
    support.none(files:list())
    support.none(files:list "nowhere")
    support.none(files:list("no/where", { recursive = true }))
  end)

  it("gives pages, with a token as long as there is more", function()
    for i = 1, 25 do make(("d%d/%02d"):format(i % 3, i)) end
    local all, token = paths{ recursive = true }
    assert.is_nil(token)
    for _, size in ipairs{ 1, 2, 5, 24, 25, 26 } do
      local got, pages, page = {}, 0
      repeat
        page, token = paths{ recursive = true, limit = size, after = token }
        table.move(page, 1, #page, #got + 1, got)
        pages = pages + 1
      until not token
      support.same(all, got)
      assert.are.equal((25 + size - 1) // size, pages)
    end
    support.none(files:list{ limit = 0 })
  end)

  it("gives what a filter wants, and counts that only", function()
    for i = 1, 20 do make("f" .. i) end
    local function even(entry) return entry.size == 2 and tonumber(entry.name:sub(2)) % 2 == 0 end
    support.same({ "f2", "f4", "f6", "f8" }, (paths{ filter = even }))
    local page, token = paths{ filter = even, limit = 3 }
    support.same({ "f2", "f4", "f6" }, page)
    local rest, no_token = paths{ filter = even, limit = 3, after = token }
    support.same({ "f8" }, rest)
    assert.is_nil(no_token)
  end)

  it("puts all its options together", function()
    support.at_random(function()
      local names, all = { "a", "a-", "ab", "b" }, {}
      for _ = 1, 60 do
        local parts = {}
        for i = 1, math.random(3) do parts[i] = names[math.random(#names)] .. (i == 3 and "" or math.random(2)) end
        local path = table.concat(parts, "/") .. ".f"
        if not files:exists(path) then all[#all + 1] = path end
        files:write(path, ("x"):rep(math.random(0, 9)))
      end
      table.sort(all)
      for _ = 1, 100 do
        local dir, prefix = math.random(2) == 1 and "a1" or "", ({ "", "a", "a1/", "a1/b", "b2/a" })[math.random(5)]
        local after, least = all[math.random(#all)], math.random(0, 6)
        local limit = math.random(0, 5)
        local begin, want, more = (dir == "" and "" or dir .. "/") .. prefix, {}, false
        for _, path in ipairs(all) do
          if path > after and path:sub(1, #begin) == begin and files:stat(path).size >= least then
            more = #want == limit and limit > 0
            if #want < limit then want[#want + 1] = path end
          end
        end
        local got, token = paths(dir, { prefix = prefix, after = after, recursive = true, limit = limit,
          filter = function(entry) return entry.size >= least end })
        support.same(want, got)
        assert.is_true(token == want[#want] or (token == nil and not more))
      end
    end)
  end)

  it("shows links and pipes for what they are, and no temporaries", function()
    make "f"
    port.symlink("f", folder .. "/link")
    port.mkfifo(folder .. "/pipe")
    support.write_file(folder .. "/.larder-0123", "half")
    support.write_file(folder .. "/\xff", "no path has this name")
    local kinds = {}
    for path, entry in files:each() do kinds[path] = entry.kind end
    support.same({ f = "file", link = "link", pipe = "other" }, kinds)
    support.same({ "f" }, (paths{ recursive = true }))
  end)

  it("refuses options that it does not know", function()
    support.raises("INVALID", "option filter: expected a function", files.list, files, { filter = "x" })
    support.raises("INVALID", 'did you mean "recursive"', files.list, files, "", { recursiv = true })
    support.raises("INVALID", "option limit", files.list, files, { limit = -1 })
    support.raises("INVALID", "dir: expected a string", files.list, files, 7)
    support.raises("INVALID_PATH", nil, files.list, files, { prefix = "../" })
    support.raises("NOT_A_DIRECTORY", nil, function() make "f" files:list "f" end)
  end)

  describe("one by one", function()
    it("gives paths and entries", function()
      make("a", "b")
      local seen = {}
      for path, entry in files:each() do seen[#seen + 1] = path .. entry.size end
      support.same({ "a1", "b1" }, seen)
    end)

    it("leaves out what vanished, and keeps what stays once", function()
      for i = 10, 99 do make("d" .. i .. "/f") end
      local seen = {}
      for path in files:each{ recursive = true } do
        seen[#seen + 1] = path
        if #seen == 1 then
          for i = 11, 99, 2 do files:remove_dir("d" .. i, { recursive = true }) end
        end
      end
      assert.are.equal(45, #seen)
      for i, path in ipairs(seen) do assert.are.equal(("d%d/f"):format(8 + 2 * i), path) end
    end)

    it("deletes while it walks", function()
      for i = 1, 100 do make("d/" .. i) end
      local count = 0
      for path in files:each "d" do
        assert.is_true(files:delete(path))
        count = count + 1
      end
      assert.are.equal(100, count)
      support.none(files:list "d")
    end)

    it("holds nothing open when the loop is left", function()
      make("a/b/c/d", "a/b/c/e")
      local before = open_files()
      collectgarbage "stop"
      for _ = 1, 50 do
        for path in files:each{ recursive = true } do
          if path == "a/b/c/d" then break end
        end
        pcall(function() for _ in files:each{ recursive = true } do error "x" end end)
        pcall(files.list, files, { recursive = true, filter = function() error "x" end })
      end
      local after = open_files()
      collectgarbage "restart"
      assert.is_true(after <= before + 1)
    end)

    it("holds nothing open behind its limit", function()
      make("a/b/c", "a/b/d")
      collectgarbage "stop"
      local before, steps = open_files(), {}
      for i = 1, 20 do
        steps[i] = files:each{ recursive = true, limit = 1 }
        assert.are.equal("a/b/c", (steps[i]()))
        assert.is_nil((steps[i]()))
        assert.is_nil((steps[i]()))
      end
      local after = open_files()
      collectgarbage "restart"
      assert.are.equal(before, after)
    end)

    it("may yield in its body, and not in its filter", function()
      make("a", "b")
      local walk = coroutine.wrap(function()
        for path in files:each() do coroutine.yield(path) end
        for _ in files:each{ filter = coroutine.yield } do error "never" end
      end)
      assert.are.same({ "a", "b" }, { walk(), walk() })
      local ok, raised = pcall(walk)
      assert.is_false(ok)
      assert.truthy(tostring(raised):find "yield")
    end)

    it("raises what its filter raises, and is over then", function()
      make("a", "b")
      local step = files:each{ filter = function() error("mine", 0) end }
      local ok, raised = pcall(step)
      assert.are.same({ false, "mine" }, { ok, raised })
      support.raises("MISUSE", nil, step)
    end)

    it("goes through any collection", function()
      for i = 1, 30 do make("d/" .. i) end
      support.with_constant_collection(function()
        assert.are.equal(30, #files:list("d", { filter = function() return {} end }))
      end)
    end)
  end)
end)
