-- What a handler of the simulated AWS gets to work with. Made by infra.sim for each call.
--
-- A service is the module infra.sim.<service> ("-" becomes "_"), a table of operation name -> function(ctx, params) ->
-- output. The model has decoded `params` and checked that what it requires is there, and encodes the output. A handler
-- runs without waiting; states that take time are functions of ctx.now(). A module whose objects have tags says in its
-- member `tagged` how to find them (infra.sim.tag_index). A handler gets:
--   ctx.region, ctx.account, ctx.partition ("aws")
--   ctx.service, ctx.operation, ctx.request_id
--   ctx.caller           { account, arn, user_id, access_key }
--   ctx.request          { method, path, headers = { [lower-case name] = value }, body } as it came
--   ctx.now()            AWS's clock, unix seconds
--   ctx.id(prefix)       a fresh identifier in EC2's form: "vpc-0f3..."
--   ctx.uuid()           a fresh UUID
--   ctx.unique(length, alphabet)   a fresh string; lower-case hex when no alphabet is given
--   ctx.store            view (infra.sim.store) of this service in this account and region
--   ctx.global           view of this service in this account, for what has no region
--   ctx.sessions         view of all temporary credentials (infra.sim.auth)
--   ctx.quotas           { [name] = most } that the account has instead of the usual
--   ctx.short_page       true when a paged answer is to hold a single item
--   ctx.partial_batch    true when an operation on several items is to leave the last one undone
--   ctx:of(service, region)   view of another service or region (default: this one) in this account
--   ctx:in_region(region)     the context of the same call, as if it had come there
--   ctx:fresh(kind, key [, view])   true when this call may not know yet of an object of ctx.store (or of `view`) that
--                        was created a moment ago: eventual consistency, see infra.sim.faults
--   ctx:fail(code, message [, status [, extra [, headers]]])   throws AWS's error answer; see Failure.raise
-- Handlers check everything first and change the store after: a call that fails leaves no trace.

local crypto = require "host.crypto"
local endpoints = require "infra.aws.endpoints"

local Failure = require "infra.sim.failure"

local Context = {}
Context.__index = Context

local HEX = "0123456789abcdef"

-- Unique in the store, and the same for the same seed and history.
local function unique(sim, length, alphabet)
  alphabet = alphabet or HEX
  local bytes = crypto.sha256(("%d/%d"):format(sim.seed, sim.store:next()))
  while #bytes < length do
    bytes = bytes .. crypto.sha256(bytes)
  end
  return (bytes:sub(1, length):gsub(".", function(byte)
    local index = byte:byte() % #alphabet + 1
    return alphabet:sub(index, index)
  end))
end

--- A fresh UUID.
function Context.uuid(sim)
  return (unique(sim, 32):gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-"))
end

--- The context of `call` (infra.sim), which `caller` (infra.sim.auth) sent as `request` (infra.sim.endpoints).
function Context.new(sim, call, request, caller)
  local store, region = sim.store, request.region
  return setmetatable({
    sim = sim,
    request = request,
    region = region,
    account = caller.account,
    partition = endpoints.partition(region).id,
    service = call.service,
    operation = call.operation,
    request_id = call.request_id,
    caller = caller,
    quotas = sim.quotas,
    short_page = call.fault == "short_page",
    partial_batch = call.fault == "partial_batch",
    store = store:view(call.service, caller.account, region),
    global = store:view(call.service, caller.account),
    sessions = store:view("sts"),
    now = function() return sim:now() end,
    id = function(prefix) return prefix .. "-0" .. unique(sim, 16) end,
    uuid = function() return Context.uuid(sim) end,
    unique = function(length, alphabet) return unique(sim, length, alphabet) end,
  }, Context)
end

function Context:of(service, region)
  return self.sim.store:view(service, self.account, region or self.region)
end

function Context:in_region(region)
  return setmetatable({ region = region, store = self:of(self.service, region) }, { __index = self })
end

function Context:fresh(kind, key, view)
  local age = (view or self.store):age(kind, key)
  return age ~= nil and self.sim.faults:unaware(age)
end

function Context:fail(...)
  Failure.raise(...)
end

return Context
