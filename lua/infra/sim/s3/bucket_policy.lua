-- Bucket policies of the simulated S3. Used by infra.sim.s3.facets.

local buckets = require "infra.sim.s3.buckets"
local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"

local bucket_policy = {}

local SIZE_LIMIT = 20 * 1024

local FORM = {
  invalid = "Policies must be valid JSON and the first byte must be '{'",
  needs = { { "Effect" }, { "Principal" }, { "Action" }, { "Resource" } },
  service = "s3",
  foreign = "Policy has invalid action",
}

-- Actions on objects whose names do not say so.
local ON_OBJECTS = { ["s3:abortmultipartupload"] = true, ["s3:listmultipartuploadparts"] = true }

local function is_on_objects(action)
  return ON_OBJECTS[action] or (action:find("object", 1, true) ~= nil and not action:find("bucket", 1, true))
end

-- Whether the action can apply to a resource of this ARN: a bucket, or objects in it. Wildcards apply to both.
local function applies(action, resource)
  action = action:lower()
  return action:find("[*?]") ~= nil or is_on_objects(action) == (resource:find("/", 1, true) ~= nil)
end

local function any(values, test)
  for _, value in ipairs(values) do
    if test(value) then
      return true
    end
  end
  return false
end

local function resource_problem(bucket, document)
  for _, statement in ipairs(document.Statement) do
    local resources = policy.list(statement.Resource or statement.NotResource)
    for _, resource in ipairs(resources) do
      local name = resource:match("^arn:[%w-]+:s3:::([^/]+)")
      if not name or not policy.like(bucket.Name, name) then
        return "Policy has invalid resource"
      end
    end
    for _, action in ipairs(policy.list(statement.Action)) do
      if statement.Resource and not any(resources, function(resource) return applies(action, resource) end) then
        return "Action does not apply to any resource(s) in statement"
      end
    end
  end
end

-- "The meaning of public" (S3 User Guide): a statement for everybody is not public if one of these keys pins it down.
local PINS = {
  ["aws:sourcearn"] = true, ["aws:sourceaccount"] = true, ["aws:sourceowner"] = true, ["aws:sourcevpc"] = true,
  ["aws:sourcevpce"] = true, ["aws:sourceip"] = true, ["aws:principalorgid"] = true, ["aws:principalarn"] = true,
  ["aws:principalaccount"] = true, ["aws:userid"] = true, ["s3:dataaccesspointarn"] = true,
  ["s3:dataaccesspointaccount"] = true, ["aws:resourceorgid"] = true,
}

local function pinned(statement)
  for operator, conditions in pairs(statement.Condition or {}) do
    for key, values in pairs(conditions) do
      local open = any(policy.list(values), function(value)
        return value == "*" or value == "0.0.0.0/0" or value == "::/0"
      end)
      if PINS[key:lower()] and not open and not operator:find("Not", 1, true) then
        return true
      end
    end
  end
  return false
end

local function is_public(document)
  return any(policy.principals(document), function(principal)
    return principal.value == "*" and principal.statement.Effect == "Allow" and not pinned(principal.statement)
  end)
end

--- The rule of the policy facet: kept are the text, and the principals that it names.
function bucket_policy.rule(ctx, bucket, text)
  local document, problem = policy.parse(text, FORM)
  local bindings
  if document then
    problem = resource_problem(bucket, document)
      or #text > SIZE_LIMIT and "Policy exceeds the maximum allowed document size" or nil
  end
  if not problem then
    bindings = principals.bind(ctx, document)
    problem = not bindings and "Invalid principal in policy" or nil
  end
  if problem then
    buckets.fail(ctx, "MalformedPolicy", "%s", problem)
  elseif (bucket.facets.public_access_block or {}).BlockPublicPolicy and is_public(document) then
    buckets.fail(ctx, "AccessDenied", 'User: %s is not authorized to perform: s3:PutBucketPolicy on resource: '
      .. '"%s" because public policies are blocked by the BlockPublicPolicy block public access setting.',
      ctx.caller.arn, buckets.arn(ctx, bucket))
  end
  return { text = text, bindings = bindings }
end

--- What GetBucketPolicy answers.
function bucket_policy.view(ctx, kept)
  return { Policy = principals.render(ctx, kept.text, kept.bindings) }
end

--- What GetBucketPolicyStatus answers.
function bucket_policy.status(kept)
  return { PolicyStatus = { IsPublic = is_public(policy.decode(kept.text)) } }
end

return bucket_policy
