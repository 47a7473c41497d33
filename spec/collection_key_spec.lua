local support = require "support"

local on_each_engine, raises = support.on_each_engine, support.raises

on_each_engine("a collection", function(given)
  it("says the field of its id, whatever handle declared it", function()
    assert.are.equal("id", given.store:collection("plans"):key())
    given.store:collection("users", { key = "email" })
    assert.are.equal("email", given.store:collection("users"):key())
    given.store:view(function(tx) assert.are.equal("email", tx:collection("users"):key()) end)
    local collection = given.store:collection "users"
    given.store:close()
    raises("CLOSED", nil, collection.key, collection)
  end)
end)
