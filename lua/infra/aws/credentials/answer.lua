-- Credentials as those write them who hand them out: STS and IAM Identity Center, container and instance endpoints,
-- credential processes. Used by their providers. What such an answer holds is secret: no error quotes it.

local clock = require "host.clock"
local errors = require "infra.errors"
local json = require "host.json"

local MOST <const> = 500 -- bytes of what somebody else's program says that are worth showing
local LAST_MOMENT <const> = 253402300799 -- 9999-12-31T23:59:59Z

local answer = {}

local function fail(who, what)
  return errors.fail { code = "BadCredentials", message = ("%s %s"):format(who, what) }
end

--- Unix seconds that somebody sent, within what a date can say.
function answer.moment(seconds)
  return math.max(0, math.min(seconds, LAST_MOMENT))
end

--- The same as ISO 8601, in whole seconds and UTC.
function answer.time(seconds)
  return clock.format_utc(answer.moment(seconds), "%Y-%m-%dT%H:%M:%SZ")
end

--- `text` from outside on one line of moderate length, fit for an error message.
function answer.quote(text)
  return (text:gsub("[%s%c]+", " "):match "^ ?(.-) ?$":sub(1, MOST))
end

--- The keys in `given` as values of infra.aws.credentials, by `names`, { access_key = "AccessKeyId", ... }; or nil and
--- an error that names `who` and what is missing.
function answer.keys(given, names, who)
  local values = {}
  for _, field in ipairs { "access_key", "secret_key", "session_token" } do
    local name = names[field]
    local value = name and given[name]
    if name and (type(value) ~= "string" or value == "") then
      return fail(who, "answered without " .. name)
    end
    values[field] = value
  end
  return values
end

--- The values in a JSON document { AccessKeyId, SecretAccessKey, <token_name>, Expiration = ISO 8601 | nil, AccountId =
--- text | nil }, or nil and an error; a document that says by Code and Message what went wrong is quoted with them. A
--- process's document may do without a token, and has a Version, 1.
function answer.document(text, token_name, who, is_process)
  local given = json.decode(text)
  if type(given) ~= "table" or json.is_array(given) then
    return fail(who, "answered something that is no JSON object")
  elseif type(given.Message) == "string" and given.Code ~= "Success" then
    return fail(who, "answered " .. answer.quote(("%s: %s"):format(given.Code, given.Message)))
  elseif is_process and given.Version ~= 1 then
    return fail(who, "answered in a Version other than 1")
  end
  local names = { access_key = "AccessKeyId", secret_key = "SecretAccessKey", session_token = token_name }
  if is_process and (given[token_name] or json.null) == json.null then
    names.session_token = nil
  end
  local values, err = answer.keys(given, names, who)
  if not values then
    return nil, err
  end
  local expiration = given.Expiration
  if expiration and expiration ~= json.null then
    values.expires_at = type(expiration) == "string" and clock.parse_utc(expiration) or nil
    if not values.expires_at then
      return fail(who, "answered with an Expiration that is no ISO 8601 time")
    end
  end
  values.account_id = type(given.AccountId) == "string" and given.AccountId or nil
  return values
end

return answer
