local project = require "spec.cli.project"

-- A topic in another account or in the stack's own, and a parameter at home that has the topic's ARN. `accounts` is the
-- text of that field.
local function stack_text(accounts)
  return ([[
local infra = require "infra"
return infra.stack {
  project = "two", environment = "spec", region = "us-east-1", accounts = %s,
  options = { away = infra.default(true) },
  build = function(stack, options)
    local topic = stack:resource("AWS::SNS::Topic", "topic", {}, { account = options.away and "210987654321" or nil })
    stack:resource("AWS::SSM::Parameter", "topic-arn", { Type = "String", Value = topic.TopicArn })
    stack:output("topic", topic.TopicArn)
  end,
}
]]):format(accounts)
end

local ROLE <const> = [[{ ["210987654321"] = {
    role_arn = "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole" } }]]

describe("a resource with the option account", function()
  local here = project(teardown)

  local function account_of(path)
    return here.json("state", "show", path, "topic")[1].account
  end

  it("is made there, by the role that the stack names, and stays there", function()
    local path = here.stack("two", stack_text(ROLE))
    here.done("run", path, "--yes")
    assert.equal("arn:aws:sns:us-east-1:210987654321:two-spec-topic\n", here.done("output", path, "topic"))
    assert.equal("210987654321", account_of(path))
    assert.matches("nothing changed", here.done("run", path, "--yes"))
    assert.matches("Drift: none", here.done("drift", path))

    -- Where it is declared elsewhere it is made anew there.
    assert.matches("topic .*its account changed", here.done("run", path, "--yes", "--set", "away=false"))
    assert.equal("123456789012", account_of(path))
    here.done("run", path, "--yes")
    assert.equal("210987654321", account_of(path))
    here.done("destroy", path, "--yes")
  end)

  it("is neither forgotten nor made again when the stack names no role for it any more", function()
    local path = here.stack("lost", stack_text(ROLE))
    here.done("run", path, "--yes")
    here.stack("lost", stack_text "nil")
    local ended = here.infra("run", path, "--yes", "--set", "away=false")
    assert.equal(1, ended.status)
    assert.matches("topic: it is in account 210987654321, and these credentials are for 123456789012", ended.stderr)
    assert.matches('accounts = { %["210987654321"%] = { role_arn = ... } }', ended.stderr)
    here.stack("lost", stack_text(ROLE))
    here.done("destroy", path, "--yes")
  end)

  it("is refused at its line where the stack's roles do not fit", function()
    for accounts, message in pairs {
      ["nil"] = "lost.lua:6:.*the stack names no role for account 210987654321",
      [ [[{ ["210987654321"] = {} }]] ] = 'lost.lua:.*accounts%["210987654321"%] needs role_arn',
      [ [[{ ["210987654321"] = { role_arn = "arn:aws:iam::111111111111:role/x" } }]] ]
        = "names a role of account 111111111111",
      [ [[{ ["210987654321"] = { role = "x" } }]] ] = "has no 'role'",
    } do
      local ended = here.infra("plan", here.stack("lost", stack_text(accounts)))
      assert.equal(1, ended.status)
      assert.matches(message, ended.stderr)
    end
  end)
end)
