-- Lifecycle rules of a bucket: CloudFormation's form <-> the S3 API's. Used by resources/s3.lua.

local json = require "host.json"
local path = require "infra.handler.path"

local lifecycle = {}

-- CloudFormation name = place in an API rule.
local RULE = {
  "Id=ID", "Status", "ExpirationInDays=Expiration.Days", "ExpirationDate=Expiration.Date",
  "ExpiredObjectDeleteMarker=Expiration.ExpiredObjectDeleteMarker",
  "NoncurrentVersionExpirationInDays=NoncurrentVersionExpiration.NoncurrentDays", "NoncurrentVersionExpiration",
  "AbortIncompleteMultipartUpload",
}
local TRANSITION = { "TransitionInDays=Days", "TransitionDate=Date", "StorageClass" }
local NONCURRENT_TRANSITION = { "TransitionInDays=NoncurrentDays", "StorageClass", "NewerNoncurrentVersions" }

local function convert(list, fields, change)
  local result = json.array {}
  for i, item in ipairs(list) do
    result[i] = change(fields, item)
  end
  return result
end

-- A rule applies to a prefix, tags and sizes; several of them are wrapped in And.
local function encode_filter(rule)
  local parts, count = {}, 0
  local function add(name, value)
    if value ~= nil then
      parts[name], count = value, count + (name == "Tags" and #value or 1)
    end
  end
  add("Prefix", rule.Prefix)
  add("ObjectSizeGreaterThan", tonumber(rule.ObjectSizeGreaterThan))
  add("ObjectSizeLessThan", tonumber(rule.ObjectSizeLessThan))
  add("Tags", rule.TagFilters)
  if count > 1 then
    return { And = parts }
  elseif parts.Tags then
    return { Tag = parts.Tags[1] }
  elseif count == 0 then
    return { Prefix = "" }
  end
  return parts
end

local function decode_filter(rule, filter)
  local parts = filter.And or filter
  if parts.Prefix and parts.Prefix ~= "" then
    rule.Prefix = parts.Prefix
  end
  rule.ObjectSizeGreaterThan = parts.ObjectSizeGreaterThan and tostring(parts.ObjectSizeGreaterThan)
  rule.ObjectSizeLessThan = parts.ObjectSizeLessThan and tostring(parts.ObjectSizeLessThan)
  rule.TagFilters = parts.Tags or parts.Tag and json.array { parts.Tag } or nil
end

--- CloudFormation's LifecycleConfiguration as the API's.
function lifecycle.encode(configuration)
  local rules = json.array {}
  for i, rule in ipairs(configuration.Rules) do
    local encoded = path.build(RULE, rule)
    encoded.Filter = encode_filter(rule)
    if rule.Transitions then
      encoded.Transitions = convert(rule.Transitions, TRANSITION, path.build)
    end
    if rule.NoncurrentVersionTransitions then
      encoded.NoncurrentVersionTransitions = convert(rule.NoncurrentVersionTransitions, NONCURRENT_TRANSITION, path.build)
    end
    rules[i] = encoded
  end
  return { Rules = rules }
end

--- The API's answer as CloudFormation's LifecycleConfiguration.
function lifecycle.decode(output)
  local rules = json.array {}
  for i, rule in ipairs(output.Rules or {}) do
    local decoded = path.extract(RULE, rule)
    decoded.NoncurrentVersionExpirationInDays = nil -- the same fact twice
    decode_filter(decoded, rule.Filter or { Prefix = rule.Prefix })
    if rule.Transitions then
      decoded.Transitions = convert(rule.Transitions, TRANSITION, path.extract)
    end
    if rule.NoncurrentVersionTransitions then
      decoded.NoncurrentVersionTransitions = convert(rule.NoncurrentVersionTransitions, NONCURRENT_TRANSITION, path.extract)
    end
    rules[i] = decoded
  end
  return { Rules = rules }
end

--- Comparable: one way of writing each thing, rules in order of their ids.
function lifecycle.canonical(configuration)
  local rules = json.array {}
  for i, rule in ipairs(configuration.Rules or {}) do
    local copy = {}
    for name, value in pairs(rule) do
      copy[name] = value
    end
    if copy.NoncurrentVersionExpirationInDays then
      copy.NoncurrentVersionExpiration = { NoncurrentDays = copy.NoncurrentVersionExpirationInDays }
      copy.NoncurrentVersionExpirationInDays = nil
    end
    rules[i] = copy
  end
  table.sort(rules, function(a, b)
    return (a.Id or "") < (b.Id or "")
  end)
  return { Rules = rules }
end

return lifecycle
