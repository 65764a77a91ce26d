-- The query protocol: iam, sts, rds, elasticache, sns ...

local form = require "infra.aws.protocols.form"
local form_protocol = require "infra.aws.protocols.form_protocol"

-- <DescribeDBClustersResponse><DescribeDBClustersResult> members... ; some old services leave out the wrapper.
return form_protocol.new(form.query, function(operation, root)
  local wrapper = operation.output.resultWrapper or operation.name .. "Result"
  for _, child in ipairs(root) do
    if child.name == wrapper then
      return child
    end
  end
  return root
end)
