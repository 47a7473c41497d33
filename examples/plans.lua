-- Documents: a to-do list that is filtered, sorted, changed and paged through.
local larder = require "larder"
local store <close> = larder.open(arg[1] or "memory:")
local plans, q = store:collection("plans", { key = "id" }), larder.q

-- All or nothing: a hundred plans in one transaction. Their ids are made.
store:update(function(tx)
  local inside = tx:collection "plans"
  for i = 1, 100 do
    inside:create{
      title = "plan " .. i,
      status = i % 3 == 0 and "done" or "open",
      priority = i % 5,
      tags = i % 2 == 0 and { "home" } or { "work", "mail" },
      owner = { name = i % 4 == 0 and "Ada" or "Grace" },
    }
  end
end)
print("plans", plans:count(), "open", plans:count{ status = "open" }, "tags", table.concat(plans:distinct "tags", " "))

-- What is urgent.
local urgent = plans:where{ status = "open", priority = q.gte(3), ["owner.name"] = q.prefix "A" | q.eq "Grace" }
for _, plan in ipairs(urgent:sort("-priority", "title"):limit(3):all()) do
  print("urgent", plan.priority, plan.title, plan.owner.name)
end

-- Page by page: the cursor is a string, and may be kept in a link or a cookie.
local pages, cursor = 0, nil
repeat
  local found
  found, cursor = plans:find{ where = { tags = "home" }, sort = "-title", limit = 20, after = cursor, select = { "title" } }
  pages = pages + 1
  print("page " .. pages, #found, found[1].title .. " ... " .. found[#found].title)
until not cursor

-- Two who change the same plan: the second one is told.
local plan, revision = plans:get(plans:first{ sort = "title" }.id)
plans:update(plan.id, { status = "done", ["owner.name"] = "Ada" })
local ok, problem = pcall(plans.put, plans, plan, { if_rev = revision })
print("too late", not ok and problem.code)

-- Many at once.
print("closed", plans:update_where({ status = "open", priority = 0 }, { status = "done", closed = true }))
print("deleted", plans:where{ status = "done" }:delete(), "left", plans:count())
