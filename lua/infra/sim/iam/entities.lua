-- What all parts of the simulated IAM share: finding an entity, failing, views, paging, tags. Used by the other files
-- of this folder.
--
-- Kept in the account's global store:
--   role      by lower-case name: the members of the API's Role, and
--             inline = { policy name = document }, attached = { policy ARN = policy name },
--             bindings = { principal's ARN = its unique id }, linked = true on service-linked roles
--   policy    by lower-case name: the members of the API's Policy, and versions = array of PolicyVersion, newest first,
--             next_version
--   provider  by ARN: the members of GetOpenIDConnectProvider's answer
-- Documents are kept as they came and answered URL-encoded (IAM API reference: "compliant with RFC 3986").

local Failure = require "infra.sim.failure"
local aws_managed = require "infra.sim.iam.aws_managed"
local joined = require "infra.joined"
local paging = require "infra.sim.paging"
local policy = require "infra.sim.policy"
local sigv4 = require "host.sigv4"

local entities = {}

-- Where it is not what the code suggests.
local STATUS = { LimitExceeded = 409 }
local TAG_LIMIT = 50

local IDENTITY = {
  invalid = "Syntax errors in policy.",
  versions = { ["2012-10-17"] = true },
  version = "Policy document must be version 2012-10-17 or greater.",
  needs = {
    { "Effect", "Syntax errors in policy." },
    { "Action", "Policy statement must contain actions." },
    { "Resource", "Policy statement must contain resources." },
  },
  forbids = { Principal = "Policy document should not specify a principal." },
}

--- Throws IAM's error `code`; further arguments are string.format's.
entities.fail = Failure.thrower(STATUS)

local fail = entities.fail

-- The object, if the part of IAM that answers has heard of it.
local function visible(ctx, kind, key)
  return not ctx:fresh(kind, key, ctx.global) and ctx.global:get(kind, key) or nil
end

--- The role called so, in any case.
function entities.role(ctx, name)
  return visible(ctx, "role", name:lower()) or fail(ctx, "NoSuchEntity", "The role with name %s cannot be found.", name)
end

--- The same, for a change: roles linked to a service are the service's to change.
function entities.own_role(ctx, name)
  local role = entities.role(ctx, name)
  if role.linked then
    fail(ctx, "UnmodifiableEntity",
      "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", role.RoleName)
  end
  return role
end

function entities.put_role(ctx, role)
  ctx.global:put("role", role.RoleName:lower(), role)
end

local function customer_managed(ctx, arn)
  local found = visible(ctx, "policy", arn:match("[^/]*$"):lower())
  return found and found.Arn == arn and found or nil
end

--- The customer managed policy with this ARN, for a change.
function entities.own_policy(ctx, arn)
  return customer_managed(ctx, arn) or fail(ctx, "NoSuchEntity", "Policy %s was not found.", arn)
end

--- The managed policy with this ARN, the customer's or AWS's.
function entities.policy(ctx, arn)
  return customer_managed(ctx, arn) or aws_managed.find(arn)
    or fail(ctx, "NoSuchEntity", "Policy %s was not found.", arn)
end

--- The same, to be attached or to be a boundary. `message`: IAM's answer when there is none.
function entities.attachable(ctx, arn, message)
  local found = customer_managed(ctx, arn) or aws_managed.find(arn) or fail(ctx, "NoSuchEntity", message, arn)
  if not found.IsAttachable then
    fail(ctx, "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.")
  end
  return found
end

function entities.put_policy(ctx, changed)
  ctx.global:put("policy", changed.PolicyName:lower(), changed)
end

--- The OpenID Connect provider with this ARN.
function entities.provider(ctx, arn)
  return visible(ctx, "provider", arn)
    or fail(ctx, "NoSuchEntity", "OpenIDConnect Provider not found for arn %s", arn)
end

function entities.put_provider(ctx, provider)
  ctx.global:put("provider", provider.Arn, provider)
end

--- A document's size as IAM's quotas count it: without white space.
function entities.document_size(document)
  return #document:gsub("%s", "")
end

--- Fails unless `text` is a policy that can be given to an identity.
function entities.check_identity_policy(ctx, text)
  local document, problem = policy.parse(text, IDENTITY)
  if not document then
    fail(ctx, "MalformedPolicyDocument", "%s", problem)
  end
end

--- All objects of a kind whose Path begins with `prefix` (nil: all), in the order of their keys.
function entities.all(ctx, kind, prefix)
  local found = {}
  for _, object in ctx.global:each(kind) do
    if not prefix or object.Path:sub(1, #prefix) == prefix then
      found[#found + 1] = object
    end
  end
  return found
end

--- A unique id as IAM makes them: "AROA" and the like, and 17 capitals and digits.
function entities.id(ctx, prefix)
  return prefix .. ctx.unique(17, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
end

--- A policy document as IAM answers it.
entities.encoded = sigv4.encode_path_segment

--- One page of `items` as IAM lists them: fills `member` of a new output. `key(item)`: what they are ordered by;
--- `view(item)`: what is shown.
function entities.listed(ctx, params, member, items, key, view)
  local page, marker = paging.page(ctx, items, key, params.Marker, params.MaxItems or 100)
  if not page then
    fail(ctx, "ValidationError", "Invalid Marker.")
  end
  local shown = {}
  for i, item in ipairs(page) do
    shown[i] = view and view(item) or item
  end
  return { [member] = shown, IsTruncated = marker ~= nil, Marker = marker }
end

--- `tags` merged into the tags that an entity has. Keys differ in more than case; 50 at most.
function entities.merge_tags(ctx, existing, tags)
  local merged, position, given = {}, {}, {}
  for _, tag in ipairs(existing or {}) do
    merged[#merged + 1] = tag
    position[tag.Key:lower()] = #merged
  end
  for _, tag in ipairs(tags or {}) do
    local key = tag.Key:lower()
    if given[key] then
      fail(ctx, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    elseif key:find("^aws:") then
      fail(ctx, "InvalidInput", "The tag key %s is reserved for AWS use.", tag.Key)
    end
    given[key] = true
    position[key] = position[key] or #merged + 1
    merged[position[key]] = { Key = tag.Key, Value = tag.Value }
  end
  if #merged > TAG_LIMIT then
    fail(ctx, "LimitExceeded", "The number of tags has reached the maximum limit.")
  end
  return merged
end

local function without_tags(existing, keys)
  local gone, left = {}, {}
  for _, key in ipairs(keys) do
    gone[key:lower()] = true
  end
  for _, tag in ipairs(existing or {}) do
    if not gone[tag.Key:lower()] then
      left[#left + 1] = tag
    end
  end
  return left
end

--- Adds Tag*, Untag* and List*Tags of one type of entity to `operations`. `member`: the parameter that names one.
function entities.add_tagging(operations, type_name, member, find, put)
  operations["Tag" .. type_name] = function(ctx, params)
    local entity = find(ctx, params[member])
    entity.Tags = entities.merge_tags(ctx, entity.Tags, params.Tags)
    put(ctx, entity)
  end
  operations["Untag" .. type_name] = function(ctx, params)
    local entity = find(ctx, params[member])
    entity.Tags = without_tags(entity.Tags, params.TagKeys)
    put(ctx, entity)
  end
  operations["List" .. type_name .. "Tags"] = function(ctx, params)
    local entity = find(ctx, params[member])
    local tags = joined(entity.Tags)
    table.sort(tags, function(a, b) return a.Key < b.Key end)
    return entities.listed(ctx, params, "Tags", tags, function(tag) return tag.Key end)
  end
end

return entities
