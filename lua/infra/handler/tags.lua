-- Tags: of the stack, of the resource, and the one that says whose it is. Services differ in how tags are written, not
-- in what they mean; the `tags` part of a handler spec says how:
--
--   tags = {
--     create = "Tags",                                     member of the create call, or nil: written afterwards
--     form = "list",                                       { {Key=, Value=} } ("list") or { key = value } ("map")
--     key = "Key", value = "Value",                        member names in the list form
--     set = { "TagRole", send = { "RoleName" }, tags = "Tags" },
--     unset = { "UntagRole", send = { "RoleName" }, keys = "TagKeys" },
--     read = "Tags"                                        path in the item, or a call { "ListTagsForResource", ... }
--     arn = "TopicArn"                                     where a call reads them: the name of the ARN ("Arn" by
--                                                          default), a template of handler/arn, or
--                                                          function(op, values) -> ARN
--   }
--
-- A call for every resource is what makes a plan slow. So AWS's tagging API, which knows those of a hundred resources
-- in one call, is asked first. It is an index, and late by some time that AWS does not document: only when it says what
-- is recorded is it believed.
--
-- Used by the other files of this folder; engine/decision compares what `visible` leaves.

local arn = require "infra.handler.arn"
local contains = require "infra.contains"
local errors = require "infra.errors"
local json = require "host.json"
local path = require "infra.handler.path"
local reference = require "infra.engine.reference"
local sorted_keys = require "infra.sorted_keys"

local tags = {}

--- The tag that every taggable create carries: stack, address and a nonce of this generation. A create whose answer was
--- lost is found again by it, and nothing without it is ever taken for ours.
tags.OWNER = "infra:id"

--- Without AWS's own tags and the ownership tag: what people set and what plans compare.
function tags.visible(map)
  local result = {}
  for key, value in pairs(map or {}) do
    if key ~= tags.OWNER and key:sub(1, 4) ~= "aws:" then
      result[key] = value
    end
  end
  return result
end

--- AWS's form as { key = value }.
function tags.decode(spec, value)
  local map = {}
  if spec.form == "map" then
    for key, text in pairs(value or {}) do
      map[key] = text
    end
    return map
  end
  for _, tag in ipairs(value or {}) do
    map[tag[spec.key or "Key"]] = tag[spec.value or "Value"] or ""
  end
  return map
end

local function encode(spec, map)
  if spec.form == "map" then
    return map
  end
  local list = json.array {}
  for _, key in ipairs(sorted_keys(map)) do
    list[#list + 1] = { [spec.key or "Key"] = key, [spec.value or "Value"] = map[key] }
  end
  return list
end

--- What the resource's tags shall be: the desired ones (a map, merged by the engine) and the ownership tag. Throws for
--- a secret: everybody who may look at the account sees tags.
function tags.desired(op, desired)
  local map = { [tags.OWNER] = op.token }
  for key, value in pairs(desired[op.schema.tag_property] or {}) do
    if reference.is_secret(value) then
      errors.raise { code = "SecretTag", resource = op.address, source = op.source,
        message = ("the tag '%s' cannot be a secret: everybody who may look at the account sees it"):format(key) }
    end
    map[key] = value
  end
  return map
end

--- The create call's spec, extended so that the tags go with it where the service can do that.
function tags.on_create(op, create, desired)
  local spec = op.spec.tags
  if not (spec and spec.create) then
    return create
  end
  local extended = setmetatable({}, { __index = create })
  extended[1] = create[1]
  extended.encode = function(params, scope, operation)
    if create.encode then
      create.encode(params, scope, operation)
    end
    path.set(params, spec.create, encode(spec, tags.desired(op, desired)))
    for member, value in pairs(op.spec.tags_with or {}) do
      path.set(params, member, value)
    end
  end
  return extended
end

-- Its ResourceARNList takes up to 100: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference
local INDEX = {
  "GetResources", list = "ResourceTagMappingList", key = "ResourceARN", ids = "ResourceARNList", max = 100,
}

--- Whether the tags of this type take a call of their own, so that the tagging API may save it.
function tags.are_indexed(op)
  local spec = op.spec.tags
  return spec ~= nil and type(spec.read) == "table" and op.schema.tag_property ~= nil
end

local function is_recorded(op, map, known)
  local recorded = known[op.schema.tag_property] or {}
  local visible = tags.visible(map)
  for key, value in pairs(recorded) do
    if visible[key] ~= value then
      return false
    end
    visible[key] = nil
  end
  return map[tags.OWNER] == op.token and next(visible) == nil
end

local function arn_of(op, values)
  local where = op.spec.tags.arn or "Arn"
  if type(where) == "function" then
    return where(op, values)
  end
  return where:find("${", 1, true) and arn.expand(op, where, values) or values[where]
end

--- The tags as a map, where the tagging API has exactly those that are recorded in `known`; else nil, also when it
--- cannot be asked. Yields.
function tags.indexed(op, scope, known)
  local name = arn_of(op, scope)
  local item = name and op.context.reader:item("resourcegroupstaggingapi", op.region, INDEX, name, {})
  local map = item and tags.decode({}, item.Tags)
  return map and is_recorded(op, map, known) and map or nil
end

--- The live tags by the service's own call. Returns a map, or nil and an error.
function tags.read(op, scope)
  local read = op.spec.tags.read
  local service, params = op.spec.service, op:parameters(read, scope)
  if read.key then -- one call for many resources
    local item, problem = op.context.reader:item(service, op.region, read, scope[read.by], params)
    if problem then
      return nil, problem
    end
    return tags.decode(op.spec.tags, item and item[read.item])
  end
  local output, err = op:get(read, params) -- some services tell only of what is available
  if not output then
    if contains(read.absent, err.code) then
      return {}
    end
    return nil, err
  end
  return tags.decode(op.spec.tags, path.get(output, read.list))
end

--- Makes the tags of the resource in `scope` equal to `wanted`, given that they are `live`. AWS's own stay.
function tags.change(op, scope, live, wanted)
  local spec = op.spec.tags
  local changed, removed = {}, json.array {}
  for key, value in pairs(wanted) do
    if live[key] ~= value then
      changed[key] = value
    end
  end
  for _, key in ipairs(sorted_keys(tags.visible(live))) do
    if wanted[key] == nil then
      removed[#removed + 1] = key
    end
  end
  if spec.replace and (next(changed) or #removed > 0) then -- the service knows only the whole set
    for key, value in pairs(live) do
      if key:sub(1, 4) == "aws:" then
        wanted[key] = value
      end
    end
    changed, removed = wanted, {}
  end
  if next(changed) then
    local params = op:parameters(spec.set, scope)
    path.set(params, spec.set.tags, encode(spec, changed))
    local ok, err = op:mutate(spec.set, params)
    if not ok then
      return nil, err
    end
  end
  if #removed > 0 then
    local params = op:parameters(spec.unset, scope)
    local keys = removed
    if spec.unset.form == "list" then
      keys = json.array {}
      for i, key in ipairs(removed) do
        keys[i] = { Key = key }
      end
    end
    path.set(params, spec.unset.keys, keys)
    return op:mutate(spec.unset, params)
  end
  return true
end

return tags
