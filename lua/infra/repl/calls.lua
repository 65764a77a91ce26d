-- `aws` in the REPL: every operation of every service.
--
--   aws.ec2.DescribeVpcs { VpcIds = { "vpc-1" } }        -> output; throws AWS's error
--   aws.ec2.DescribeVpcs({}, { region = "eu-west-1" })      further options, as for infra.aws.client's call
--   aws.ec2.all.DescribeVpcs {}                          -> all pages as one output
--   for page in aws.ec2.pages.DescribeVpcs {} do ... end
--
-- Values are what `infra aws` has as JSON: times are ISO 8601, bytes base64. What the model calls sensitive comes as a
-- secret, that is shown nowhere: secret.reveal() is its text. Parameters may hold secrets and references of the stack.
-- "-" in the name of a service is written "_".

local describe_calls = require "infra.models.describe_calls"
local errors = require "infra.errors"
local joined = require "infra.joined"
local json_form = require "infra.aws.json_form"
local models = require "infra.models"
local outline = require "infra.models.outline"
local reference = require "infra.engine.reference"
local request = require "infra.aws.request"
local shapes = require "infra.aws.protocols.shapes"
local sorted_keys = require "infra.sorted_keys"
local suggest = require "infra.suggest"
local tty = require "host.tty"
local walk = require "infra.aws.walk"

local calls = {}

local NOTHING = { type = "structure", members = {} }

local function sealed(value)
  if type(value) == "string" then
    return reference.secret(value)
  end
  return type(value) == "table" and reference.map(value, sealed) or value
end

-- An operation's output as the REPL has it.
local function presentable(operation, output)
  local shape = operation.output
  return walk(shape, json_form.to_json(shape, output), function(inner, part)
    return inner.traits.sensitive and sealed(part) or nil
  end)
end

-- -- an operation ---------------------------------------------------------------------------------------------------

local Operation = { __name = "operation" }
local fields = setmetatable({}, { __mode = "k" }) -- what an operation is made of; the table itself is empty

-- How a call is made: by which method of the client, its result made presentable.
local function once(method)
  return function(client, operation, ...)
    local output, err = client[method](client, ...)
    return output and presentable(operation, output) or errors.raise(err)
  end
end

local WAYS = {
  call = once "call",
  all = once "all",
  pages = function(client, operation, ...)
    local following = client:pages(...)
    return function()
      local page, err = following()
      if page == nil then
        return nil
      end
      return page and presentable(operation, page) or errors.raise(err)
    end
  end,
}

function Operation:__call(params, options)
  local operation = fields[self]
  local access, service, model = operation.access, operation.service, operation.model
  if params ~= nil and type(params) ~= "table" then
    error(("%s takes a table of parameters, got a %s"):format(model.name, type(params)), 2)
  elseif not (request.is_read(model) or access.may_write()) then
    errors.raise { code = "ReadOnly", message = ("%s %s can change something"):format(service.id, model.name),
      hint = "type :write to allow that, :read to go back" }
  end
  local given, err = json_form.from_json(operation.input, reference.reveal(access.resolve(params or {})))
  if not given then
    errors.raise(err)
  end
  return WAYS[operation.way](access.client, operation, service.id, model.name, given, options)
end

function Operation:__tostring()
  local operation = fields[self]
  local text = outline.text(describe_calls.operation(operation.service, operation.model), {
    width = (tty.size()), depth = 1,
  })
  return (text:gsub("\n$", ""))
end

-- Its parameters; for completion.
function Operation:__names()
  return fields[self].input:member_names()
end

local function find_operation(access, service, way, name)
  local model = service:operation(name)
  if not model then
    errors.raise { code = "UnknownOperation", message = ("%s has no operation %s%s"):format(service.id, name,
      suggest(tostring(name), service:operations())) }
  end
  local operation = setmetatable({}, Operation)
  fields[operation] = {
    access = access, service = service, model = model, way = way,
    input = shapes.of(service, model.input or NOTHING), output = shapes.of(service, model.output or NOTHING),
  }
  return operation
end

-- -- services -------------------------------------------------------------------------------------------------------

-- A table that finds its fields by find(name); names() lists them, for completion, and `text` says what it is.
local function lazy(text, names, find)
  return setmetatable({}, {
    __index = function(_, name)
      return find(name)
    end,
    __names = names,
    __tostring = function()
      return text
    end,
  })
end

local function operations_of(access, service, way, more)
  local text = ("%s: %s, %d operations"):format(service.id, service.metadata.serviceFullName, #service:operations())
  return lazy(text, function()
    return joined(service:operations(), sorted_keys(more))
  end, function(name)
    return more[name] or find_operation(access, service, way, name)
  end)
end

local function service_names()
  local names = {}
  for i, service in ipairs(assert(models.services())) do
    names[i] = service.id:gsub("-", "_")
  end
  return names
end

local function find_service(access, name)
  local service, err = models.service((tostring(name):gsub("_", "-")))
  if not service then
    err.message = err.message .. suggest(tostring(name), service_names())
    errors.raise(err)
  end
  return operations_of(access, service, "call", {
    all = operations_of(access, service, "all", {}),
    pages = operations_of(access, service, "pages", {}),
  })
end

--- `aws` itself. access = { client, may_write() -> boolean, resolve(params) -> params without references }.
function calls.new(access)
  return lazy("every operation of every AWS service: aws.ec2.DescribeVpcs { VpcIds = { \"vpc-1\" } }", service_names,
    function(name)
      return find_service(access, name)
    end)
end

return calls
