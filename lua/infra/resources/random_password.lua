-- Values that Secrets Manager makes up: asked for when the request that stores them leaves, kept in that request only.
-- Used by the types that hold generated secrets.

local json = require "host.json"
local redact = require "infra.aws.redact"

local random_password = {}

local GET = { "GetRandomPassword", service = "secretsmanager" }

-- The members of CloudFormation's GenerateSecretString that GetRandomPassword takes, by the same names.
local FIELDS = {
  "ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase", "IncludeSpace",
  "PasswordLength", "RequireEachIncludedType",
}

--- A new value as `wanted` (a GenerateSecretString) says: the password, or, with a SecretStringTemplate, that JSON with
--- the password as GenerateStringKey. Yields. Returns nil and an error when AWS gives none.
function random_password.generate(op, wanted)
  local params = {}
  for _, name in ipairs(FIELDS) do
    params[name] = wanted[name]
  end
  local output, err = op:get(GET, params)
  if not output then
    return nil, err
  end
  redact.declare(output.RandomPassword)
  if not wanted.SecretStringTemplate then
    return output.RandomPassword
  end
  local members = json.decode(wanted.SecretStringTemplate)
  members[wanted.GenerateStringKey] = output.RandomPassword
  return json.encode(members)
end

--- Reports what is wrong with `wanted`, the property `name` of a stack.
function random_password.check(name, wanted, report)
  local template, key = wanted.SecretStringTemplate, wanted.GenerateStringKey
  if (template == nil) ~= (key == nil) then
    report(name, "needs SecretStringTemplate and GenerateStringKey together, or neither")
  elseif template and type(json.decode(template)) ~= "table" then
    report(name, "SecretStringTemplate must be a JSON object")
  end
end

return random_password
