-- Tags as the simulated services keep them, { key = value }, and as the APIs write them: lists of { Key, Value }, of
-- { key, value }, or maps.

local merged = require "infra.merged"

local tagging = {}

-- AWS's rules for tags: lengths, and how many a resource can have.
local LONGEST_KEY <const>, LONGEST_VALUE <const>, MOST <const> = 128, 256, 50

-- Key and value of what pairs() finds in a list of tags or a map.
local function read(name, tag, key, value)
  if type(tag) == "table" then
    return tag[key or "Key"] or "", tag[value or "Value"] or ""
  end
  return name, tag
end

--- `existing` (may be nil) with the tags of `given` (a list, a map or nil) put over it: a new table. `key` and `value`
--- are the member names in a list.
function tagging.merge(existing, given, key, value)
  local map = merged(existing)
  for name, tag in pairs(given or {}) do
    local tag_key, text = read(name, tag, key, value)
    map[tag_key] = text
  end
  return map
end

-- Which rule a tag breaks, and what follows its message.
local function broken(key, text, rules, seen)
  if key == "" or #key > LONGEST_KEY then
    return "length"
  elseif #text > LONGEST_VALUE then
    return rules.value_length and "value_length" or "length"
  elseif seen[key] then
    return "duplicate"
  end
  for _, prefix in ipairs(rules.prefixes or { "aws:" }) do
    if key:lower():sub(1, #prefix) == prefix then
      return "reserved"
    end
  end
end

--- The same as `merge`, checked by AWS's rules. `rules` is how the service answers when one is broken: {
---   fail      function(ctx, code, message, ...) that throws
---   length, value_length, duplicate, reserved, number   { code, message }, formatted with the key, or with how many
---             there can be; a rule without answer does not count, and value_length is by default the same as length
---   prefixes  the reserved ones, if not "aws:" alone
---   key, value  the member names in a list, if not Key and Value
--- }
function tagging.checked(ctx, existing, given, rules)
  local seen, count = {}, 0
  for name, tag in pairs(given or {}) do
    local key, text = read(name, tag, rules.key, rules.value)
    local answer = rules[broken(key, text, rules, seen)]
    if answer then
      rules.fail(ctx, answer[1], answer[2], key)
    end
    seen[key] = true
  end
  local map = tagging.merge(existing, given, rules.key, rules.value)
  for _ in pairs(map) do
    count = count + 1
  end
  if count > MOST then
    rules.fail(ctx, rules.number[1], rules.number[2], MOST)
  end
  return map
end

--- function(ctx, existing, given) -> map, which is `checked` by these rules.
function tagging.merger(rules)
  return function(ctx, existing, given)
    return tagging.checked(ctx, existing, given, rules)
  end
end

--- `existing` without `keys`: a new table.
function tagging.without(existing, keys)
  local map = tagging.merge(existing)
  for _, name in ipairs(keys) do
    map[name] = nil
  end
  return map
end

--- As a list, in order of key.
function tagging.list(map, key, value)
  local list = {}
  for name, text in pairs(map or {}) do
    list[#list + 1] = { [key or "Key"] = name, [value or "Value"] = text }
  end
  table.sort(list, function(a, b)
    return a[key or "Key"] < b[key or "Key"]
  end)
  return list
end

--- Adds the operations that tag, untag and list to `operations`. `api`: {
---   find    function(ctx, params) -> the object that a request names, function() that keeps it changed
---   tags    the member of the object with its tags, if not "tags"
---   rules   as for `checked`; nil when nothing is checked
---   given   the input member with tags, if not "Tags"; `key` and `value`: the members in it
---   keys    the input member with keys, if not "TagKeys"
---   names   array of the three operations, if not TagResource, UntagResource and ListTagsForResource
---   answer  function(map, object) -> what the last one answers, if not a list in "Tags"
--- }
function tagging.add_operations(operations, api)
  local names = api.names or { "TagResource", "UntagResource", "ListTagsForResource" }
  local member = api.tags or "tags"
  operations[names[1]] = function(ctx, params)
    local object, keep = api.find(ctx, params)
    local existing, given = object[member], params[api.given or "Tags"]
    object[member] = api.rules and tagging.checked(ctx, existing, given, api.rules)
      or tagging.merge(existing, given, api.key, api.value)
    keep()
  end
  operations[names[2]] = function(ctx, params)
    local object, keep = api.find(ctx, params)
    object[member] = tagging.without(object[member], params[api.keys or "TagKeys"])
    keep()
  end
  operations[names[3]] = function(ctx, params)
    local object = api.find(ctx, params)
    return api.answer and api.answer(object[member], object) or { Tags = tagging.list(object[member]) }
  end
end

--- For a service's `tagged` (infra.sim.tag_index): objects with their ARN in the member `arn`, and with `tags` and
--- `gone_at`. One without an ARN is no resource.
function tagging.with_arn(arn)
  return function(_, object)
    return object[arn] and { arn = object[arn], tags = object.tags, gone_at = object.gone_at }
  end
end

return tagging
