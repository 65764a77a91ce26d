local infra = require "infra"
local json = require "host.json"
local reference = require "infra.engine.reference"
local report = require "infra.report.plan"

local function change(fields)
  fields.type = fields.type or "AWS::EC2::VPC"
  fields.differences = fields.differences or {}
  fields.resource = { region = "us-east-1", source = "stack.lua:1" }
  fields.desired = fields.desired or {}
  return fields
end

local function plan(changes, obsolete)
  local counts = { create = 0, update = 0, replace = 0, delete = 0, forget = 0, none = 0 }
  for _, list in ipairs { changes, obsolete or {} } do
    for _, one in ipairs(list) do
      counts[one.action] = counts[one.action] + 1
    end
  end
  return { changes = changes, obsolete = obsolete or {}, stack = "the-stack", serial = "x:1", counts = counts }
end

describe("a plan as text", function()
  it("is arranged by layer and aligned", function()
    assert.equal([[
network
  + subnet   AWS::EC2::Subnet
  + vpc      AWS::EC2::VPC
the-stack
  - old-one  AWS::IAM::Role    (it no longer exists)

Plan: 2 to create, 1 to delete; 1 unchanged
]], report.text(plan {
      change { address = "network/nothing", action = "none" },
      change { address = "network/subnet", type = "AWS::EC2::Subnet", action = "create" },
      change { address = "network/vpc", action = "create" },
      change { address = "old-one", type = "AWS::IAM::Role", action = "delete", reason = "it no longer exists" },
    }, {}))
  end)

  it("says so when there is nothing to do", function()
    local unchanged = plan { change { address = "a", action = "none" } }
    assert.equal("Plan: nothing to do; 1 unchanged\n", report.text(unchanged, {}))
    assert.equal("Plan: nothing to do\n", report.text(plan {}, {}))
  end)

  it("says what the stack says in vain", function()
    local vain = plan { change { address = "data/db", action = "none", ineffective = { "SnapshotIdentifier" } } }
    assert.equal([[
! data/db: SnapshotIdentifier counts only when one is made; this one exists, and stays as it is

Plan: nothing to do; 1 unchanged
]], report.text(vain, {}))
  end)

  it("says what may not be meant, where something is to be done", function()
    local new = change { address = "logs", action = "create" }
    new.resource.doubts = { "RetentionInDays is doubtful" }
    assert.matches("\n! logs: RetentionInDays is doubtful\n\nPlan: 1 to create\n$", report.text(plan { new }, {}))
    assert.same({ "RetentionInDays is doubtful" }, { table.unpack(report.data(plan { new }).changes[1].warnings) })
    new.action = "none"
    assert.equal("Plan: nothing to do; 1 unchanged\n", report.text(plan { new }, {}))
  end)

  it("shows why something is replaced, what has moved, and what is left over", function()
    assert.equal([[
the-stack
  ± a  AWS::EC2::VPC  (the new one before the old one goes)
      ~ CidrBlock: "10.0.0.0/16" → "10.1.0.0/16"  (forces replacement)
  > b  AWS::EC2::VPC  (was old/b)
  - c  AWS::EC2::VPC  (it was replaced)

Plan: 1 to replace, 1 to delete; 1 unchanged
]], report.text(plan({
      change { address = "a", action = "replace", create_first = true, differences = {
        { name = "CidrBlock", before = "10.0.0.0/16", after = "10.1.0.0/16", replaces = true },
      } },
      change { address = "b", action = "none", row = { moved_from = "old/b" } },
    }, { change { address = "c", action = "delete", reason = "it was replaced" } }), {}))
  end)

  it("has the properties of what is created on demand, in order and without secrets", function()
    local text = report.text(plan { change { address = "a", action = "create", desired = {
      Zone = "z", Password = infra.secret "hush", Access = { 1 }, Vpc = reference.unknown("network/vpc", "VpcId"),
    } } }, { details = true })
    assert.matches("\n      Access: %[1%]\n      Password: %(secret%)\n      Vpc: %(known after network/vpc%)\n", text)
  end)

  it("keeps to the width of a terminal", function()
    local text = report.text(plan { change { address = "a", action = "update", differences = {
      { name = "Document", before = { Statement = { ("x"):rep(300) } },
        after = { Statement = { ("x"):rep(299) .. "y" } } },
      { name = "Text", after = ("ä"):rep(300) },
    } } }, { width = 80, colour = false })
    for line in text:gmatch "[^\n]+" do
      assert.truthy(utf8.len(line) <= 80, line)
    end
    assert.matches('\n          %+ …x+y"\n', text)
  end)
end)

describe("a plan as data", function()
  it("is JSON without secrets, complete for what is created", function()
    local data = report.data(plan {
      change { address = "a", action = "create", desired = { Password = infra.secret "hush", Name = "n" } },
      change { address = "b", action = "update", desired = { Name = "n" }, differences = {
        { name = "Password", before = reference.seal(infra.secret "hush", "k"), after = infra.secret "hush" },
        { name = "Gone", before = { 1 } },
      } },
    })
    assert.same({ Password = "(secret)", Name = "n" }, data.changes[1].properties)
    assert.is_nil(data.changes[2].properties)
    assert.same({ name = "Password", before = "(secret)", after = "(secret)" }, data.changes[2].differences[1])
    local text = json.encode(data)
    assert.is_nil(text:find("hush", 1, true))
    assert.equal("x:1", json.decode(text).serial)
  end)
end)
