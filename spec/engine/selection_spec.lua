local plans = require "spec.engine.plans"
local selection = require "infra.engine.selection"

-- Addresses that are left with something to do; replaced generations as "ADDRESS old".
local function selected(changes, targets)
  local plan, left = plans.make(changes), {}
  assert(selection.apply(plan, targets))
  for _, change in ipairs(plan.changes) do
    if change.action ~= "none" then
      left[#left + 1] = change.address
    end
  end
  for _, change in ipairs(plan.obsolete) do
    left[#left + 1] = change.address .. " old"
  end
  table.sort(left)
  return left
end

describe("targets", function()
  it("are addresses or layers, all without any", function()
    local changes = { ["net/vpc"] = { "create" }, ["net/a"] = { "create" }, ["network/b"] = { "create" } }
    assert.same({ "net/a", "net/vpc" }, selected(changes, { "net" }))
    assert.same({ "net/a" }, selected(changes, { "net/a" }))
    assert.same({ "net/a", "net/vpc", "network/b" }, selected(changes, {}))
    assert.same({ "net/a", "net/vpc", "network/b" }, selected(changes, nil))
  end)

  it("mean something, each of them", function()
    local changes = { ["network/vpc"] = { "none" }, ["network/nat"] = { "create" }, gone = { "delete" } }
    for target, suggestion in pairs {
      networ = ", did you mean network?", ["network/vcp"] = ", did you mean network/vpc?", ["network/"] =
      ", did you mean network?", edge = "",
    } do
      local plan = plans.make(changes)
      local ok, err = selection.apply(plan, { "network", target })
      assert.is_nil(ok)
      assert.equal("Usage", err.code)
      assert.equal(("--target %s: there is no such resource or layer%s"):format(target, suggestion), err.message)
    end
    assert.same({}, selected(changes, { "network/vpc" }))
  end)

  it("bring along what they need", function()
    assert.same({ "a", "b", "c" }, selected({ a = { "create" }, b = { "update", needs = { "a" } },
      c = { "create", needs = { "b" } }, d = { "create", needs = { "a" } } }, { "c" }))
  end)

  it("that go bring along what needs them, and not what they need", function()
    local changes = { vpc = { "delete" }, subnet = { "delete", needs = { "vpc" } },
      nat = { "delete", needs = { "subnet" } }, other = { "delete", needs = { "vpc" } } }
    assert.same({ "nat", "subnet" }, selected(changes, { "subnet" }))
    assert.same({ "nat", "other", "subnet", "vpc" }, selected(changes, { "vpc" }))
  end)

  it("that need something which is replaced bring along everything that needs it", function()
    local changes = { vpc = { "replace" }, subnet = { "replace", needs = { "vpc" } },
      nat = { "replace", needs = { "subnet" } }, other = { "replace", needs = { "vpc" } },
      free = { "update" } }
    assert.same({ "nat", "other", "subnet", "vpc" }, selected(changes, { "subnet" }))
  end)

  it("bring along what has to let go of what is deleted", function()
    assert.same({ "group", "instance", "new" }, selected({ group = { "delete" }, new = { "create" },
      instance = { "update", needs = { "new" }, needed = { "group" } }, free = { "create" } }, { "group" }))
  end)

  it("choose among replaced generations as well", function()
    local changes = { a = { "none", obsolete = true }, b = { "update", needed = { "a" } }, c = { "none",
      obsolete = true } }
    assert.same({ "a old", "b" }, selected(changes, { "a" }))
  end)

  it("leave what is not selected as it is", function()
    local plan = plans.make { a = { "update" }, b = { "create" } }
    selection.apply(plan, { "a" })
    assert.equal("not among the targets", plan.by_address.b.reason)
    assert.is_nil(plan.by_address.b.desired)
    assert.same({}, plan.by_address.b.differences)
  end)
end)
