-- What it costs to look things up in AWS's vocabularies, first and later, beside decoding a JSON text of the same size.

local clock = require "host.clock"
local json = require "host.json"

local function timed(fn)
  local started = clock.monotonic()
  local result = fn()
  return (clock.monotonic() - started) * 1000, result
end

return function(say)
  local opening, models = timed(function() return require "infra.models" end)
  local first, service = timed(function() return assert(models.service "ec2") end)
  local operation, create_vpc = timed(function() return assert(service:operation "CreateVpc") end)
  local again = timed(function() return assert(service:operation "CreateVpc") end)
  local type_cost = timed(function() return assert(models.type "AWS::EC2::VPC").properties.CidrBlock end)
  local decoding = timed(function() return json.decode(json.encode(create_vpc.input)) end)
  say("loading the reader", "%7.3f ms", opening)
  say("opening the vocabularies and the service ec2", "%7.3f ms", first)
  say("ec2 CreateVpc, first and again", "%7.3f ms, %.4f ms", operation, again)
  say("AWS::EC2::VPC", "%7.3f ms", type_cost)
  say("decoding CreateVpc's input from JSON, to compare", "%7.3f ms", decoding)
end
