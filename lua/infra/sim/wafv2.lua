-- The simulated WAFv2: web ACLs, IP sets and regular-expression sets. Behaviour is that of its API reference. What
-- CloudFront uses has the scope CLOUDFRONT and lives in us-east-1.
--
-- Kept in the region's store, one kind for each resource (KINDS), by "SCOPE/ID": { Id, Name, ARN, LockToken, scope,
-- value = what the API calls the resource, tags }.

local json = require "host.json"
local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"
local merged = require "infra.merged"
local paging = require "infra.sim.paging"
local tagging = require "infra.sim.tagging"

local wafv2 = {}

-- What the operations call it -> members of a request that are kept, the part of the ARN, members of the answers.
local KINDS = {
  WebACL = {
    arn = "webacl", list = "WebACLs",
    members = { "DefaultAction", "Description", "Rules", "VisibilityConfig", "CustomResponseBodies", "CaptchaConfig",
      "ChallengeConfig", "TokenDomains", "AssociationConfig" },
  },
  IPSet = { arn = "ipset", list = "IPSets", members = { "Description", "IPAddressVersion", "Addresses" },
    fixed = { "IPAddressVersion" } },
  RegexPatternSet = { arn = "regexpatternset", list = "RegexPatternSets",
    members = { "Description", "RegularExpressionList" } },
}

-- AWS's managed rule groups, of which WAF's developer guide has the list.
local MANAGED = {
  AWSManagedRulesAmazonIpReputationList = 25, AWSManagedRulesAnonymousIpList = 50, AWSManagedRulesCommonRuleSet = 700,
  AWSManagedRulesKnownBadInputsRuleSet = 200, AWSManagedRulesSQLiRuleSet = 200, AWSManagedRulesLinuxRuleSet = 200,
  AWSManagedRulesAdminProtectionRuleSet = 100, AWSManagedRulesBotControlRuleSet = 50,
}

local PAGE <const> = 100

local fail = Failure.thrower()

local function invalid(ctx, field, parameter)
  fail(ctx, "WAFInvalidParameterException", "Error reason: The value is not valid., field: %s, parameter: %s", field,
    parameter)
end

local function check_scope(ctx, scope)
  if scope == "CLOUDFRONT" and ctx.region ~= "us-east-1" then
    invalid(ctx, "SCOPE_VALUE", "CLOUDFRONT")
  end
end

local function find(ctx, kind, params)
  check_scope(ctx, params.Scope)
  local found = ctx.store:get(kind, (params.Scope or "") .. "/" .. (params.Id or ""))
  if not found or params.Name and found.Name ~= params.Name or ctx:fresh(kind, params.Scope .. "/" .. params.Id) then
    fail(ctx, "WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't " ..
      "exist.")
  end
  return found
end

local function check_lock(ctx, found, params)
  if params.LockToken ~= found.LockToken then
    fail(ctx, "WAFOptimisticLockException", "AWS WAF couldn't save your changes because someone changed the " ..
      "resource after you started to edit it.")
  end
end

-- -- what is checked --------------------------------------------------------------------------------------------------

-- Calls visit(name, statement) for a statement and everything inside.
local function each_statement(statement, visit)
  for name, inner in pairs(statement) do
    visit(name, inner)
    for _, nested in ipairs(inner.Statements or { inner.Statement or inner.ScopeDownStatement }) do
      each_statement(nested, visit)
    end
  end
end

local function has_reference(ctx, kind, arn)
  for _, object in ctx.store:each(kind) do
    if object.ARN == arn then
      return true
    end
  end
  return false
end

local function check_statement(ctx, name, statement)
  if name == "ManagedRuleGroupStatement" and not MANAGED[statement.Name] then
    fail(ctx, "WAFNonexistentItemException", "There is no managed rule group %s.", statement.Name)
  elseif name == "IPSetReferenceStatement" and not has_reference(ctx, "IPSet", statement.ARN) then
    fail(ctx, "WAFNonexistentItemException", "AWS WAF couldn't find the IP set %s.", statement.ARN)
  elseif (name == "AndStatement" or name == "OrStatement") and #statement.Statements < 2 then
    invalid(ctx, "STATEMENT", name)
  elseif name == "RateBasedStatement" and statement.Limit < 10 then
    invalid(ctx, "RATE_LIMIT", tostring(statement.Limit))
  end
end

local function check_rules(ctx, rules)
  local priorities, names = {}, {}
  for _, rule in ipairs(rules or {}) do
    local is_group = rule.Statement.ManagedRuleGroupStatement or rule.Statement.RuleGroupReferenceStatement
    if priorities[rule.Priority] or names[rule.Name] then
      invalid(ctx, "RULE", "priorities and names must be unique")
    elseif is_group and (rule.Action or not rule.OverrideAction) or not is_group and (rule.OverrideAction or
      not rule.Action) then
      invalid(ctx, "RULE_ACTION", rule.Name)
    end
    priorities[rule.Priority], names[rule.Name] = true, true
    each_statement(rule.Statement, function(name, statement)
      check_statement(ctx, name, statement)
    end)
  end
end

local function check_addresses(ctx, addresses)
  for _, address in ipairs(addresses or {}) do
    if not address:find "/%d+$" or address:find "/0$" then
      invalid(ctx, "IP_ADDRESS", address)
    end
  end
end

-- What the service adds by itself.
local function complete(value)
  for _, rule in ipairs(value.Rules or {}) do
    each_statement(rule.Statement, function(name, statement)
      if name == "RateBasedStatement" then
        statement.EvaluationWindowSec = statement.EvaluationWindowSec or 300
      elseif name == "SqliMatchStatement" then
        statement.SensitivityLevel = statement.SensitivityLevel or "LOW"
      end
      local header = statement.FieldToMatch and statement.FieldToMatch.SingleHeader
      if header then
        header.Name = header.Name:lower()
      end
    end)
  end
  return value
end

-- -- the operations, the same for every kind --------------------------------------------------------------------------

local function value_of(ctx, kind, params, before)
  check_rules(ctx, params.Rules)
  check_addresses(ctx, params.Addresses)
  local value = {}
  for _, member in ipairs(KINDS[kind].members) do
    value[member] = params[member]
  end
  for _, member in ipairs(before and KINDS[kind].fixed or {}) do
    value[member] = before[member]
  end
  return complete(value)
end

local function summary(found)
  return { Name = found.Name, Id = found.Id, Description = found.value.Description, LockToken = found.LockToken,
    ARN = found.ARN }
end

local function is_used(ctx, kind, found)
  if kind == "WebACL" then
    for _, distribution in ctx.sim.store:view("cloudfront", ctx.account):each("distribution") do
      if distribution.config.WebACLId == found.ARN then
        return true
      end
    end
    return false
  end
  for _, acl in ctx.store:each("WebACL") do
    if json.encode(acl.value.Rules or {}):find(found.ARN, 1, true) then
      return true
    end
  end
  return false
end

local function create(ctx, kind, params)
  check_scope(ctx, params.Scope)
  for _, other in ctx.store:each(kind) do
    if other.scope == params.Scope and other.Name == params.Name then
      fail(ctx, "WAFDuplicateItemException", "AWS WAF couldn't perform the operation because some resource in your " ..
        "request is a duplicate of an existing one.")
    end
  end
  local id = ctx.uuid()
  local found = {
    Id = id, Name = params.Name, scope = params.Scope, LockToken = ctx.uuid(), tags = tagging.merge({}, params.Tags),
    ARN = arns.of(ctx, "wafv2", ("%s/%s/%s/%s"):format(params.Scope == "CLOUDFRONT" and "global" or "regional",
      KINDS[kind].arn, params.Name, id)),
    value = value_of(ctx, kind, params),
  }
  ctx.store:put(kind, params.Scope .. "/" .. id, found)
  return { Summary = summary(found) }
end

local function get(ctx, kind, params)
  local found = find(ctx, kind, params)
  local shown = merged({ Name = found.Name, Id = found.Id, ARN = found.ARN }, found.value)
  if kind == "WebACL" then
    shown.Capacity, shown.ManagedByFirewallManager = 0, false
    for _, rule in ipairs(found.value.Rules or {}) do
      local group = rule.Statement.ManagedRuleGroupStatement
      shown.Capacity = shown.Capacity + (group and MANAGED[group.Name] or 2)
    end
    shown.LabelNamespace = ("awswaf:%s:webacl:%s:"):format(ctx.account, found.Name)
  end
  return { [kind] = shown, LockToken = found.LockToken }
end

local function update(ctx, kind, params)
  local found = find(ctx, kind, params)
  check_lock(ctx, found, params)
  found.value = value_of(ctx, kind, params, found.value)
  found.LockToken = ctx.uuid()
  ctx.store:put(kind, found.scope .. "/" .. found.Id, found)
  return { NextLockToken = found.LockToken }
end

local function delete(ctx, kind, params)
  local found = find(ctx, kind, params)
  check_lock(ctx, found, params)
  if is_used(ctx, kind, found) then
    fail(ctx, "WAFAssociatedItemException", "AWS WAF couldn't perform the operation because your resource is being " ..
      "used by another resource or it's associated with another resource.")
  end
  ctx.store:delete(kind, found.scope .. "/" .. found.Id)
  return {}
end

local function list(ctx, kind, params)
  check_scope(ctx, params.Scope)
  local items = {}
  for _, found in ctx.store:each(kind) do
    if found.scope == params.Scope then
      items[#items + 1] = summary(found)
    end
  end
  local page, next_marker = paging.page(ctx, items, function(item) return item.Id end, params.NextMarker,
    params.Limit or PAGE)
  if not page then
    invalid(ctx, "NEXT_MARKER", params.NextMarker)
  end
  return { [KINDS[kind].list] = page, NextMarker = next_marker }
end

wafv2.tagged = {}
for kind, what in pairs(KINDS) do
  wafv2.tagged[kind] = tagging.with_arn "ARN"
  for name, operation in pairs { ["Create" .. kind] = create, ["Get" .. kind] = get, ["Update" .. kind] = update,
    ["Delete" .. kind] = delete, ["List" .. what.list] = list } do
    wafv2[name] = function(ctx, params)
      return operation(ctx, kind, params)
    end
  end
end

-- -- tags -------------------------------------------------------------------------------------------------------------

tagging.add_operations(wafv2, {
  find = function(ctx, params)
    for kind in pairs(KINDS) do
      for key, found in ctx.store:each(kind) do
        if found.ARN == params.ResourceARN then
          return found, function() ctx.store:put(kind, key, found) end
        end
      end
    end
    fail(ctx, "WAFNonexistentItemException", "AWS WAF couldn't find %s.", params.ResourceARN)
  end,
  answer = function(map, found)
    return { TagInfoForResource = { ResourceARN = found.ARN, TagList = tagging.list(map) } }
  end,
})

return wafv2
