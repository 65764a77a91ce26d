-- A plain AWS client for the specs of the simulated AWS: one signed request per call, no retries.

local endpoints = require "infra.aws.endpoints"
local luassert = require "luassert"
local merged = require "infra.merged"
local models = require "infra.models"
local protocols = require "infra.aws.protocols"
local runtime = require "infra.runtime"
local signer = require "infra.aws.signer"
local sigv4 = require "host.sigv4"

local Sim = require "infra.sim"

local caller = {}

caller.CREDENTIALS = { access_key = "SIMULATED", secret_key = "simulated" }

--- Runs `body(call, sim, world)` as the main task of a simulated world. `options` are Sim.new's without the runtime,
--- and `time`, when the world begins.
--- call(service, operation, params [, how]) returns the output, or nil and AWS's error; `how` may have region,
--- credentials, timeout, clock (seconds by which the caller's clock is wrong) and change(request), called last.
function caller.run(options, body)
  local world = runtime.simulated { time = options.time }
  local sim = Sim.new(merged({ runtime = world }, options))

  local function call(service_id, operation_name, params, how)
    how = how or {}
    local service = assert(models.service(service_id))
    local operation = assert(service:operation(operation_name))
    local protocol = assert(protocols.of(service.metadata))
    local encoded = assert(protocol.encode(service, operation, params or {}))
    local endpoint = assert(endpoints.resolve(service, how.region or "us-east-1"))
    local host, path = endpoints.address(endpoint, encoded, params or {})
    local query = sigv4.encode_query(encoded.query)
    local headers = operation.authtype == "none" and encoded.headers or assert(signer.sign({
      method = encoded.method, path = path, query = encoded.query, headers = encoded.headers, body = encoded.body,
    }, host, {
      endpoint = endpoint,
      credentials = how.credentials or caller.CREDENTIALS,
      timestamp = world.time() + (how.clock or 0),
    }))
    local request = {
      method = encoded.method,
      url = endpoint.scheme .. "://" .. host .. path .. (query == "" and "" or "?" .. query),
      headers = headers,
      body = encoded.body,
      timeout = how.timeout,
    }
    if how.change then
      how.change(request)
    end
    local response, err = sim:send(request)
    if not response then
      return nil, err
    elseif response.status >= 300 then
      return nil, protocol.decode_error(service, operation, response), response
    end
    return protocol.decode(service, operation, response)
  end

  return world.scheduler:run(body, call, sim, world)
end

--- The same for the specs of one service: body(send, sleep, call, world) with send(operation, params) and
--- sleep(seconds).
function caller.service(service, options, body)
  caller.run(options, function(call, _, world)
    body(function(operation, params)
      return call(service, operation, params)
    end, function(seconds)
      world.scheduler:sleep(seconds)
    end, call, world)
  end)
end

--- Expects that a call was refused. Returns the code and the message.
function caller.code(output, err)
  luassert.is_nil(output)
  return err.code, err.message
end

return caller
