-- What the state's row says of a resource: made from its declaration and from what AWS told. Used by engine/steps,
-- engine/making and infra.deployment.
--
--   row = { address, token = this generation's nonce, type, status = creating | ready | deleting | replaced, region,
--           account, identity = values by which it is found (nil: nobody knows whether it exists), properties = as
--           declared, secrets as digests, attributes = as AWS reported, dependencies = addresses, options, source }

local crypto = require "host.crypto"
local reference = require "infra.engine.reference"
local sorted_keys = require "infra.sorted_keys"

local record = {}

-- Options that must be known when the resource is not declared any more.
local LASTING = { "protect", "retain", "recoverable", "timeouts" }

--- Of `values`, what is kept of a resource of this type beside its properties. Nothing that is secret in `desired`:
--- some properties are attributes as well.
function record.attributes(resource_type, values, desired)
  local attributes = {}
  for name in pairs(resource_type.schema.attributes) do
    if not reference.has_secret(desired[name]) then
      attributes[name] = values[name]
    end
  end
  for _, name in ipairs(resource_type.spec.identity) do
    attributes[name] = values[name]
  end
  return attributes
end

--- Brings the row up to what `change` declares.
function record.declare(context, change, row)
  local resource = change.resource
  row.properties = reference.seal(change.desired, context.digest_key)
  row.dependencies, row.source, row.options = sorted_keys(resource.dependencies), resource.source, {}
  for _, name in ipairs(LASTING) do
    row.options[name] = resource.options[name]
  end
  row.options.circumstances = change.circumstances
  return row
end

local function collect_digests(value, into)
  if reference.is_digest(value) then
    into[value["infra:digest"]] = true
  elseif type(value) == "table" then
    for _, item in pairs(value) do
      collect_digests(item, into)
    end
  end
end

--- The set of the digests that rows have in place of secrets.
function record.digests(rows)
  local digests = {}
  for _, row in ipairs(rows) do
    collect_digests(row.properties, digests)
  end
  return digests
end

--- The row of a new generation.
function record.new(context, change)
  local resource = change.resource
  return record.declare(context, change, {
    address = change.address, token = crypto.hex(context.runtime.random(16)), type = change.type, status = "creating",
    region = resource.region, account = resource.account or context.account, attributes = {},
  })
end

--- Notes what a person still has to do about the resource: said at the end of every run until it is done.
function record.warn(run, change, values)
  local say = change.resource.type.spec.warn
  table.insert(run.warnings, say and say(values, change.desired))
end

return record
