-- larder dump and load with - for their file.
local cli = require "cli"

describe("larder", function()
  local user
  before_each(function() user = cli.new() end)
  after_each(function() user:remove() end)

  it("dumps to standard output, and loads from standard input, for -", function()
    user:must [[larder put --create lmdb:./data plans '{"id": 7}']]
    user:must "larder dump lmdb:./data - | larder load - lmdb:./there"
    assert.are.equal("1\n", (user:must "larder find lmdb:./there plans --count"))
    assert.are_not.equal(0, (user:type "test -e ./-"))
    user:must "larder dump lmdb:./data - >d.jsonl && larder load --batch 5 - lmdb:./batches <d.jsonl"
    local code, _, err = user:type "larder dump lmdb:./data | larder load --batch 5 - lmdb:./pipe"
    assert.are.equal(3, code)
    assert.truthy(err:find("read twice", 1, true), err)
  end)
end)
