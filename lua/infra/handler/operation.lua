-- One action on one resource while it runs: the calls a handler makes go through here, so that every mutating request
-- is journalled before it leaves, retried when AWS says "not yet", and reported. Created by engine/step_operation (and,
-- without a journal, by engine/refresh for reads); used by handler/* and by the functions in handler specs.

local errors = require "infra.errors"
local json = require "host.json"
local crypto = require "host.crypto"
local batch = require "infra.handler.batch"
local dynamic = require "infra.handler.dynamic"
local form = require "infra.handler.form"
local lock = require "infra.handler.lock"
local path = require "infra.handler.path"
local read = require "infra.handler.read"
local redact = require "infra.aws.redact"
local reference = require "infra.engine.reference"

local Operation = {}
Operation.__index = Operation

-- Seconds between attempts of a call that AWS refuses for now: the first pause, and the longest.
local FIRST_PAUSE <const>, LONGEST_PAUSE <const> = 0.5, 10

-- Shorter secrets are no secrets, and would turn up in innocent text.
local SHORTEST_SECRET <const> = 4

--- fields:
---   context            { client, scheduler, reader, journal, runtime, account, partition, stopping, sleeping,
---                      digest_key }
---   address, source    of the resource, for messages
---   spec, schema       of its type
---   region, token      where it is; the generation's nonce
---   action             create | update | delete | read
---   adopt              take over what is in the way
---   recoverable        false when a deletion need not be undone
---   wait               false when nobody waits until it is ready
---   unknown_for        seconds for which AWS may not know it everywhere, when it is new
---   expected_seconds   that the action usually takes
---   timeout            seconds after which waiting is given up, instead of the spec's
---   desired            the properties that it shall have, where something is made or changed
---   secrets            texts that no message may show
---   report             function(text, lasting) shows progress; lasting: what a person must not miss
function Operation.new(fields)
  return setmetatable(fields, Operation)
end

--- Sleeps, unless the run is being stopped: then returns nil and an error. A stop cancels the tasks in
--- context.sleeping, which throws out of here.
function Operation:sleep(seconds)
  local context = self.context
  if context.stopping then
    return errors.fail { code = "Stopped", message = "stopped by the user", resource = self.address }
  end
  local task = context.scheduler:current()
  local _ <close> = setmetatable({}, { __close = function() -- also when it is cancelled
    context.sleeping[task] = nil
  end })
  context.sleeping[task] = true
  context.scheduler:sleep(seconds)
  return true
end

-- AWS likes to quote what it refuses.
local function conceal(self, err)
  for _, secret in ipairs(self.secrets or {}) do
    if #secret >= SHORTEST_SECRET then
      err.message = redact.text(err.message, { secret })
    end
  end
end

-- Seconds for which the error may pass by itself, or nil; and the entry of the spec that says so.
local function patience(self, spec, err)
  local gone = read.is_gone(self, spec, err)
  local entry = not (gone and self.action == "delete") -- what a deletion does not find will not come back
    and (read.entry(spec.retry, err) or read.entry(self.spec.retry, err))
  local limit = entry and entry[2] or gone and self.unknown_for
  return limit and math.min(limit, self.timeout or math.huge), entry
end

-- The error of a call that did not do all it was asked for: some list what they failed at in an answer that looks good.
local function failure_in(spec, operation, output)
  local failures = spec.failures
  local first = failures and (path.get(output, failures[1]) or {})[1]
  return first and errors.new {
    code = path.get(first, failures.code), message = path.get(first, failures.message), operation = operation,
  }
end

-- The call itself, repeated while AWS answers with an error that the spec says passes. Each attempt waits a little
-- longer: these are consistency delays, throttling is the client's business.
local function call(self, spec, operation, params, options)
  local context = self.context
  local started, pause = context.runtime.now(), FIRST_PAUSE
  while true do
    local output, err = context.client:call(spec.service or self.spec.service, operation, params, options)
    err = output and failure_in(spec, operation, output) or err
    if not err then
      return output
    end
    conceal(self, err)
    local limit, entry = patience(self, spec, err)
    local holder = entry and entry.holder and entry.holder(self, params)
    if not limit or context.runtime.now() - started > limit then
      local advice = read.entry(self.spec.hints, err)
      err.resource, err.hint = err.resource or self.address, err.hint or advice and advice.hint
        or holder and "it is still used by " .. holder
      return nil, err
    end
    self.report(holder and "waiting for " .. holder or ("%s; trying again"):format(err.message))
    local ok, stopped = self:sleep(pause)
    if not ok then
      return nil, stopped
    end
    pause = math.min(pause * 2, LONGEST_PAUSE)
  end
end

--- A read: any number of times, never journalled. `spec` = { "DescribeVpcAttribute", service = optional }.
function Operation:get(spec, params)
  return call(self, spec, spec[1], params, { region = self.region })
end

-- The place of a call among those that change the same thing (spec.exclusive), to be released; nil where they need not
-- come one by one.
local function take_turn(self, service, params)
  local key = params[self.spec.exclusive]
  if key == nil then
    return nil
  end
  local context = self.context
  context.turns = context.turns or {}
  local name = table.concat({ service, self.region, tostring(key) }, "\0")
  context.turns[name] = context.turns[name] or context.scheduler:semaphore(1)
  return context.turns[name]:acquire()
end

-- Whether repeating the call could make a second one of what it makes. All others set something to a value, or remove
-- it: they may be repeated when their answer is lost.
local function makes(self, spec)
  local create = self.spec.create
  local found = self.action == "create" and not create.idempotent and spec[1] == create[1]
  for _, call_instead in ipairs(self.action == "create" and create.instead or {}) do
    found = found or spec[1] == call_instead[1]
  end
  return found
end

-- Text in place of bytes that JSON cannot hold.
local function printable(value)
  if type(value) == "string" and value:find("\0", 1, true) then
    return "bytes " .. crypto.hex(crypto.sha256(value))
  elseif type(value) == "table" then
    return reference.map(value, printable)
  end
  return value
end

-- What tells the request from others in the journal; without the key it tells nothing about secrets in it.
local function digest_of(self, params)
  return crypto.hex(crypto.hmac_sha256(self.context.digest_key, json.encode(printable(params))))
end

--- A mutating call. Its intent is on disk before the request leaves; its outcome is recorded with the next turn's
--- transaction. What only the request may know (spec.reveal, dynamic references) is put in at last, and the intent's
--- digest is one of the parameters without it. Returns the output, or nil and an error.
function Operation:mutate(spec, params, scope)
  local context, service = self.context, spec.service or self.spec.service
  local _ <close> = take_turn(self, service, params)
  if context.stopping then
    return errors.fail { code = "Stopped", message = "stopped by the user", resource = self.address }
  end
  local digest = digest_of(self, params)
  local revealed, problem = dynamic.resolve(self, params)
  if revealed and spec.reveal then
    revealed, problem = spec.reveal(revealed, scope, self)
  end
  if not revealed then
    return nil, problem
  end
  local intent, refused = context.journal:open {
    address = self.address, action = self.action, service = service, operation = spec[1], region = self.region,
    token = self.token, digest = digest,
  }
  if not intent then
    return nil, refused
  end
  local function transmit(all)
    return call(self, spec, spec[1], all, { region = self.region, token = spec.token and self.token,
      retry_unsafe = not makes(self, spec) })
  end
  local output, err
  if spec.batch then
    output, err = batch.send(self, spec, revealed, transmit)
  else
    output, err = transmit(revealed)
  end
  context.journal:close(intent, self.token, err)
  return output, err
end

--- The parameters of a call { "ModifyVpcAttribute", send = {fields}, with = {constants}, encode = function }, taken
--- from `scope` (CloudFormation names -> values, secrets in clear); `live` is for encode.
function Operation:parameters(spec, scope, live)
  local params = path.build(spec.send or {}, scope, form.encoder(self))
  for member, value in pairs(spec.with or {}) do
    path.set(params, member, value)
  end
  if spec.encode then
    spec.encode(params, scope, self, live)
  end
  return params
end

--- A mutating call with such parameters.
function Operation:send(spec, scope, live)
  if lock.concerns(self, spec) then
    return lock.send(self, spec, scope, live)
  end
  return self:mutate(spec, self:parameters(spec, scope, live), scope)
end

return Operation
