-- The maps of a store: their names.
local support = require "support"

local raises, same = support.raises, support.same

support.on_each_engine("the maps of one store", function(given)
  -- Names that begin like others, with bytes that keys use themselves, and some that engines keep by their hashes.
  local function names_of_all_kinds()
    local names = { "a", "a\0", "a\0\0", "a\0\xff", "ab", "a\0b", "\0", "\xff", "\xff\xff", ("n"):rep(1023) }
    for i = 1, 9 do names[#names + 1] = ("x"):rep(600) .. i end
    for i = 1, 9 do names[#names + 1] = ("\0"):rep(490 + i) end
    table.sort(names)
    return names
  end

  it("are listed in order, whatever their names and keys are", function()
    local names = names_of_all_kinds()
    given.store:update(function(tx)
      for i = #names, 1, -1 do
        local map = tx:map(names[i])
        for _, key in ipairs { "", "a", "\0\xff", 0, -7, { "a", 2 }, ("y"):rep(1023) } do map:set(key, i) end
      end
      same(names, tx:maps())
    end)
    same(names, given.store:maps())
    for i, name in ipairs(names) do
      if i % 2 == 0 then given.store:map(name):delete_range {} end
    end
    local left = {}
    for i = 1, #names, 2 do left[#left + 1] = names[i] end
    same(left, given.store:maps())
  end)

  it("are there while they have keys", function()
    support.none(given.store:maps())
    local map = given.store:map "seen"
    support.none(given.store:maps())
    map:set("ada", 1)
    same({ "seen" }, given.store:maps())
    map:delete "ada"
    support.none(given.store:maps())
    map:increment "n"
    same({ "seen" }, given.store:maps())
  end)

  it("are neither rooms, collections nor queues", function()
    given.store:rooms():save { roomName = "room" }
    given.store:collection("plans"):put { id = 1 }
    given.store:queue("mail"):enqueue(1)
    support.none(given.store:maps())
    given.store:map("seen"):set("ada", 1)
    same({ "seen" }, given.store:maps())
    same({ "plans" }, given.store:collections())
    same({ "mail" }, given.store:queues())
  end)

  it("are those of the transaction that is asked", function()
    given.store:map("old"):set(1, 1)
    local tx <close> = given.store:begin()
    tx:map("new"):set(1, 1)
    tx:map("old"):delete(1)
    same({ "new" }, tx:maps())
    same({ "old" }, given.store:maps())
    local view <close> = given.store:begin "read"
    tx:commit()
    same({ "old" }, view:maps())
    same({ "new" }, given.store:maps())
  end)

  it("are asked of something that is open", function()
    raises("INVALID", "expected a store", given.store.maps)
    raises("INVALID", "expected a store", given.store.maps, {})
    local tx = given.store:begin "read"
    tx:rollback()
    assert.are.equal("store:maps", raises("CLOSED", "", tx.maps, tx).op)
    given.store:close()
    assert.are.equal("store:maps", raises("CLOSED", "", given.store.maps, given.store).op)
  end)
end)
