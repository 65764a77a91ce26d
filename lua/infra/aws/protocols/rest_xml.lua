-- The rest-xml protocol: s3, route53, cloudfront ...

local faults = require "infra.aws.protocols.faults"
local rest = require "infra.aws.protocols.rest"
local scalars = require "infra.aws.protocols.scalars"
local xml_body = require "infra.aws.protocols.xml_body"

local format = {
  content_type = "application/xml",
  write = xml_body.write,
  parse = xml_body.parse,
}

-- S3's GetBucketLocation answers with its one member as the root element, without a structure around it.
function format.read(shape, node)
  local value, only = xml_body.read(shape, node), shape:member(node.name)
  if next(value) == nil and only and scalars.is(only) then
    value[node.name] = scalars.read(only, node.text)
  end
  return value
end

-- S3's copies and multipart completions answer 200 before they are done, and the body tells how it went.
function format.failed(node)
  return node.name == "Error"
end

format.fault = faults.element_format(function(shape, node, response)
  return rest.read(format, shape, response, function()
    return node
  end)
end)

return rest.new(format)
