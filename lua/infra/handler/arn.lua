-- ARNs that no answer of AWS contains but that follow from what is known. Used by handler/observe, handler/tags and
-- handler specs.

local arn = {}

--- Fills in a template "arn:${Partition}:s3:::${BucketName}": partition, region and account are the operation's, the
--- rest comes from `values`. Returns nil while something is missing.
function arn.expand(op, template, values)
  local context = op.context
  local facts = { Partition = context.partition, Region = op.region, Account = context.account }
  local complete = true
  local text = template:gsub("%${(%w+)}", function(name)
    local value = facts[name] or values[name]
    complete = complete and value ~= nil
    return value and tostring(value) or ""
  end)
  return complete and text or nil
end

return arn
