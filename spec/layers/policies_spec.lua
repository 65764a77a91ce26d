-- Least privilege, in every stack of this project and in every layer: each policy document that would be sent.
local World = require "spec.engine.world"
local fs = require "host.fs"
local json = require "host.json"
local merged = require "infra.merged"
local policy = require "infra.layers.policy"
local project = require "infra.project"
local watched = require "spec.layers.watched"

local function list_of(value)
  return type(value) == "table" and value or { value }
end

local function has(list, test)
  for _, item in ipairs(list_of(list)) do
    if test(item) then
      return true
    end
  end
  return false
end

local function is_everything(text)
  return text == "*"
end

local function is_every_action(text)
  return text == "*" or text:find ":%*$" ~= nil
end

-- What is too much in a statement that allows something; nil when nothing is.
local function excess(statement)
  if statement.Effect ~= "Allow" then
    return nil
  elseif statement.NotAction or statement.NotResource then
    return "allows everything but something"
  elseif has(statement.Action, is_every_action) then
    return "allows every action"
  elseif has(statement.Resource, is_everything) and not policy.reason(statement) then
    return "allows it on every resource, without a reason"
  end
  local principal = statement.Principal or {}
  local anybody = principal == "*" or has(type(principal) == "table" and principal.AWS, is_everything)
  return anybody and not statement.Condition and "allows it to everybody" or nil
end

-- Calls found(statement) for each statement of each policy document inside `value`, also of those written as text.
local function each_statement(value, found)
  if type(value) == "string" then
    value = value:find '^%s*{.*"Statement"' and json.decode(value) or nil
  end
  if type(value) ~= "table" then
    return
  end
  for key, item in pairs(value) do
    if key == "Statement" then
      for _, statement in ipairs(item.Effect and { item } or item) do
        found(statement)
      end
    else
      each_statement(item, found)
    end
  end
end

-- "ADDRESS SID: what is too much", for a declaration; and the number of statements looked at.
local function excesses(declaration)
  local faults, count = {}, 0
  for address, resource in pairs(declaration.resources) do
    each_statement(resource.properties, function(statement)
      local fault = excess(statement)
      count = count + 1
      faults[#faults + 1] = fault and ("%s %s: %s"):format(address, statement.Sid or "?", fault) or nil
    end)
  end
  table.sort(faults)
  return faults, count
end

-- The stack's options that must be given, with something of their types.
local function placeholders(definition)
  local given, samples = {}, { string = "example", number = 1, boolean = true, table = {} }
  for name, option in pairs(definition.options or {}) do
    given[name] = option.required and samples[option.kind] or nil
  end
  return given
end

describe("no policy allows more than it says", function()
  local search_path = package.path

  after_each(function()
    package.path = search_path -- a stack's own
  end)

  for _, name in ipairs(assert(fs.list "stacks")) do
    it("in stacks/" .. name, function()
      local definition = assert(project.load("stacks/" .. name))
      local faults, count = excesses(assert(definition:evaluate(placeholders(definition))))
      assert.same({}, faults)
      assert.is_true(count > 0)
    end)
  end

  it("in the layers security, observability, cicd and dr, with everything in them", function()
    local faults, count = excesses(World.declare(function(stack)
      local network = stack:layer("network", { s3_endpoint = true })
      local security = stack:layer("security", { vpc = network.vpc })
      local parts = watched(stack)
      local topic = stack:layer("observability", {
        api = parts.api, lambda = parts.lambda, cluster = parts.cluster, cache = parts.cache,
      }).topic
      stack:layer("cicd", {
        roles = security.roles, repository = parts.repository, lambda = parts.lambda, alias = parts.alias,
        bucket = parts.bucket, distribution = parts.distribution, domain = "example.com", topic = topic,
      })
      stack:layer("dr", {
        cluster = parts.cluster, role = security.roles.backup, topic = topic, domain = "example.com",
      })
    end))
    assert.same({}, faults)
    assert.is_true(count > 40)
  end)
end)

describe("the check of policies", function()
  local function of(statement)
    local declaration = World.declare(function(stack)
      stack:resource("AWS::IAM::ManagedPolicy", "p", { PolicyDocument = policy.document { statement } })
    end)
    return excesses(declaration)[1]
  end

  it("finds what allows too much, wherever it stands", function()
    local statement = { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::a/*" }
    assert.is_nil(of(statement))
    for change, expected in pairs {
      [{ Action = "s3:*" }] = "every action", [{ Action = { "s3:GetObject", "*" } }] = "every action",
      [{ Resource = "*" }] = "without a reason", [{ Resource = { "arn:aws:s3:::a", "*" } }] = "without a reason",
      [{ NotAction = "iam:*" }] = "everything but", [{ Principal = "*" }] = "everybody",
      [{ Principal = { AWS = { "*" } } }] = "everybody",
    } do
      assert.matches(expected, of(merged(statement, change)))
    end
    local text = World.declare(function(stack)
      stack:resource("AWS::SNS::TopicPolicy", "p", { Topics = { "arn:aws:sns:us-east-1:123456789012:t" },
        PolicyDocument = '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sns:*", "Resource": "*"}}' })
    end)
    assert.equal(1, #excesses(text))
  end)

  it("accepts every resource with a reason, which policy.allow insists on", function()
    assert.has_error(function()
      policy.allow("All", { "ec2:DescribeVpcs" }, { "*" })
    end)
    assert.has_error(function()
      policy.allow("All", { "ec2:*" }, { "*" }, { reason = "because" })
    end)
    assert.is_nil(of(policy.allow("All", { "ec2:DescribeVpcs" }, { "*" }, { reason = "it knows no resources" })))
  end)
end)
