-- The rules of security groups, each with an identifier of its own. Operations of infra.sim.ec2.

local arns = require "infra.sim.arns"
local kinds = require "infra.sim.ec2.kinds"
local permissions = require "infra.sim.ec2.permissions"

local rules = { operations = {} }
local operations = rules.operations

local SecurityGroup, Rule = kinds.SecurityGroup, kinds.SecurityGroupRule

local MOST_RULES = 60 -- per group and direction

--- The rules of a group in one direction.
function rules.of_group(ctx, group_id, egress)
  local found = {}
  for _, rule in Rule:each(ctx, "GroupId", group_id) do
    if rule.IsEgress == egress then
      found[#found + 1] = rule
    end
  end
  return found
end

--- Whether a rule of another group has this one as its source.
function rules.refers_to(ctx, group_id)
  for _, rule in Rule:each(ctx) do
    if rule.GroupId ~= group_id and rule.ReferencedGroupInfo and rule.ReferencedGroupInfo.GroupId == group_id then
      return true
    end
  end
  return false
end

--- Removes all rules of a group.
function rules.remove_all(ctx, group_id)
  for id in Rule:each(ctx, "GroupId", group_id) do
    Rule:remove(ctx, id)
  end
end

--- Adds a rule (infra.sim.ec2.permissions) to a group; returns it as it is kept.
function rules.add(ctx, group, egress, rule, params)
  rule.GroupId, rule.GroupOwnerId, rule.IsEgress = group.GroupId, ctx.account, egress
  Rule:create(ctx, rule, params)
  rule.SecurityGroupRuleArn = arns.of(ctx, "ec2", "security-group-rule/" .. rule.SecurityGroupRuleId)
  Rule:put(ctx, rule)
  return rule
end

local function group_of(ctx, params)
  if not params.GroupId then
    ctx:fail("MissingParameter", "The request must contain the parameter groupName or groupId")
  end
  return SecurityGroup:find(ctx, params.GroupId)
end

local function refuse_duplicate(ctx, rule)
  ctx:fail("InvalidPermission.Duplicate",
    ("the specified rule \"%s\" already exists"):format(permissions.describe(rule)))
end

local function authorize(egress)
  return function(ctx, params)
    local group = group_of(ctx, params)
    local existing, present = rules.of_group(ctx, group.GroupId, egress), {}
    for _, rule in ipairs(existing) do
      present[permissions.identity(rule)] = true
    end
    local added = permissions.rules(ctx, params, group)
    for _, rule in ipairs(added) do
      local identity = permissions.identity(rule)
      if present[identity] then
        refuse_duplicate(ctx, rule)
      end
      present[identity] = true
    end
    if #existing + #added > (ctx.quotas["security-group-rule"] or MOST_RULES) then
      ctx:fail("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
    end
    local shown = {}
    for i, rule in ipairs(added) do
      shown[i] = Rule:show(ctx, rules.add(ctx, group, egress, rule, params))
    end
    return { Return = true, SecurityGroupRules = shown }
  end
end

operations.AuthorizeSecurityGroupIngress = authorize(false)
operations.AuthorizeSecurityGroupEgress = authorize(true)

-- The identifiers of the rules that a Revoke call means.
local function revoked(ctx, params, group, egress)
  local ids = {}
  for i, id in ipairs(params.SecurityGroupRuleIds or {}) do
    local rule = Rule:find(ctx, id)
    if rule.GroupId ~= group.GroupId or rule.IsEgress ~= egress then
      ctx:fail(Rule.not_found[1], Rule.not_found[2]:format(id))
    end
    ids[i] = id
  end
  if #ids > 0 then
    return ids
  end
  local by_identity = {}
  for _, rule in ipairs(rules.of_group(ctx, group.GroupId, egress)) do
    by_identity[permissions.identity(rule)] = rule.SecurityGroupRuleId
  end
  for i, rule in ipairs(permissions.rules(ctx, params, group)) do
    ids[i] = by_identity[permissions.identity(rule)] or ctx:fail("InvalidPermission.NotFound",
      "The specified rule does not exist in this security group.")
  end
  return ids
end

local function revoke(egress)
  return function(ctx, params)
    local group = group_of(ctx, params)
    for _, id in ipairs(revoked(ctx, params, group, egress)) do
      Rule:remove(ctx, id)
    end
    return { Return = true }
  end
end

operations.RevokeSecurityGroupIngress = revoke(false)
operations.RevokeSecurityGroupEgress = revoke(true)

-- The complete new rule of one update; the kind of source stays.
local function updated(ctx, group, update)
  local rule = Rule:find(ctx, update.SecurityGroupRuleId)
  if rule.GroupId ~= group.GroupId then
    ctx:fail(Rule.not_found[1], Rule.not_found[2]:format(update.SecurityGroupRuleId))
  end
  local changed = permissions.modified(ctx, update.SecurityGroupRule or {}, group)
  if permissions.source(changed) ~= permissions.source(rule) then
    ctx:fail("InvalidParameterValue", ("The source type of the security group rule '%s' can not be changed.")
      :format(rule.SecurityGroupRuleId))
  end
  for _, other in ipairs(rules.of_group(ctx, group.GroupId, rule.IsEgress)) do
    if other ~= rule and permissions.identity(other) == permissions.identity(changed) then
      refuse_duplicate(ctx, changed)
    end
  end
  for _, member in ipairs { "SecurityGroupRuleId", "SecurityGroupRuleArn", "GroupId", "GroupOwnerId", "IsEgress" } do
    changed[member] = rule[member]
  end
  return changed
end

function operations.ModifySecurityGroupRules(ctx, params)
  local group = group_of(ctx, params)
  local changed = {}
  for i, update in ipairs(params.SecurityGroupRules) do
    changed[i] = updated(ctx, group, update)
  end
  for _, rule in ipairs(changed) do
    Rule:put(ctx, rule)
  end
  return { Return = true }
end

operations.DescribeSecurityGroupRules = Rule:describe()

return rules
