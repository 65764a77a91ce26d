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

--- A statement that allows `actions` on `resources` (lists). options: condition; reason, required for "*".
function policy.allow(sid, actions, resources, options)
  options = options or {}
  check_actions(actions)
  check_resources(resources, options.reason)
  return {
    Sid = sid, Effect = "Allow", Action = json.array(actions), Resource = json.array(resources),
    Condition = options.condition,
  }
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
