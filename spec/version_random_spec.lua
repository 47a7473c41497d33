-- Documents of two versions at once, with and without indexes: every query finds what a model finds among the upgraded ones.
local larder = require "larder"
local model = require "model_query"
local random = require "random_query"
local support = require "support"

local QUERIES = math.tointeger(os.getenv "LARDER_QUERIES") or 1000

--- The fields of version 1 change places.
local function upgrade(document)
  document.a, document.b, document.c = document.b, document.c, document.a
  return document
end

--- `old` writes version 1, `new` version 2; the documents as `new` reads them.
local function fill(old, new, count)
  local documents = {}
  for _ = 1, count do
    local id = random.id()
    local document = random.document(id)
    if math.random(2) == 1 then
      new:put(document)
      documents[id] = document
    elseif not documents[id] then
      old:put(document)
      documents[id] = upgrade(support.copy(document))
    end
  end
  return documents
end

local function check(collection, documents)
  local list = model.find(documents, {})
  for _ = 1, 25 do
    local query = { where = random.filter(list, 2), sort = random.pick { false, "a", "-b", { "c", "-a" } } or nil,
      limit = random.pick { false, 3 } or nil }
    local wanted, got = model.find(documents, query), collection:find(query)
    assert.are.equal(#wanted, #got)
    for i, document in ipairs(wanted) do support.same(document, got[i]) end
    assert.are.equal(#model.find(documents, { where = query.where }), collection:count(query.where))
  end
end

for _, engine in ipairs { "lmdb", "file" } do
  describe("documents of two versions #" .. engine, function()
    after_each(support.remove_folders)

    it("are found as the upgraded ones, before, while and after they are upgraded", function()
      support.at_random(function()
        local used = 0
        local path = support.folder() .. "/store"
        local options = { engine = engine, path = path, durability = "none" }
        local first <close> = larder.open(options)
        local second <close> = larder.open(options)
        for round = 1, QUERIES // 100 do
          local name = "c" .. round
          local indexes = { "a", { "b", "-c" }, { "-c" } }
          local old = first:collection(name, { version = 1, indexes = indexes })
          local new = second:collection(name, { version = 2, upgrade = { [2] = upgrade } })
          local documents = fill(old, new, 60)
          check(new, documents)
          pcall(new.upgrade_all, new, { batch = 7, progress = error })
          check(new, documents)
          new:upgrade_all()
          check(new, documents)
          used = used + (new:explain({ where = { a = 1 } }).index and 1 or 0)
          for id, document in pairs(documents) do support.same(document, (new:get(id))) end
        end
        assert.are.equal(QUERIES // 100, used)
      end)
    end)
  end)
end
