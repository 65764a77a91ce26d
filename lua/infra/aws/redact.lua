-- Keeps secrets out of what people read: traces of requests and AWS's messages, which like to quote what they refuse.
-- Used by infra.aws.client and by whoever shows parameters. Shapes are those of infra.aws.protocols.shapes.

local walk = require "infra.aws.walk"

local redact = {}

local STARS <const> = "***"

-- Shorter ones would turn up in innocent text. AWS's keys and tokens are long; the simulated AWS's and an emulator's
-- are ordinary words.
local SHORTEST_SECRET <const> = 6
local SHORTEST_KEY <const> = 16

--- A copy of `value`, a value of `shape`, in which *** stands for everything that the model marks as sensitive.
function redact.value(shape, value)
  return walk(shape, value, function(inner)
    return inner.traits.sensitive and STARS or nil
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
  walk(shape, value, function(inner, part)
    if inner.traits.sensitive then
      collect_strings(part, secrets)
      return STARS
    end
  end)
  return secrets
end

--- The secret texts in credentials (infra.aws.credentials): an array for redact.text.
function redact.keys(credentials)
  local secrets = {}
  for _, secret in pairs { credentials.secret_key, credentials.session_token } do
    if #secret >= SHORTEST_KEY then
      secrets[#secrets + 1] = secret
    end
  end
  return secrets
end

--- `text` with *** in place of every one of `secrets`.
function redact.text(text, secrets)
  for _, secret in ipairs(secrets) do
    text = text:gsub(secret:gsub("%p", "%%%0"), STARS)
  end
  return text
end

return redact
