-- The ec2 protocol, which only ec2 speaks.

local form = require "infra.aws.protocols.form"
local form_protocol = require "infra.aws.protocols.form_protocol"

-- <DescribeVpcsResponse> members...
return form_protocol.new(form.ec2, function(_, root)
  return root
end)
