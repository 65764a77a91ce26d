-- CloudFormation's dynamic references to secrets: text that stands for a value which only the request that needs it may
-- know. It is what the state, plans and the journal have of the secret.
--
--   "{{resolve:secretsmanager:" .. secret.Id .. ":SecretString:password}}"      a member of a secret that is JSON
--   "{{resolve:secretsmanager:" .. secret.Id .. "}}"                            all of it
--
-- Used by handler/operation, and by specs and engine/validate to tell such a text from a secret in clear.

local errors = require "infra.errors"
local json = require "host.json"
local redact = require "infra.aws.redact"
local reference = require "infra.engine.reference"

local dynamic = {}

local PREFIX <const> = "{{resolve:secretsmanager:"
local REFERENCE <const> = "{{resolve:secretsmanager:(.-)}}"

-- A secret that was created a moment ago may be unknown to the node that answers.
local GET = { "GetSecretValue", service = "secretsmanager", retry = { { "ResourceNotFoundException", 120 } } }

--- Whether `value` is a text with such a reference in it.
function dynamic.is(value)
  return type(value) == "string" and value:find(PREFIX, 1, true) ~= nil
end

-- "ID:SecretString:KEY:STAGE:VERSION" -> parameters of GetSecretValue, KEY. Everything after the id may be left out or
-- empty; the id may be an ARN, which has colons itself.
local function parse(text)
  local id, rest = text:match("^(.-):SecretString(.*)$")
  local fields = {}
  for field in (rest or ""):gmatch(":([^:]*)") do
    fields[#fields + 1] = field ~= "" and field or false
  end
  return { SecretId = id or text, VersionStage = fields[2] or nil, VersionId = fields[3] or nil }, fields[1] or nil
end

local function fetch(op, text)
  local params, key = parse(text)
  local output, err = op:get(GET, params)
  if not output then
    return nil, err
  end
  local value = output.SecretString
  if key then
    local members = json.decode(value or "")
    value = type(members) == "table" and members[key]
  end
  if type(value) ~= "string" then
    return errors.fail { code = "NoSecretValue", resource = op.address, source = op.source,
      message = ("%s has no %s"):format(params.SecretId, key and ("member '%s'"):format(key) or "text") }
  end
  redact.declare(value)
  return value
end

-- A text with all its references replaced.
local function resolve_text(op, text)
  local parts, position = {}, 1
  while true do
    local first, last, inside = text:find(REFERENCE, position)
    parts[#parts + 1] = text:sub(position, (first or 0) - 1)
    if not first then
      return table.concat(parts)
    end
    local secret, err = fetch(op, inside)
    if not secret then
      return nil, err
    end
    parts[#parts + 1] = secret
    position = last + 1
  end
end

--- A copy of `value` (parameters of a call that `op` makes) with the secrets themselves in place of the references.
--- Yields. Returns nil and an error when one cannot be read.
function dynamic.resolve(op, value)
  if dynamic.is(value) then
    return resolve_text(op, value)
  elseif type(value) ~= "table" then
    return value
  end
  local problem
  local copy = reference.map(value, function(item)
    local resolved, err = dynamic.resolve(op, item)
    problem = problem or err
    return resolved
  end)
  return not problem and copy or nil, problem
end

return dynamic
