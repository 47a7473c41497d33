-- larder.restore: verified, staged, renamed; what it displaces is kept. Nothing that is wrong gets in.
local larder = require "larder"
local port = require "larder_port"
local support = require "support"

describe("larder.restore", function()
  local folder, backup, target

  local function value_at(path)
    local store <close> = larder.open("lmdb:" .. path)
    return store:map("m"):get "k"
  end

  local function make(path, value, back_up)
    local store <close> = larder.open("lmdb:" .. path)
    store:map("m"):set("k", value)
    store:collection("plans"):put { id = 1, title = "the plan" }
    if back_up then store:backup(back_up) end
  end

  before_each(function()
    folder = support.folder()
    backup, target = folder .. "/backup", folder .. "/target"
    make(folder .. "/source", "new", backup)
    make(target, "old")
  end)

  after_each(support.remove_folders)

  local function names_of(path)
    local names = {}
    local pipe <close> = io.popen(("ls -A '%s' 2>/dev/null"):format(path))
    for name in pipe:lines() do names[#names + 1] = name end
    return names
  end

  --- Restoring raises, and neither the target nor the backup has changed.
  local function refused(code, text, from)
    local names, before = names_of(folder), support.read_file(target .. "/data.mdb")
    local problem = support.raises(code, text, larder.restore, from or backup, target)
    assert.are.equal(before, support.read_file(target .. "/data.mdb"))
    assert.are.equal("old", value_at(target))
    support.same(names, names_of(folder))
    for _, name in ipairs(names_of(target)) do assert.truthy(name:find "%.mdb$", name) end
    return problem
  end

  it("puts a backup in the place of a store and keeps the old one", function()
    local restored = larder.restore(backup, target)
    assert.are.equal("new", value_at(target))
    assert.are.equal("old", value_at(restored.quarantine))
    assert.are.equal(1, restored.documents)
    support.same({ "data.mdb", "lock.mdb" }, names_of(target))
    assert.are.equal("new", value_at(larder.restore(backup, target).quarantine))
    assert.are.equal("old", value_at(restored.quarantine))
    assert.are.equal("new", value_at(target))
  end)

  it("makes the target, through links and with slashes at the end", function()
    assert.is_nil(larder.restore(backup .. "/", folder .. "/a/b/").quarantine)
    assert.are.equal("new", value_at(folder .. "/a/b"))
    os.execute(("ln -s target '%s/link'"):format(folder))
    local restored = larder.restore(backup, folder .. "/link")
    assert.are.equal("new", value_at(target))
    assert.truthy(restored.quarantine:find("/target.quarantine/", 1, true))
  end)

  it("keeps a damaged target as it is, with the note of its failed commit", function()
    support.write_file(target .. "/data.mdb", "garbage")
    support.write_file(target .. "/data.mdb.failed", "7\n")
    local restored = larder.restore(backup, target)
    assert.are.equal("garbage", support.read_file(restored.quarantine .. "/data.mdb"))
    assert.are.equal("7\n", support.read_file(restored.quarantine .. "/data.mdb.failed"))
    assert.are.equal("new", value_at(target))
    support.same({ "data.mdb", "lock.mdb" }, names_of(target))
  end)

  it("refuses while the target is open in this process", function()
    local store <close> = larder.open("lmdb:" .. target)
    support.raises("MISUSE", "is open in this process", larder.restore, backup, target)
    assert.are.equal("old", store:map("m"):get "k")
    store:map("m"):set("k", "still")
    assert.are.equal("still", store:map("m"):get "k")
  end)

  for _, how in ipairs { "reader", "writer" } do
    it("refuses while another process has it open, a " .. how, function()
      local there, ready = port.pipe()
      local gone, leave = port.pipe()
      local pid = port.fork()
      if pid == 0 then
        port.close(leave)
        local store <close> = larder.open("lmdb:" .. target .. (how == "reader" and "?read_only=true" or ""))
        local tx = how == "writer" and store:begin "write" or store:begin "read"
        port.write(ready, "x")
        port.read(gone, 1)
        tx:rollback()
        store:close()
        port._exit(0)
      end
      port.read(there, 1)
      local problem = support.raises("BUSY", "another process has it open", larder.restore, backup, target)
      assert.is_true(problem.retryable)
      for _, fd in ipairs { leave, gone, there, ready } do port.close(fd) end
      port.waitpid(pid)
      assert.are.equal("old", value_at(target))
      larder.restore(backup, target)
      assert.are.equal("new", value_at(target))
    end)
  end

  it("does not take a reader that died for an open store", function()
    local there, ready = port.pipe()
    local pid = port.fork()
    if pid == 0 then
      local store = larder.open("lmdb:" .. target)
      store:begin "read"
      port.write(ready, "x")
      port.sleep(60)
    end
    port.read(there, 1)
    port.kill(pid)
    port.waitpid(pid)
    larder.restore(backup, target)
    assert.are.equal("new", value_at(target))
  end)

  it("refuses a truncated backup", function()
    local data = support.read_file(backup .. "/data.mdb")
    for _, size in ipairs { 0, 1, 4096, 8192, #data - 4096, #data - 1 } do
      support.write_file(backup .. "/data.mdb", data:sub(1, size))
      refused("CORRUPT", "bytes, expected " .. #data)
      -- and one whose label was changed to match
      local label = support.read_file(backup .. "/backup.json")
      support.write_file(backup .. "/backup.json", (label:gsub('"bytes":%s*%d+', '"bytes": ' .. size)))
      refused "CORRUPT"
      support.write_file(backup .. "/backup.json", label)
    end
  end)

  it("refuses a backup with a flipped bit, wherever it is in what is used", function()
    local data = support.read_file(backup .. "/data.mdb")
    math.randomseed(3)
    local count = 0
    for _ = 1, 80 do
      local at = math.random(1, #data)
      local flipped = data:sub(1, at - 1) .. string.char(data:byte(at) ~ (1 << math.random(0, 7))) .. data:sub(at + 1)
      support.write_file(backup .. "/data.mdb", flipped)
      local ok, problem = pcall(larder.restore, backup, folder .. "/elsewhere")
      if ok then -- the bit was in no row, nor in the tree
        assert.are.equal("new", value_at(folder .. "/elsewhere"))
        os.execute(("rm -rf '%s/elsewhere' '%s/elsewhere.quarantine'"):format(folder, folder))
      else
        assert.are.equal("CORRUPT", problem.code, tostring(problem))
        support.same({}, names_of(folder .. "/elsewhere"))
        count = count + 1
      end
    end
    assert.is_true(count > 3, count .. " refused")
    local at = data:find("the plan", 1, true)
    support.write_file(backup .. "/data.mdb", data:sub(1, at) .. "H" .. data:sub(at + 2))
    refused("CORRUPT", "damaged")
  end)

  it("refuses a label with a flipped bit, or takes the same rows", function()
    local label = support.read_file(backup .. "/backup.json")
    for at = 1, #label do
      local flipped = label:sub(1, at - 1) .. string.char(label:byte(at) ~ 1) .. label:sub(at + 1)
      support.write_file(backup .. "/backup.json", flipped)
      local ok, problem = pcall(require "larder.core".backup_check, backup, "spec")
      if not ok then assert.truthy(("CORRUPT INVALID UNSUPPORTED"):find(problem.code, 1, true)) end
    end
    support.write_file(backup .. "/backup.json", (label:gsub('"hash":%s*"(%x)', '"hash": "g')))
    refused("CORRUPT", "its rows are not those that its label tells of")
    support.write_file(backup .. "/backup.json", ("["):rep(100000))
    refused("CORRUPT", "too long")
  end)

  it("refuses a store that was changed after it was backed up", function()
    do
      local opened <close> = larder.open("lmdb:" .. backup)
      opened:map("m"):set("k", "changed")
    end
    local label = support.read_file(backup .. "/backup.json")
    local size = #support.read_file(backup .. "/data.mdb")
    support.write_file(backup .. "/backup.json", (label:gsub('"bytes":%s*%d+', '"bytes": ' .. size)))
    refused("CORRUPT", "its rows are not those")
  end)

  it("refuses a future version", function()
    local label = support.read_file(backup .. "/backup.json")
    support.write_file(backup .. "/backup.json", (label:gsub('"format":%s*1', '"format": 2')))
    refused("UNSUPPORTED", "format 2, this version of larder reads format 1")
  end)

  it("refuses what is no backup", function()
    refused("INVALID", "is not there, so this is no backup", folder .. "/source")
    refused("INVALID", "is not there, so this is no backup", folder .. "/nowhere")
    refused("INVALID", "is not there, so this is no backup", backup .. "/data.mdb")
    support.write_file(backup .. "/backup.json", '{"some": "thing"}')
    refused("INVALID", "is no label of a backup")
    support.write_file(backup .. "/backup.json", "not json")
    refused("CORRUPT", "is damaged")
    support.raises("INVALID", "to: expected a path", larder.restore, backup)
    support.raises("INVALID", "to: is empty", larder.restore, backup, "lmdb:")
  end)

  it("refuses foreign data under a label of ours", function()
    local label = support.read_file(backup .. "/backup.json")
    local garbage = ("garbage!"):rep(2048)
    support.write_file(backup .. "/data.mdb", garbage)
    support.write_file(backup .. "/backup.json", (label:gsub('"bytes":%s*%d+', '"bytes": ' .. #garbage)))
    refused "CORRUPT"
  end)

  it("leaves the old store on a full disk", function()
    for _, limit in ipairs { 0, 4096, 20000 } do
      local pid = port.fork()
      if pid == 0 then
        port.ignore_sigxfsz()
        port.setrlimit_fsize(limit)
        local ok, problem = pcall(larder.restore, backup, target)
        port._exit(not ok and (problem.code == "FULL" or problem.code == "IO") and 0 or 1)
      end
      local _, how, code = port.waitpid(pid)
      assert.are.same({ "exited", 0 }, { how, code }, limit .. " bytes")
      assert.are.equal("old", value_at(target))
    end
    support.same({}, names_of(target .. ".quarantine"))
    support.same({ "data.mdb", "lock.mdb" }, names_of(target))
  end)

  it("keeps the old store inside the target when that is a file system of its own", function()
    local mount = folder .. "/mount"
    os.execute(("mkdir '%s'"):format(mount))
    if not os.execute(("mount -t tmpfs -o size=8m tmpfs '%s' 2>/dev/null"):format(mount)) then
      return pending "file systems cannot be mounted here"
    end
    local ok, problem = pcall(function()
      make(mount, "old")
      local restored = larder.restore(backup, mount)
      assert.truthy(restored.quarantine:find(mount .. "/quarantine/", 1, true))
      assert.are.equal("new", value_at(mount))
      assert.are.equal("old", value_at(restored.quarantine))
    end)
    os.execute(("umount '%s'"):format(mount))
    assert(ok, problem)
    support.same({}, names_of(mount .. ".quarantine"))
  end)
end)
