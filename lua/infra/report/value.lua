-- Values as people read them: what must not be shown, or is not known yet, as a text about it. Used by the other
-- reports, and by the verbs output and state.

local json = require "host.json"
local reference = require "infra.engine.reference"

local value = {}

local SECRET <const> = "(secret)"

--- The digest that stands for a secret in the state (engine/reference), or nil.
function value.digest(item)
  return type(item) == "table" and not reference.is_deferred(item) and item["infra:digest"] or nil
end

--- A value that may be shown, as JSON can hold it: what is secret or not known yet becomes a text about it.
function value.visible(item)
  if reference.is_secret(item) or value.digest(item) then
    return SECRET
  elseif reference.is_unknown(item) then
    return tostring(item)
  elseif type(item) ~= "table" then
    return item
  end
  return reference.map(item, value.visible)
end

--- A value on one line.
function value.text(item)
  if item == nil or item == json.null then
    return "(not set)"
  end
  local shown = value.visible(item)
  return shown ~= item and type(shown) == "string" and shown or json.encode(shown)
end

return value
