local plans = require "spec.engine.plans"
local schedule = require "infra.engine.schedule"

local function second() return 1 end

-- Does the steps one by one, and returns their positions by "kind address"; replaced generations as "kind address old".
local function positions_of(plan, seconds_of)
  local steps = schedule.steps(plan, seconds_of or second)
  local ready, position, count = {}, {}, 0
  for _, step in ipairs(steps) do
    if step.open == 0 then
      ready[#ready + 1] = step
    end
  end
  while #ready > 0 do
    local step = table.remove(ready, 1)
    count = count + 1
    local row = step.change.row
    local name = step.kind .. " " .. step.change.address
    position[row and row.status == "replaced" and name .. " old" or name] = count
    for later in pairs(step.before) do
      later.open = later.open - 1
      if later.open == 0 then
        ready[#ready + 1] = later
      end
    end
  end
  assert.equal(#steps, count) -- nothing waits for ever
  return position
end

-- Steps in the order of doing, where that is the only one.
local function order_of(changes)
  local names = {}
  for name, position in pairs(positions_of(plans.make(changes))) do
    names[position] = name
  end
  return names
end

describe("the order of steps", function()
  it("makes what is needed first, and deletes it last", function()
    assert.same({ "make a", "make b", "make c" }, order_of {
      a = { "create" }, b = { "update", needs = { "a" } }, c = { "create", needs = { "b" } },
    })
    assert.same({ "delete c", "delete b", "delete a" }, order_of {
      a = { "delete" }, b = { "delete", needs = { "a" } }, c = { "delete", needs = { "b" } },
    })
  end)

  it("replaces by deleting first, dependents before", function()
    assert.same({ "delete b", "delete a", "make a", "make b" }, order_of {
      a = { "replace" }, b = { "replace", needs = { "a" } },
    })
  end)

  it("replaces by making first where that is asked for, and moves dependents over in between", function()
    assert.same({ "make a", "make b", "delete a" }, order_of {
      a = { "replace", create_first = true }, b = { "update", needs = { "a" } },
    })
  end)

  it("makes first what something needs that is made first", function()
    local plan = plans.make { a = { "replace" }, b = { "replace", needs = { "a" }, create_first = true } }
    local position = positions_of(plan)
    assert.is_true(plan.by_address.a.create_first)
    assert.is_true(position["make a"] < position["make b"])
    assert.is_true(position["make b"] < position["delete b"])
    assert.is_true(position["delete b"] < position["delete a"])
  end)

  it("lets go of what is deleted before it is", function()
    assert.same({ "make b", "delete a" }, order_of { a = { "delete" }, b = { "update", needs = {}, needed = { "a" } } })
  end)

  it("deletes replaced generations after what took their place", function()
    assert.same({ "make a", "delete a old" }, order_of { a = { "update", obsolete = true } })
  end)

  it("forgets what is retained instead of deleting it", function()
    assert.same({ "forget a", "make a" }, order_of { a = { "replace", options = { retain = true } } })
  end)

  it("makes first what could not be deleted before its dependents have moved", function()
    -- d moves from x, which goes, to y, which x needs and which is replaced.
    local plan = plans.make {
      y = { "replace" }, x = { "delete", needed = { "y" } }, d = { "update", needs = { "y" }, needed = { "x" } },
    }
    local position = positions_of(plan)
    assert.is_true(plan.by_address.y.create_first)
    assert.is_true(position["make d"] < position["delete x"])
    assert.is_true(position["delete x"] < position["delete y"])
  end)

  it("gets over records that contradict each other", function()
    local position = positions_of(plans.make { a = { "delete", needed = { "b" } }, b = { "delete", needed = { "a" } } })
    assert.is_not_nil(position["delete a"])
    assert.is_not_nil(position["delete b"])
  end)

  it("knows the longest chain", function()
    local plan = plans.make { a = { "create" }, b = { "create", needs = { "a" } }, c = { "create" } }
    local function chain(seconds_of)
      local text = ""
      for _, step in ipairs(schedule.longest_chain(schedule.steps(plan, seconds_of))) do
        text = ("%s %s:%d"):format(text, step.change.address, step.path)
      end
      return text
    end
    assert.equal(" c:5", chain(function(change) return change.address == "c" and 5 or 2 end))
    assert.equal(" a:11 b:2", chain(function(change) return change.address == "a" and 9 or 2 end))
  end)
end)

describe("any order of steps", function()
  local MAKES = { create = true, update = true, replace = true }

  -- Whether records contradict each other somewhere: then not all of them can be obeyed.
  local function is_consistent(plan)
    for _, change in ipairs(plan.changes) do
      for _, address in ipairs(change.row and change.row.dependencies or {}) do
        if address >= change.address then
          return false
        end
      end
    end
    return true
  end

  local function check_change(plan, change, position)
    local address = change.address
    local make, remove = position["make " .. address], position["delete " .. address] or position["forget " .. address]
    assert.equal(MAKES[change.action] or false, make ~= nil)
    assert.equal(change.action == "delete" or change.action == "replace" or change.action == "forget", remove ~= nil)
    for needed in pairs(change.resource and change.resource.dependencies or {}) do
      local first = position["make " .. needed]
      assert.is_true(not (make and first) or first < make)
      local below = plan.by_address[needed]
      if change.action == "replace" and change.create_first and below.action == "replace" then
        assert.is_true(below.create_first)
      end
    end
    if change.action == "replace" then
      assert.equal(change.create_first or false, make < remove)
    end
    return make, remove
  end

  local function check(plan, position)
    local consistent = is_consistent(plan)
    for _, change in ipairs(plan.changes) do
      local make, remove = check_change(plan, change, position)
      for _, needed in ipairs(consistent and change.row and change.row.dependencies or {}) do
        local gone = position["delete " .. needed] or position["forget " .. needed]
        local below = plan.by_address[needed]
        assert.is_true(not (gone and remove) or remove < gone)
        local lets_go = change.action == "replace" and not change.create_first -- with its removal
        if gone and make and not lets_go and (below.action ~= "replace" or below.create_first) then
          assert.is_true(make < gone)
        end
      end
    end
  end

  it("keeps the rules, for random plans", function()
    math.randomseed(11)
    for _ = 1, 300 do
      local plan = plans.random(math.random, math.random(1, 14))
      check(plan, positions_of(plan))
    end
  end)

  it("is found quickly for many resources", function()
    local changes = {}
    for i = 1, 600 do
      changes[("r%03d"):format(i)] = { "replace", needs = i > 1 and { ("r%03d"):format(i - 1) } or {} }
    end
    local started = os.clock()
    positions_of(plans.make(changes))
    assert.is_true(os.clock() - started < 1)
  end)
end)
