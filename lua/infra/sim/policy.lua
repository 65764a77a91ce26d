-- Policy documents by IAM's policy grammar (IAM User Guide, "Grammar of the IAM JSON policy language"): reading and
-- checking one, its principals, and its evaluation. Used by the simulated services that keep policies (iam, s3, sns)
-- and by sts, which evaluates trust policies.

local json = require "host.json"

local policy = {}

-- What a policy must look like is a form, a table that the keeper of the policy owns:
--   invalid   AWS's answer to something that is not a policy at all
--   versions  the accepted values of Version, if not both that exist, and `version`, the answer to others
--   needs     array of { element, answer }: what each statement must have; the answer has a usual form
--   forbids   { element = answer }: what no statement may have
--   service   the only service whose actions may be named, and `foreign`, the answer to others

local VERSIONS = { ["2012-10-17"] = true, ["2008-10-17"] = true }
local ELEMENTS = { Sid = true, Effect = true, Condition = true }
for _, name in ipairs { "Principal", "Action", "Resource" } do
  ELEMENTS[name], ELEMENTS["Not" .. name] = true, true
end
local PRINCIPAL_KINDS = { AWS = true, Service = true, Federated = true, CanonicalUser = true }

--- A value that the grammar lets be one or a list of them, as an array.
function policy.list(value)
  if type(value) == "table" and json.is_array(value) then
    return value
  end
  return { value }
end

local list = policy.list

local function all_strings(value)
  for _, item in ipairs(list(value)) do
    if type(item) ~= "string" then
      return false
    end
  end
  return true
end

-- Whether `value` is as the grammar has it: { operator = { key = values } }.
local function is_condition(value)
  if type(value) ~= "table" then
    return false
  end
  for _, keys in pairs(value) do
    if type(keys) ~= "table" then
      return false
    end
  end
  return true
end

-- AWS's message about the first thing wrong with `statement`, or nil.
local function statement_problem(statement, form)
  if type(statement) ~= "table" or json.is_array(statement) or not is_condition(statement.Condition or {})
    or type(statement.Sid or "") ~= "string" then
    return form.invalid
  end
  for name in pairs(statement) do
    if not ELEMENTS[name] then
      return ("Unknown field %s"):format(name)
    end
    local plain = name:gsub("^Not", "")
    local answer = form.forbids and form.forbids[plain]
    if answer then
      return answer
    end
  end
  for _, needed in ipairs(form.needs) do
    local name, answer = table.unpack(needed)
    if statement[name] == nil and statement["Not" .. name] == nil then
      return answer or ("Missing required field %s"):format(name)
    end
  end
  if statement.Effect ~= "Allow" and statement.Effect ~= "Deny" then
    return ("Invalid effect: %s"):format(tostring(statement.Effect))
  end
  for _, name in ipairs { "Action", "NotAction", "Resource", "NotResource" } do
    if not all_strings(statement[name]) then
      return form.invalid
    end
  end
  for _, action in ipairs(list(statement.Action or statement.NotAction)) do
    if action ~= "*" and not action:find("^[%w-]+:.") then
      return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    end
    if form.service and action ~= "*" and action:match("^[^:]+"):lower() ~= form.service then
      return form.foreign
    end
  end
  for _, resource in ipairs(list(statement.Resource or statement.NotResource)) do
    if resource ~= "*" and not resource:find("^arn:") then
      return ('Resource %s must be in ARN format or "*".'):format(resource)
    end
  end
end

--- The document that `text` holds, its Statement always an array; nil when it is none.
function policy.decode(text)
  local document = text:find("^%s*{") and json.decode(text)
  if document and type(document.Statement) == "table" then
    document.Statement = list(document.Statement)
    return document
  end
end

--- Reads `text` as a policy of `form`. Returns the document (see policy.decode), or nil and AWS's message.
function policy.parse(text, form)
  local document = policy.decode(text)
  if not document then
    return nil, form.invalid
  end
  if not (form.versions or VERSIONS)[document.Version or "2008-10-17"] then
    return nil, form.version or form.invalid
  end
  local sids = {}
  for _, statement in ipairs(document.Statement) do
    local problem = statement_problem(statement, form)
    if problem then
      return nil, problem
    end
    local sid = statement.Sid
    if sid and sids[sid] then
      return nil, "Statement IDs (SID) in a single policy must be unique."
    end
    sids[sid or ""] = sid
  end
  return document
end

--- The principals that the document names: an array of { kind = "AWS", value = "arn:...", statement = }. `Principal`
--- "*" has the kind "STAR", a kind that AWS does not know is passed on as it is.
function policy.principals(document)
  local found = {}
  for _, statement in ipairs(document.Statement) do
    local principal = statement.Principal or statement.NotPrincipal
    if type(principal) == "table" then
      for kind, values in pairs(principal) do
        for _, value in ipairs(list(values)) do
          found[#found + 1] = { kind = kind, value = value, statement = statement }
        end
      end
    elseif principal ~= nil then
      found[#found + 1] = { kind = "STAR", value = principal, statement = statement }
    end
  end
  return found
end

--- AWS's message about the first principal that cannot be, or nil. `known(value)` says whether a principal of kind AWS
--- (an ARN or a unique id) exists.
function policy.principal_problem(document, known)
  for _, principal in ipairs(policy.principals(document)) do
    local kind, value = principal.kind, principal.value
    local valid = type(value) == "string"
    if kind == "AWS" then
      valid = valid and (value == "*" or value:find("^%d%d%d%d%d%d%d%d%d%d%d%d$") ~= nil or known(value))
    elseif kind == "Service" then
      valid = valid and value:find("^[%w.-]+%.amazonaws%.com[.cn]*$") ~= nil
    elseif kind == "Federated" then
      if not (valid and (value:find("^[%w-]+%.[%w.-]+$") or value:find("^arn:[%w-]+:iam::%d+:[%w-]+%-provider/."))) then
        return "Federated principals must be valid domain names or SAML metadata ARNs"
      end
    elseif kind == "STAR" then
      valid = value == "*"
    else
      valid = PRINCIPAL_KINDS[kind]
    end
    if not valid then
      return ('Invalid principal in policy: "%s":"%s"'):format(kind, tostring(value))
    end
  end
end

--- Whether `value` matches `glob`, in which * and ? are wildcards.
function policy.like(value, glob)
  local pattern = glob:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return value:find("^" .. pattern .. "$") ~= nil
end

local function equal(value, expected)
  return value == expected
end

local function equal_ignoring_case(value, expected)
  return value:lower() == expected:lower()
end

-- IAM's string-valued condition operators; the negated ones hold when the plain one does not.
local OPERATORS = {
  StringEquals = equal,
  StringEqualsIgnoreCase = equal_ignoring_case,
  StringLike = policy.like,
  ArnEquals = policy.like,
  ArnLike = policy.like,
  Bool = equal_ignoring_case,
}
local NEGATED = {
  StringNotEquals = "StringEquals",
  StringNotEqualsIgnoreCase = "StringEqualsIgnoreCase",
  StringNotLike = "StringLike",
  ArnNotEquals = "ArnEquals",
  ArnNotLike = "ArnLike",
}

local function any(values, expected, matches)
  for _, value in ipairs(values) do
    for _, wanted in ipairs(expected) do
      if matches(value, tostring(wanted)) then
        return true
      end
    end
  end
  return false
end

-- `context`: lower-case key -> a string or an array of strings. An operator that is not known never holds.
local function condition_holds(name, key, expected, context)
  local operator, if_exists = name:gsub("^For%a+Values:", ""):gsub("IfExists$", "")
  local actual = context[key:lower()]
  if operator == "Null" then
    return tostring(list(expected)[1]) == tostring(actual == nil)
  end
  local positive = NEGATED[operator] or operator
  local negated = positive ~= operator
  if actual == nil then
    return negated or if_exists > 0
  end
  local matches = OPERATORS[positive]
  return matches ~= nil and any(list(actual), list(expected), matches) ~= negated
end

local function applies(statement, request)
  if not any({ request.action }, list(statement.Action), function(action, glob)
    return policy.like(action:lower(), glob:lower())
  end) then
    return false
  end
  for name, conditions in pairs(statement.Condition or {}) do
    for key, expected in pairs(conditions) do
      if not condition_holds(name, key, expected, request.context) then
        return false
      end
    end
  end
  return true
end

--- Whether a resource-based policy allows `request` = { action = "sts:AssumeRole", context = { lower-case key = string
--- or array }, principal = function(kind, value) -> whether the caller is that principal }. An explicit Deny wins.
function policy.allows(document, request)
  local allowed = false
  for _, principal in ipairs(policy.principals(document)) do
    local statement = principal.statement
    local named = principal.value == "*" or request.principal(principal.kind, principal.value)
    if named and applies(statement, request) then
      if statement.Effect == "Deny" then
        return false
      end
      allowed = true
    end
  end
  return allowed
end

return policy
