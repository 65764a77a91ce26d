-- Keeps secrets out of what people read: the log of calls (infra.aws.log) and AWS's messages, which like to quote what
-- they refuse. Also used by infra.aws.client and infra.engine.reference. Shapes are those of
-- infra.aws.protocols.shapes.

local crypto = require "host.crypto"
local json = require "host.json"
local sigv4 = require "host.sigv4"
local walk = require "infra.aws.walk"

local redact = {}

local STARS <const> = "***"

-- Shorter ones would turn up in innocent text. AWS's keys and tokens are long; the simulated AWS's and an emulator's
-- are ordinary words.
local SHORTEST_SECRET <const> = 6
local SHORTEST_KEY <const> = 16

-- Members that are secret, although AWS's models do not say so everywhere: passwords, tokens and codes that let
-- somebody in, by the names that they have in any service.
local SECRET_MEMBERS <const> = {}
for name in ("AuthToken MasterUserPassword OneTimePassword HsmPartitionPassword SecretToken SessionToken " ..
  "TdeCredentialPassword TokenCode TokenValue authorizationToken certificatePrivateKey secret"):gmatch "%a+" do
  SECRET_MEMBERS[name] = true
end

-- What is secret by its author's word (infra.secret), whatever member it becomes and whoever quotes it; and what was so
-- in an earlier run, of which only digests are left.
local declared, recorded = {}, { digests = {} }

--- From now on redact.text takes `secret` out of every text.
function redact.declare(secret)
  if #secret >= SHORTEST_SECRET then
    declared[secret] = true
  end
end

--- From now on a text in a value is a secret, and declared, when its HMAC-SHA256 under `key` is, in hexadecimal, in the
--- set `digests`.
function redact.recognise(key, digests)
  recorded = { key = key, digests = digests }
end

local function was_secret(value)
  if type(value) == "string" and next(recorded.digests)
    and recorded.digests[crypto.hex(crypto.hmac_sha256(recorded.key, value))] then
    redact.declare(value)
    return true
  end
end

local function is_secret(shape, name, value)
  return shape.traits.sensitive or SECRET_MEMBERS[name] or was_secret(value)
end

--- A copy of `value`, a value of `shape`, in which *** stands for everything secret. show(shape, part), if given, may
--- replace any other part by returning something else than nil.
function redact.value(shape, value, show)
  return walk(shape, value, function(inner, part, name)
    if is_secret(inner, name, part) then
      return STARS
    end
    return show and show(inner, part)
  end)
end

local function collect_strings(value, into)
  if type(value) == "string" and #value >= SHORTEST_SECRET then
    into[#into + 1] = value
  elseif type(value) == "table" then
    for _, part in pairs(value) do
      collect_strings(part, into)
    end
  end
end

--- The secret texts in `value`, a value of `shape`: an array for redact.text.
function redact.secrets(shape, value)
  local secrets = {}
  walk(shape, value, function(inner, part, name)
    if is_secret(inner, name, part) then
      collect_strings(part, secrets)
      return STARS
    end
  end)
  return secrets
end

--- The secret texts in credentials (infra.aws.credentials; nil: none): an array for redact.text.
function redact.keys(credentials)
  local secrets = {}
  for _, secret in pairs(credentials and { credentials.secret_key, credentials.session_token } or {}) do
    if #secret >= SHORTEST_KEY then
      secrets[#secrets + 1] = secret
    end
  end
  return secrets
end

-- A secret as it is, and as it may stand inside something that was encoded.
local function forms(secret)
  local all = { secret, sigv4.encode_path_segment(secret), crypto.base64(secret), crypto.hex(secret) }
  if not secret:find("\0", 1, true) then -- JSON cannot have it
    local inside = json.encode(secret):sub(2, -2)
    all[#all + 1] = inside
    all[#all + 1] = json.encode(inside):sub(2, -2) -- JSON in JSON: a policy document in a parameter
  end
  return all
end

local function longer(a, b)
  return #a > #b
end

--- `text` with *** in place of every declared secret and of those in the arrays that follow; also of their encoded
--- forms.
function redact.text(text, ...)
  local patterns = {}
  local function add(secret)
    for _, form in ipairs(forms(secret)) do
      if text:find(form, 1, true) then
        patterns[#patterns + 1] = form
      end
    end
  end
  for secret in pairs(declared) do
    add(secret)
  end
  for _, secrets in ipairs { ... } do
    for _, secret in ipairs(secrets) do
      add(secret)
    end
  end
  table.sort(patterns, longer) -- one may be a part of another
  for _, form in ipairs(patterns) do
    text = text:gsub(form:gsub("%p", "%%%0"), STARS)
  end
  return text
end

-- What lets somebody in who has read it: by header, and by field of a presigned URL.
local SECRET_HEADERS <const> = {
  ["x-amz-security-token"] = true, ["authorization"] = true, ["cookie"] = true, ["set-cookie"] = true,
}
local SECRET_FIELDS <const> = { "Signature", "Security%-Token", "Credential" }

--- `text` without the signatures and tokens of the URLs in it.
function redact.urls(text)
  for _, field in ipairs(SECRET_FIELDS) do
    text = text:gsub("(X%-Amz%-" .. field .. "=)[^&%s\"]+", "%1" .. STARS)
  end
  return text
end

--- The value of a header as it may be shown: of a signature everything but itself.
function redact.header(name, value)
  if not SECRET_HEADERS[name:lower()] then
    return redact.urls(value)
  end
  local signed, count = value:gsub("^(AWS4.*Signature=).*$", "%1" .. STARS)
  return count > 0 and signed or STARS
end

return redact
