-- larder get, put, delete and find, as a user types them.
local cli = require "cli"
local larder = require "larder"

describe("larder", function()
  local user

  before_each(function()
    user = cli.new()
    user:must [[larder put --create lmdb:./data plans '{"id": 7, "title": "paint the attic", "cost": 40}' '{"id": "x", "tags": ["a"]}']]
  end)
  after_each(function() user:remove() end)

  local function stored(name, id)
    local store <close> = larder.open("lmdb:" .. user:path "data")
    return (store:collection(name):get(id))
  end

  describe("get", function()
    it("prints documents with their fields in order", function()
      assert.are.equal('{\n  "cost": 40,\n  "id": 7,\n  "title": "paint the attic"\n}\n', (user:must "larder get lmdb:./data plans 7"))
      assert.are.equal('{"cost":40,"id":7,"title":"paint the attic"}\n{"id":"x","tags":["a"]}\n',
        (user:must "larder get --json lmdb:./data plans 7 x"))
    end)

    it("knows 7 from \"7\"", function()
      user:must [[larder put lmdb:./data plans '{"id": "7", "text": true}']]
      assert.are.equal('{"id":"7","text":true}\n', (user:must [[larder get --json lmdb:./data plans '"7"']]))
      assert.are.equal('{"id":"x","tags":["a"]}\n', (user:must [[larder get --json lmdb:./data plans '"x"']]))
    end)

    it("prints what is there, and ends with 1, where something is missing", function()
      local code, out, err = user:type "larder get --json lmdb:./data plans x y"
      assert.are.equal(1, code)
      assert.are.equal('{"id":"x","tags":["a"]}\n', out)
      assert.truthy(err:find "no y")
    end)

    it("is lossless", function()
      local text = [[{"a":{"$numberLong":"9007199254740993"},"b":{"$numberDouble":"1.0"},]] ..
        [["c":{"$binary":{"base64":"/w==","subType":"00"}},"d":[],"e":{},"f":null,"id":1}]]
      user:must("larder put lmdb:./data odd", text)
      assert.are.equal(text .. "\n", (user:must "larder get --json lmdb:./data odd 1"))
    end)
  end)

  describe("put", function()
    it("reads lines, an array, and a document over several lines", function()
      local _, err = user:must("larder put lmdb:./data a", '{"id":1}\n\n{"id":2}\n')
      assert.are.equal("a: 2 written\n", err)
      user:must("larder put lmdb:./data a", '[{"id":3},\n{"id":4}]')
      user:must("larder put lmdb:./data a", '\n{\n"id":\n5}\n')
      assert.are.equal("5\n", (user:must "larder find lmdb:./data a --count"))
    end)

    it("writes all or nothing", function()
      local code, _, err = user:type("larder put lmdb:./data a", '{"id":1}\n{"id":1.5}\n')
      assert.are.equal(3, code)
      assert.truthy(err:find "INVALID")
      code = user:type("larder put lmdb:./data a", '{"id":1}\n{"id":')
      assert.are.equal(3, code)
      assert.are.equal("0\n", (user:must "larder find lmdb:./data a --count"))
    end)

    it("refuses what is there with --new, and changes fields with --patch", function()
      local code, _, err = user:type [[larder put --new lmdb:./data plans '{"id": 7}']]
      assert.are.equal(3, code)
      assert.truthy(err:find "EXISTS")
      user:must [[larder put --patch lmdb:./data plans '{"id": 7, "cost": 41, "title": null}']]
      assert.are.same({ id = 7, cost = 41, title = larder.null }, stored("plans", 7))
      assert.are.equal(1, (user:type [[larder put --patch lmdb:./data plans '{"id": 9, "cost": 41}']]))
      assert.is_nil(stored("plans", 9))
    end)

    it("prints what it has stored with --json, ids that were made too", function()
      local out = user:must([[larder put --json lmdb:./data plans '{"a": 1}']])
      assert.truthy(out:find '^{"a":1,"id":"%x+%-%x+%-%x+%-%x+%-%x+"}\n$')
    end)

    it("changes nothing with --dry-run", function()
      local _, err = user:must [[larder put --dry-run lmdb:./data plans '{"id": 7, "cost": 0}' '{"id": 9}']]
      assert.are.equal("plans: 2 would be written\n", err)
      assert.are.equal(40, stored("plans", 7).cost)
      assert.is_nil(stored("plans", 9))
    end)

    it("sets a key of a map", function()
      user:must [[larder put --map lmdb:./data seen '["ada", 2]' '{"at": 5}']]
      assert.are.equal('{"at":5}\n', (user:must [[larder get --json --map lmdb:./data seen '["ada", 2]']]))
      assert.are.equal('{"key":["ada",2],"value":{"at":5}}\n', (user:must "larder find --json --map lmdb:./data seen"))
    end)
  end)

  describe("delete", function()
    it("needs --yes where nobody can be asked", function()
      local code, _, err = user:type "larder delete lmdb:./data plans 7"
      assert.are.equal(2, code)
      assert.truthy(err:find "--yes", 1, true)
      assert.is_truthy(stored("plans", 7))
    end)

    it("deletes by id, by filter, and all", function()
      local _, err = user:must "larder delete --yes lmdb:./data plans 7 8"
      assert.are.equal("plans: 1 documents deleted\n", err)
      assert.is_nil(stored("plans", 7))
      user:must [[larder delete --yes lmdb:./data plans --where '{"tags": "a"}']]
      assert.are.equal("0\n", (user:must "larder find lmdb:./data plans --count"))
      user:must [[larder put lmdb:./data plans '{"id": 1}' && larder delete -y lmdb:./data plans --all]]
      assert.is_nil((user:must "larder info --json lmdb:./data"):find "plans")
    end)

    it("ends with 1 where nothing is there", function()
      assert.are.equal(1, (user:type "larder delete --yes lmdb:./data plans nobody"))
      assert.are.equal(1, (user:type [[larder delete --yes lmdb:./data plans --where '{"a": 1}']]))
    end)

    it("says how many with --dry-run, and deletes none", function()
      local _, err = user:must "larder delete --dry-run lmdb:./data plans --all"
      assert.are.equal("plans: 2 documents would be deleted\n", err)
      assert.is_truthy(stored("plans", 7))
    end)
  end)

  describe("find", function()
    it("aligns columns, by what takes how many on the screen", function()
      user:must [[larder put lmdb:./data people '{"id": 1, "name": "日本", "n": 5}' '{"id": 22, "name": "é́", "n": 123}' '{"id": 3, "n": 7}']]
      assert.are.equal("id    n  name\n 1    5  日本\n 3    7\n22  123  é́\n", (user:must "larder find lmdb:./data people"))
    end)

    it("shows control characters, and what is no UTF-8, as escapes", function()
      user:must [[larder put lmdb:./data odd '{"id": 1, "a": "\u001b[31m\n", "b": {"$binary": {"base64": "/w==", "subType": "00"}}}']]
      local out = user:must "larder find lmdb:./data odd"
      assert.truthy(out:find("\\x1b[31m\\n", 1, true), out)
      assert.truthy(out:find("\\xff", 1, true), out)
    end)

    it("filters, sorts, selects and turns pages", function()
      for i = 1, 5 do user:must(([[larder put lmdb:./data n '{"id": %d, "odd": %s, "x": 1}']]):format(i, i % 2 == 1)) end
      local out, err = user:must [[larder find --json lmdb:./data n '{"odd": true}' --sort=-id --limit 2 --select odd]]
      assert.are.equal('{"id":5,"odd":true}\n{"id":3,"odd":true}\n', out)
      local place = err:match "^there are more: %-%-after '(.-)'\n$"
      out, err = user:must([[larder find --json lmdb:./data n '{"odd": true}' --sort=-id --limit 2 --select odd --after ']] .. place .. "'")
      assert.are.equal('{"id":1,"odd":true}\n', out)
      assert.are.equal("", err)
      assert.are.equal("3\n", (user:must [[larder find lmdb:./data n '{"odd": true}' --count]]))
      assert.are.equal("false\ntrue\n", (user:must "larder find lmdb:./data n --distinct odd"))
    end)

    it("prints nothing where there is nothing", function()
      assert.are.equal("", (user:must "larder find lmdb:./data nobody"))
      assert.are.equal("", (user:must "larder find --json lmdb:./data nobody"))
    end)

    it("prints thousands of documents", function()
      local lines = {}
      for i = 1, 3000 do lines[i] = ('{"id":%d,"text":"%s"}'):format(i, ("x"):rep(100)) end
      user:must("larder put lmdb:./data many", table.concat(lines, "\n"))
      assert.are.equal(table.concat(lines, "\n") .. "\n", (user:must "larder find --json lmdb:./data many"))
      local _, count = user:must("larder find lmdb:./data many"):gsub("\n", "")
      assert.are.equal(3001, count)
    end)
  end)
end)
