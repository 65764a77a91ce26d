-- What the query and ec2 protocols have in common: a form that is posted, an XML document that comes back.

local faults = require "infra.aws.protocols.faults"
local form = require "infra.aws.protocols.form"
local protocol = require "infra.aws.protocols.protocol"
local uri = require "infra.aws.protocols.uri"
local xml_body = require "infra.aws.protocols.xml_body"

local form_protocol = {}

--- The protocol with these rules (form.lua) whose output is in `result(operation, root)` of the document's root.
function form_protocol.new(rules, result)
  return protocol.new {
    write = function(service, operation, input, params)
      local parameters = { { "Action", operation.name }, { "Version", service.metadata.apiVersion } }
      local given = form.write(rules, input, params)
      table.move(given, 1, #given, #parameters + 1, parameters)
      return {
        method = "POST",
        path = "/",
        query = {},
        headers = { { "Content-Type", "application/x-www-form-urlencoded" } },
        body = uri.encode_form(parameters),
      }
    end,
    read = function(_, operation, output, response)
      local body = response.body or ""
      return body ~= "" and xml_body.read(output, result(operation, protocol.parsed(xml_body.parse(body)))) or {}
    end,
    fault = faults.element_format(xml_body.read),
  }
end

return form_protocol
