-- Values that are known only later.
--
--   reference  vpc.VpcId: text that stands for an attribute of another resource, "${infra:network/vpc|VpcId}". Being
--              text, it can be joined, formatted and put into JSON like any other; a text that is one reference and
--              nothing else stands for the value itself, whatever its type.
--   Secret     infra.secret(text): sent to AWS and shown nowhere
--   Unknown    what resolving gives for something that does not exist yet
--
-- Used by engine/resource (makes references), engine/graph (dependencies), engine/plan and apply (resolve them), and
-- wherever values of properties are looked at: handler/*, report/*, repl/*, the functions in handler specs.

local crypto = require "host.crypto"
local errors = require "infra.errors"
local json = require "host.json"
local redact = require "infra.aws.redact"

local reference = {}

local Secret, Unknown = {}, {}

local TOKEN <const> = "%${infra:([^|}]*)|([^}]*)}"

--- The reference to `attribute` of the resource at `address`; the address "" means the account.
function reference.new(address, attribute)
  return ("${infra:%s|%s}"):format(address, attribute)
end

--- True for a text with a reference in it.
function reference.is_reference(value)
  return type(value) == "string" and value:find("${infra:", 1, true) ~= nil
end

--- True when `value` is not what it will be: a text with references, a secret, an unknown.
function reference.is_deferred(value)
  local metatable = getmetatable(value)
  return metatable == Secret or metatable == Unknown or reference.is_reference(value)
end

--- A copy of the table `value` with fn(item) for every item. Lists stay lists, also empty ones.
function reference.map(value, fn)
  local copy = {}
  for key, item in pairs(value) do
    copy[key] = fn(item)
  end
  return json.is_array(value) and json.array(copy) or copy
end

-- True for tables that are data, not one of the special values.
local function is_plain_table(value)
  local metatable = getmetatable(value)
  return type(value) == "table" and metatable ~= Secret and metatable ~= Unknown
end

--- A secret. `text` goes to AWS in the request that needs it; state, plans, logs and errors have "(secret)" or a
--- digest.
function reference.secret(text)
  if type(text) ~= "string" then
    error("a secret is a string, got a " .. type(text), 2)
  end
  redact.declare(text)
  local reveal = function()
    return text
  end
  return setmetatable({ reveal = reveal }, Secret)
end

function Secret.__tostring()
  return "(secret)"
end

function reference.is_secret(value)
  return getmetatable(value) == Secret
end

--- The value of an attribute that the resource at `address` will have after it has been created or replaced.
function reference.unknown(address, attribute)
  return setmetatable({ address = address, attribute = attribute }, Unknown)
end

function reference.is_unknown(value)
  return getmetatable(value) == Unknown
end

function Unknown.__tostring(self)
  return "(known after " .. self.address .. ")"
end

--- Calls visit(address, attribute) for every reference inside `value`, however deep, also in names of members and in
--- secrets.
function reference.each(value, visit)
  if reference.is_secret(value) then
    reference.each(value.reveal(), visit)
  elseif reference.is_reference(value) then
    for address, attribute in value:gmatch(TOKEN) do
      visit(address, attribute)
    end
  elseif is_plain_table(value) then
    for key, item in pairs(value) do
      reference.each(key, visit)
      reference.each(item, visit)
    end
  end
end

local function resolve_text(text, lookup)
  local address, attribute = text:match("^" .. TOKEN .. "$")
  if address then
    return lookup(address, attribute)
  end
  local unknown, secret
  local resolved = text:gsub(TOKEN, function(one_address, one_attribute)
    local value = lookup(one_address, one_attribute)
    if reference.is_unknown(value) then
      unknown = unknown or value
      return nil
    elseif reference.is_secret(value) then
      secret = true
      return value.reveal()
    elseif type(value) == "table" then
      errors.raise { code = "BadReference", message = ("%s of %s is a list or an object and cannot be part of a text")
        :format(one_attribute, one_address) }
    end
    return tostring(value)
  end)
  return unknown or secret and reference.secret(resolved) or resolved
end

--- A copy of `value` with references replaced by what lookup(address, attribute) returns (a value, a Secret or an
--- Unknown; a text around an Unknown is that Unknown, one around a Secret is a Secret). Throws the error "BadReference"
--- where a text contains what is no text.
function reference.resolve(value, lookup)
  if reference.is_reference(value) then
    return resolve_text(value, lookup)
  elseif reference.is_secret(value) then
    local text = resolve_text(value.reveal(), lookup)
    return type(text) == "string" and reference.secret(text) or text
  elseif not is_plain_table(value) then
    return value
  end
  local copy = {}
  for key, item in pairs(value) do
    local name = reference.is_reference(key) and resolve_text(key, lookup) or key
    if reference.is_unknown(name) then
      return name
    end
    copy[name] = reference.resolve(item, lookup)
  end
  return json.is_array(value) and json.array(copy) or copy
end

--- The first Unknown inside a resolved value, or nil.
function reference.find_unknown(value)
  if reference.is_unknown(value) then
    return value
  elseif is_plain_table(value) then
    for _, item in pairs(value) do
      local found = reference.find_unknown(item)
      if found then
        return found
      end
    end
  end
end

local function map_secrets(value, replace)
  if reference.is_secret(value) then
    return replace(value)
  elseif not is_plain_table(value) then
    return value
  end
  return reference.map(value, function(item)
    return map_secrets(item, replace)
  end)
end

--- A copy with every secret in clear: only for the parameters of a request.
function reference.reveal(value)
  return map_secrets(value, function(secret)
    return secret.reveal()
  end)
end

--- A copy in which every secret is { ["infra:digest"] = hex }, an HMAC under `key`: what the state keeps to see a
--- change.
function reference.seal(value, key)
  return map_secrets(value, function(secret)
    return { ["infra:digest"] = crypto.hex(crypto.hmac_sha256(key, secret.reveal())) }
  end)
end

--- True for what `seal` makes of a secret.
function reference.is_digest(value)
  return type(value) == "table" and value["infra:digest"] ~= nil
end

--- The texts of all secrets inside `value`, as an array.
function reference.secrets(value)
  local texts = {}
  map_secrets(value, function(secret)
    texts[#texts + 1] = secret.reveal()
  end)
  return texts
end

--- True when a secret is anywhere inside `value`.
function reference.has_secret(value)
  return #reference.secrets(value) > 0
end

return reference
