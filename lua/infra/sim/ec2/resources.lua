-- The mechanism behind EC2's resources: identifiers, existence, tags, client tokens, quotas and Describe. What is
-- special to a resource is in its own file, which defines it by data; see Resource.define. Other services that keep
-- network interfaces (Lambda, RDS, ElastiCache) use it too: the objects are always those of EC2 in the caller's account
-- and region.
--
-- An object is kept in the form that Describe shows, without what changes by itself: `available_at` and `gone_at` (unix
-- seconds) say from when it is available and until when it is known at all. Its Tags are in the order of their keys.

local joined = require "infra.joined"
local json = require "host.json"
local merged = require "infra.merged"

local arns = require "infra.sim.arns"
local listing = require "infra.sim.ec2.listing"
local tagging = require "infra.sim.tagging"

local Resource = {}
Resource.__index = Resource

local by_prefix, all = {}, {}

--- How the tags of each kind are published (infra.sim.tag_index).
Resource.tagged = {}

--- A kind of resource: {
---   name       its ResourceType in tag specifications, also its kind in the store
---   prefix     of identifiers
---   id         the member with its identifier
---   ids        the input member of Describe that names several
---   not_found  { code, message with %s for the identifier }
---   malformed  the code for something that is no such identifier, when it is not not_found's with another ending
---   quota      { most, code, message, per = member } or nil: how many a region, or each value of that member, may have
---   goes_with_vpc  function(object): whether it goes when its VPC (member VpcId) does, instead of preventing that
---   listing    infra.sim.ec2.listing, without key and ids
---   render     function(ctx, shown, object) or nil: completes `shown`, a copy of the object with tags, for Describe
--- }
function Resource.define(definition)
  definition.listing.key, definition.listing.ids = definition.id, definition.ids
  by_prefix[definition.prefix] = definition
  all[#all + 1] = definition
  Resource.tagged[definition.name] = function(place, object)
    return {
      arn = arns.of(place, "ec2", definition.name .. "/" .. object[definition.id]),
      tags = tagging.merge(nil, object.Tags),
      gone_at = object.gone_at,
    }
  end
  return setmetatable(definition, Resource)
end

--- Iterates over all kinds.
function Resource.kinds()
  local i = 0
  return function()
    i = i + 1
    return all[i]
  end
end

--- The kind of resource that an identifier names, or nil.
function Resource.of(id)
  return by_prefix[id:match("^(.-)%-") or ""]
end

-- -- existence --------------------------------------------------------------------------------------------------------

local function is_gone(ctx, object)
  return object.gone_at and object.gone_at <= ctx.now()
end

--- The object, or nil when there is none (any more).
function Resource:get(ctx, id)
  local object = ctx:of("ec2"):get(self.name, id)
  return object and not is_gone(ctx, object) and object or nil
end

--- The object that a caller named, or AWS's answer that there is none: not_found, unless this operation has another.
function Resource:find(ctx, id, not_found)
  local code, message = table.unpack(not_found or self.not_found)
  if id:sub(1, #self.prefix + 1) ~= self.prefix .. "-" then
    ctx:fail(self.malformed or (code:gsub("NotFound$", "Malformed")),
      ("Invalid id: \"%s\" (expecting \"%s-...\")"):format(id, self.prefix))
  end
  local object = self:get(ctx, id)
  if not object or ctx:fresh(self.name, id, ctx:of("ec2")) then
    ctx:fail(code, message:format(id))
  end
  return object
end

--- Iterates over id, object of all there are; with `member`, of those whose member has `value`.
function Resource:each(ctx, member, value)
  local next_object = ctx:of("ec2"):each(self.name)
  return function()
    for id, object in next_object do
      if is_gone(ctx, object) then
        self:remove(ctx, id)
      elseif not member or object[member] == value then
        return id, object
      end
    end
  end
end

--- Whether there is any (with that member).
function Resource:any(ctx, member, value)
  return self:each(ctx, member, value)() ~= nil
end

-- -- tags -------------------------------------------------------------------------------------------------------------

local TAG_RULES = {
  fail = function(ctx, code, message, ...) ctx:fail(code, message:format(...)) end,
  length = { "InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length" },
  value_length = {
    "InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters for key '%s'",
  },
  reserved = { "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use" },
  duplicate = { "InvalidParameterValue", "Duplicate tag key '%s' specified." },
  number = { "TagLimitExceeded", "The maximum number of Tags for a resource has been reached: %d" },
}

--- Tags on top of those there are, after checking all of AWS's rules.
function Resource.checked_tags(ctx, given, existing)
  return tagging.list(tagging.checked(ctx, tagging.merge(nil, existing), given, TAG_RULES))
end

-- The tags that a create call gives to this kind of resource.
local function specified_tags(self, ctx, specifications)
  local given = {}
  for _, specification in ipairs(specifications or {}) do
    if specification.ResourceType ~= self.name then
      ctx:fail("InvalidParameterValue",
        ("'%s' is not a valid taggable resource type for this operation."):format(specification.ResourceType))
    end
    given = joined(given, specification.Tags)
  end
  return Resource.checked_tags(ctx, given)
end

-- -- creating, changing, deleting
-- --------------------------------------------------------------------------------------

local function check_quota(self, ctx, object)
  local quota = self.quota
  if not quota then
    return
  end
  local most = ctx.quotas[self.name] or quota[1]
  local count = 0
  for _, other in self:each(ctx, quota.per, object[quota.per]) do
    count = count + (other.gone_at and 0 or 1)
  end
  if count >= most then
    ctx:fail(quota[2], quota[3])
  end
end

--- Keeps a new object under a fresh identifier and tags it. Checks quota and TagSpecifications first, so that nothing
--- has happened when it fails. Returns the object.
function Resource:create(ctx, object, params)
  local tags = specified_tags(self, ctx, params and params.TagSpecifications)
  check_quota(self, ctx, object)
  local id = ctx.id(self.prefix)
  object[self.id] = id
  object.OwnerId = ctx.account
  object.Tags = tags
  self:put(ctx, object)
  return object
end

--- Keeps a changed object.
function Resource:put(ctx, object)
  ctx:of("ec2"):put(self.name, object[self.id], object)
end

--- Forgets a resource.
function Resource:remove(ctx, id)
  ctx:of("ec2"):delete(self.name, id)
end

--- The identifier that an earlier call with this ClientToken created, or nil. The same token with other parameters is
--- refused. Tokens are remembered as long as the resource is.
function Resource:repeated(ctx, params)
  local known = params.ClientToken and ctx:of("ec2"):get("token", ctx.operation .. "/" .. params.ClientToken)
  if not (known and self:get(ctx, known.id)) then
    return nil
  elseif known.params ~= json.encode(params) then
    ctx:fail("IdempotentParameterMismatch",
      "The client token you provided was used before with different parameters.")
  end
  return known.id
end

--- Remembers that this call created the resource.
function Resource.remember(ctx, params, id)
  if params.ClientToken then
    ctx:of("ec2"):put("token", ctx.operation .. "/" .. params.ClientToken, { id = id, params = json.encode(params) })
  end
end

-- -- showing ----------------------------------------------------------------------------------------------------------

--- An object as Describe shows it.
function Resource:show(ctx, object)
  local shown = merged(object)
  if object.available_at then
    shown.State = ctx.now() < object.available_at and "pending" or "available"
  end
  if self.render then
    self.render(ctx, shown, object)
  end
  return shown
end

--- The Describe operation of this kind of resource.
function Resource:describe()
  return function(ctx, params)
    local items = {}
    local ids = params[self.ids] or {}
    if #ids > 0 then
      local wanted = joined(ids)
      table.sort(wanted)
      for i, id in ipairs(wanted) do
        if id ~= wanted[i - 1] then
          items[#items + 1] = self:show(ctx, self:find(ctx, id))
        end
      end
    else
      for id, object in self:each(ctx) do
        if not ctx:fresh(self.name, id) then
          items[#items + 1] = self:show(ctx, object)
        end
      end
    end
    return listing.answer(ctx, self.listing, params, items)
  end
end

return Resource
