-- The web application firewall in front of the distribution: its rules in the order of their evaluation. Used by
-- layers/edge.

local json = require "host.json"

local WINDOW <const> = 300 -- seconds over which a client's requests are counted

-- The most of a body that WAF looks at for CloudFront, by its names for it. What is longer counts as too long.
local INSPECTED = {
  { 16384, "KB_16" }, { 32768, "KB_32" }, { 49152, "KB_48" }, { 65536, "KB_64" },
}

local AS_IT_IS = { { Priority = 0, Type = "NONE" } }
local LOWER_CASE = { { Priority = 0, Type = "LOWERCASE" } }
local DECODED = { { Priority = 0, Type = "URL_DECODE" }, { Priority = 1, Type = "HTML_ENTITY_DECODE" } }

local USER_AGENT = { SingleHeader = { Name = "user-agent" } }

-- Or takes two statements at least.
local function any_of(statements)
  return #statements == 1 and statements[1] or { OrStatement = { Statements = statements } }
end

local function bytes(field, text, constraint, transformations)
  return {
    ByteMatchStatement = {
      FieldToMatch = field, SearchString = text, PositionalConstraint = constraint,
      TextTransformations = transformations,
    },
  }
end

local function longer(field, size)
  return {
    SizeConstraintStatement = {
      FieldToMatch = field, ComparisonOperator = "GT", Size = size, TextTransformations = AS_IT_IS,
    },
  }
end

-- One statement of the kind for everything that comes from the client and reaches the application.
local function in_input(kind)
  local statements = {}
  for i, field in ipairs {
    { AllQueryArguments = {} }, { Body = { OversizeHandling = "CONTINUE" } }, { UriPath = {} },
  } do
    statements[i] = { [kind] = { FieldToMatch = field, TextTransformations = DECODED } }
  end
  return any_of(statements)
end

local function bad_agents(agents)
  local statements = {}
  for i, agent in ipairs(agents) do
    statements[i] = bytes(USER_AGENT, agent:lower(), "CONTAINS", LOWER_CASE)
  end
  return any_of(statements)
end

local function too_long(options)
  return any_of {
    longer({ Body = { OversizeHandling = "MATCH" } }, options.max_body),
    longer({ UriPath = {} }, options.max_uri),
    longer({ QueryString = {} }, options.max_query),
  }
end

-- The addresses to block, in a set for each version of the protocol: IPv4's is always there, to be filled when needed.
local function block_sets(stack, addresses)
  local by_version = { IPV4 = json.array {}, IPV6 = json.array {} }
  for _, address in ipairs(addresses) do
    table.insert(by_version[address:find(":", 1, true) and "IPV6" or "IPV4"], address)
  end
  local references = {}
  for _, version in ipairs { "IPV4", "IPV6" } do
    if version == "IPV4" or #by_version[version] > 0 then
      local set = stack:resource("AWS::WAFv2::IPSet", "blocked-" .. version:lower(), {
        Scope = "CLOUDFRONT", IPAddressVersion = version, Addresses = by_version[version],
      })
      references[#references + 1] = { IPSetReferenceStatement = { Arn = set.Arn } }
    end
  end
  return any_of(references)
end

local function association(max_body)
  for _, limit in ipairs(INSPECTED) do
    if max_body <= limit[1] then
      return { RequestBody = { CLOUDFRONT = { DefaultSizeInspectionLimit = limit[2] } } }
    end
  end
  return error(("max_body: WAF looks at %d bytes of a body at most"):format(INSPECTED[#INSPECTED][1]), 0)
end

local function visibility(name)
  return { CloudWatchMetricsEnabled = true, SampledRequestsEnabled = true, MetricName = name }
end

--- Declares the web ACL with the options of layers/edge. Returns it.
return function(stack, options)
  local block, allow = { Block = {} }, { Allow = {} }
  local ordered = {
    { "allow-health", bytes({ UriPath = {} }, options.health_path, "EXACTLY", AS_IT_IS), allow },
    { "ip-reputation", {
      ManagedRuleGroupStatement = { VendorName = "AWS", Name = "AWSManagedRulesAmazonIpReputationList" },
    } },
    { "blocked-addresses", block_sets(stack, options.blocked_addresses), block },
    { "rate-limit", {
      RateBasedStatement = { Limit = options.rate_limit, EvaluationWindowSec = WINDOW, AggregateKeyType = "IP" },
    }, block },
    { "sql-injection", in_input "SqliMatchStatement", block },
    { "cross-site-scripting", in_input "XssMatchStatement", block },
    { "size-limits", too_long(options), block },
    { "bad-user-agents", bad_agents(options.bad_agents), block },
  }
  local rules = {}
  for i, rule in ipairs(ordered) do
    local name, statement, action = table.unpack(rule)
    rules[i] = {
      Name = name, Priority = i - 1, Statement = statement, Action = action,
      OverrideAction = not action and { None = {} } or nil, -- the group's rules say themselves what is done
      VisibilityConfig = visibility(stack.name .. "-" .. name),
    }
  end
  return stack:resource("AWS::WAFv2::WebACL", "web-acl", {
    Scope = "CLOUDFRONT", DefaultAction = allow, Rules = rules, VisibilityConfig = visibility(stack.name .. "-web-acl"),
    AssociationConfig = association(options.max_body),
  })
end
