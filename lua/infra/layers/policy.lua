-- Policy documents for the layers, least privilege by construction: no "every action", and "every resource" only with
-- the reason why the service offers nothing narrower.

local json = require "host.json"

local policy = {}

local function check_actions(actions)
  for _, action in ipairs(actions) do
    if action == "*" or action:match(":%*$") then
      error(("the action %s allows everything: name what is needed"):format(action), 3)
    end
  end
end

local function check_resources(resources, reason)
  for _, resource in ipairs(resources) do
    if resource == "*" and not reason then
      error("Resource \"*\" needs a reason: say why the service offers nothing narrower", 3)
    end
  end
end

local reasons = {} -- statement, encoded -> why it may name every resource

--- A statement that allows `actions` on `resources` (lists). options: condition; principal, for the policy of a
--- resource; reason, required for "*".
function policy.allow(sid, actions, resources, options)
  options = options or {}
  check_actions(actions)
  check_resources(resources, options.reason)
  local statement = {
    Sid = sid, Effect = "Allow", Principal = options.principal, Action = json.array(actions),
    Resource = json.array(resources), Condition = options.condition,
  }
  reasons[json.encode(statement)] = options.reason
  return statement
end

--- Why a statement may name every resource: what was said to policy.allow. Nil when it was not made by it.
function policy.reason(statement)
  return reasons[json.encode(statement)]
end

--- The ARN of something of this account in the stack's region, or in another.
function policy.arn(stack, service, rest, region)
  return ("arn:%s:%s:%s:%s:%s"):format(stack.partition, service, region or stack.region, stack.account, rest)
end

--- A document of statements.
function policy.document(statements)
  return { Version = "2012-10-17", Statement = json.array(statements) }
end

--- The trust policy that lets an AWS service take the role, for resources of this account only where the service tells
--- which (`source_account`).
function policy.trust(service, source_account)
  return policy.document {
    {
      Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = service },
      Condition = source_account and { StringEquals = { ["aws:SourceAccount"] = source_account } } or nil,
    },
  }
end

return policy
