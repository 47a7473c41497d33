-- verify{ repair = "indexes" } where there is no room: each thing is put right whole or stays as it was, and the error says what is full.
local larder = require "larder"
local port = require "larder_port"
local raw = require "raw_rows"
local support = require "support"

describe("a repair without room", function()
  local path, size

  local function open(options)
    local all = { engine = "lmdb", path = path, durability = "none", check_on_open = 0 }
    for name, value in pairs(options or {}) do all[name] = value end
    return larder.open(all)
  end

  before_each(function()
    path = support.folder() .. "/store"
    do
      local store <close> = open()
      store:collection("plans", { indexes = { "text" } }):put { id = 1, text = "" }
      store:update(function(tx)
        local plans = tx:collection "plans"
        for i = 1, 4000 do plans:put { id = i, text = ("t"):rep(i % 300) .. i } end
      end)
    end
    local number = raw.index_numbers(path, "plans").text
    raw.write(path, function(rows) rows.delete(rows.first(raw.key("index", number))) end)
    size = port.file_size(path .. "/data.mdb")
  end)
  after_each(support.remove_folders)

  --- The damage is what it was: one entry.
  local function is_as_before()
    local store <close> = open()
    local report = store:verify()
    assert.are.equal(1, report.found)
    assert.are.equal("index", report.findings[1].kind)
    assert.are.equal(4000, store:collection("plans"):count())
  end

  it("on the disk raises FULL or IO, and succeeds when there is some", function()
    local pid = port.fork()
    if pid == 0 then
      port.ignore_sigxfsz()
      port.setrlimit_fsize(size + 8192)
      local store = open()
      local ok, problem = pcall(store.verify, store, { repair = "indexes" })
      port._exit(not ok and (problem.code == "FULL" or problem.code == "IO") and 0 or 1)
    end
    local _, how, code = port.waitpid(pid)
    support.same({ "exited", 0 }, { how, code })
    is_as_before()
    local store <close> = open()
    assert.is_true(store:verify { repair = "indexes" }.ok)
  end)

  it("in the map finds more of it by itself", function()
    local store <close> = open { map_size = size + (1 << 16) }
    assert.is_true(store:verify { repair = "indexes" }.ok)
  end)

  it("is killed, and has done all of it or nothing", function()
    local nth, killed = 0
    repeat
      nth = nth + 1
      local copy = path .. nth
      os.execute(("cp -r '%s' '%s'"):format(path, copy))
      local pid = port.fork()
      if pid == 0 then
        local store, count = larder.open { engine = "lmdb", path = copy, durability = "none" }, 0
        store:verify { repair = "indexes", progress = function()
          count = count + 1
          if count == nth then port.kill(port.getpid(), 9) end
        end }
        port._exit(0)
      end
      local _, how = port.waitpid(pid)
      killed = how == "killed"
      local store <close> = larder.open { engine = "lmdb", path = copy, durability = "none" }
      local found = store:verify().found
      assert.is_true(found == 0 or killed and found == 1)
      assert.is_true(store:verify { repair = "indexes" }.ok)
    until not killed
    assert.is_true(nth > 5)
  end)
end)
