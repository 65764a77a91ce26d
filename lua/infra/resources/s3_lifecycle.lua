-- Lifecycle rules of a bucket: CloudFormation's form <-> the S3 API's. Used by resources/s3.lua.

local clock = require "host.clock"
local json = require "host.json"
local merged = require "infra.merged"
local path = require "infra.handler.path"

local lifecycle = {}

-- CloudFormation name = place in an API rule.
local RULE = {
  "Id=ID", "Status", "ExpirationInDays=Expiration.Days", "ExpirationDate=Expiration.Date",
  "ExpiredObjectDeleteMarker=Expiration.ExpiredObjectDeleteMarker", "NoncurrentVersionExpiration",
  "AbortIncompleteMultipartUpload",
}
local TRANSITION = { "TransitionInDays=Days", "TransitionDate=Date", "StorageClass" }
local NONCURRENT_TRANSITION = { "TransitionInDays=NoncurrentDays", "StorageClass", "NewerNoncurrentVersions" }

-- CloudFormation's older names for a single one -> the list.
local SINGLE = {
  Transition = "Transitions", NoncurrentVersionTransition = "NoncurrentVersionTransitions",
}

local function mapped(list, change)
  local result = json.array {}
  for i, item in ipairs(list) do
    result[i] = change(item)
  end
  return result
end

-- The API has seconds, CloudFormation text.
local function seconds_of(date)
  return type(date) == "string" and clock.parse_utc(date) or date
end

local function text_of(date)
  local seconds = seconds_of(date)
  return type(seconds) == "number" and clock.format_utc(seconds, "%Y-%m-%dT%H:%M:%SZ") or seconds
end

-- A CloudFormation rule with one way of writing each thing.
local function normal(rule)
  local result = merged(rule)
  for old, name in pairs(SINGLE) do
    if result[old] then
      result[name] = mapped(result[name] or {}, merged)
      table.insert(result[name], result[old])
      result[old] = nil
    end
  end
  if result.NoncurrentVersionExpirationInDays then
    result.NoncurrentVersionExpiration = { NoncurrentDays = result.NoncurrentVersionExpirationInDays }
    result.NoncurrentVersionExpirationInDays = nil
  end
  result.ExpirationDate = text_of(result.ExpirationDate)
  result.Transitions = result.Transitions and mapped(result.Transitions, function(transition)
    return merged(transition, { TransitionDate = text_of(transition.TransitionDate) })
  end)
  if result.Prefix == "" then
    result.Prefix = nil
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
  rule.Prefix = parts.Prefix
  rule.ObjectSizeGreaterThan, rule.ObjectSizeLessThan = parts.ObjectSizeGreaterThan, parts.ObjectSizeLessThan
  rule.TagFilters = parts.Tags or parts.Tag and json.array { parts.Tag } or nil
end

local function encode_rule(given)
  local rule = normal(given)
  local encoded = path.build(RULE, rule)
  encoded.Filter = encode_filter(rule)
  if encoded.Expiration then
    encoded.Expiration.Date = seconds_of(encoded.Expiration.Date)
  end
  encoded.Transitions = rule.Transitions and mapped(rule.Transitions, function(transition)
    local item = path.build(TRANSITION, transition)
    item.Date = seconds_of(item.Date)
    return item
  end)
  encoded.NoncurrentVersionTransitions = rule.NoncurrentVersionTransitions
    and mapped(rule.NoncurrentVersionTransitions, function(transition)
      return path.build(NONCURRENT_TRANSITION, transition)
    end)
  return encoded
end

--- Parameters of PutBucketLifecycleConfiguration for CloudFormation's LifecycleConfiguration.
function lifecycle.encode(params, configuration)
  params.LifecycleConfiguration = { Rules = mapped(configuration.Rules, encode_rule) }
  params.TransitionDefaultMinimumObjectSize = configuration.TransitionDefaultMinimumObjectSize
end

--- The answer of GetBucketLifecycleConfiguration as CloudFormation's LifecycleConfiguration.
function lifecycle.decode(output)
  local rules = mapped(output.Rules or {}, function(rule)
    local decoded = path.extract(RULE, rule)
    decode_filter(decoded, rule.Filter or { Prefix = rule.Prefix })
    decoded.Transitions = rule.Transitions and mapped(rule.Transitions, function(transition)
      return path.extract(TRANSITION, transition)
    end)
    decoded.NoncurrentVersionTransitions = rule.NoncurrentVersionTransitions
      and mapped(rule.NoncurrentVersionTransitions, function(transition)
        return path.extract(NONCURRENT_TRANSITION, transition)
      end)
    return normal(decoded)
  end)
  return { Rules = rules, TransitionDefaultMinimumObjectSize = output.TransitionDefaultMinimumObjectSize }
end

--- Comparable: one way of writing each thing, rules in an order that follows from what they say (S3 makes up ids).
function lifecycle.canonical(configuration)
  local rules, keys = mapped(configuration.Rules or {}, normal), {}
  for _, rule in ipairs(rules) do
    local content = merged(rule)
    content.Id = nil
    keys[rule] = json.encode(content)
  end
  table.sort(rules, function(a, b)
    return keys[a] < keys[b]
  end)
  return { Rules = rules, TransitionDefaultMinimumObjectSize = configuration.TransitionDefaultMinimumObjectSize }
end

return lifecycle
