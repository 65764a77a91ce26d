-- One action on one resource while it runs: the calls a handler makes go through here, so that every mutating request
-- is journalled before it leaves, retried when AWS says "not yet", and reported. Created by engine/apply (and, without
-- a journal, by engine/refresh for reads); used by handler/* and by the functions in handler specs.

local errors = require "infra.errors"
local json = require "host.json"
local crypto = require "host.crypto"
local path = require "infra.handler.path"

local Operation = {}
Operation.__index = Operation

--- fields: context = { client, scheduler, reader, journal, runtime, account, partition, stopping, sleeping },
--- address, source, region, spec and schema (of the type), action, token (the generation's nonce), adopt (take over what
--- is in the way), expected_seconds and timeout (of waits), report = function(text) shows progress.
function Operation.new(fields)
  return setmetatable(fields, Operation)
end

-- Whether `err` matches an entry { code, seconds, message = "Lua pattern" } and is within its seconds.
local function retry_entry(entries, err)
  for _, entry in ipairs(entries or {}) do
    if entry[1] == err.code and (not entry.message or (err.message or ""):find(entry.message)) then
      return entry
    end
  end
end

--- Sleeps, unless the run is being stopped: then returns nil and an error. A stop cancels the tasks in
--- context.sleeping, which throws out of here.
function Operation:sleep(seconds)
  local context = self.context
  if context.stopping then
    return errors.fail { code = "Stopped", message = "stopped by the user", resource = self.address }
  end
  local task = context.scheduler:current()
  context.sleeping[task] = true
  context.scheduler:sleep(seconds)
  context.sleeping[task] = nil
  return true
end

-- The call itself, repeated while AWS answers with an error that the spec says passes. Each attempt waits a little
-- longer, up to 10 s: these are consistency delays, throttling is the client's business.
local function call(self, spec, operation, params, options)
  local context = self.context
  local started, pause = context.runtime.now(), 0.5
  while true do
    local output, err = context.client:call(spec.service or self.spec.service, operation, params, options)
    if output then
      return output
    end
    local entry = retry_entry(spec.retry, err) or retry_entry(self.spec.retry, err)
    if not entry or context.runtime.now() - started > entry[2] then
      err.resource = err.resource or self.address
      return nil, err
    end
    self.report(("%s; trying again"):format(err.message))
    local ok, stopped = self:sleep(pause)
    if not ok then
      return nil, stopped
    end
    pause = math.min(pause * 2, 10)
  end
end

--- A read: any number of times, never journalled. `spec` = { "DescribeVpcAttribute", service = optional }.
function Operation:get(spec, params)
  return call(self, spec, spec[1], params, { region = self.region })
end

--- A mutating call. Its intent is on disk before the request leaves; its outcome is recorded with the next turn's
--- transaction. Returns the output, or nil and an error.
function Operation:mutate(spec, params)
  local context = self.context
  if context.stopping then
    return errors.fail { code = "Stopped", message = "stopped by the user", resource = self.address }
  end
  local service = spec.service or self.spec.service
  local intent, refused = context.journal:open {
    address = self.address, action = self.action, service = service, operation = spec[1], region = self.region,
    token = self.token, digest = crypto.hex(crypto.sha256(json.encode(params))),
  }
  if not intent then
    return nil, refused
  end
  local output, err = call(self, spec, spec[1], params, { region = self.region, token = spec.token and self.token })
  context.journal:close(intent, err)
  return output, err
end

--- A mutating call from a spec { "ModifyVpcAttribute", send = {fields}, with = {constants}, encode = function },
--- with parameters taken from `scope` (CloudFormation names -> values, secrets in clear).
function Operation:send(spec, scope)
  local params = path.build(spec.send or {}, scope)
  for member, value in pairs(spec.with or {}) do
    path.set(params, member, value)
  end
  if spec.encode then
    spec.encode(params, scope, self)
  end
  return self:mutate(spec, params)
end

return Operation
