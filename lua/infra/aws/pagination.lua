-- Results that AWS hands out page by page, after the model's paginators, and where it has none (API Gateway v2) after
-- the members that most services have for it. The methods `pages` and `all` of infra.aws.client.

local errors = require "infra.errors"
local json = require "host.json"
local merged = require "infra.merged"
local shapes = require "infra.aws.protocols.shapes"

local pagination = {}

local function as_list(value)
  return type(value) == "table" and value or { value }
end

-- Follows a path of members, "DistributionList.NextMarker" or "Jobs[-1].JobId".
local function follow(value, path)
  for step in path:gmatch "[^.]+" do
    local name, last = step:match "^([^%[]+)(.*)$"
    if type(value) ~= "table" then
      return nil
    end
    value = value[name]
    if last == "[-1]" then
      value = value and value[#value]
    end
  end
  return value
end

--- The value of a paginator's expression: a path, or several of which the first with a value counts
--- ("NextMarker || Contents[-1].Key").
function pagination.evaluate(output, expression)
  for path in expression:gmatch "[^%s|]+" do
    local value = follow(output, path)
    if value ~= nil and value ~= "" then
      return value
    end
  end
end

-- The members to send for the page after `output`, or nil when that was the last one.
local function next_tokens(paginator, output)
  if paginator.more_results and not pagination.evaluate(output, paginator.more_results) then
    return nil
  end
  local inputs, tokens = as_list(paginator.input_token), {}
  for i, expression in ipairs(as_list(paginator.output_token)) do
    tokens[inputs[i]] = pagination.evaluate(output, expression)
  end
  return next(tokens) and tokens
end

local function equal(a, b)
  for name, value in pairs(a) do
    if b[name] ~= value then
      return false
    end
  end
  return true
end

local NEXT_TOKEN <const> = { input_token = "NextToken", output_token = "NextToken" }

local function paginator_of(operation, service)
  local input, output = shapes.of(service, operation.input), shapes.of(service, operation.output)
  local implied = input and output and input:member "NextToken" and output:member "NextToken"
  return operation.paginator or implied and NEXT_TOKEN or nil
end

--- An iterator over the outputs of all pages; an operation without pages has one. A failure is a last item, false and
--- the error:
---   for page, err in client:pages("ec2", "DescribeVpcs", {}) do
---     if not page then return nil, err end
function pagination.pages(client, service_id, operation_name, params, options)
  local request, tokens, finished = merged(params), {}, false
  return function()
    if finished then
      return nil
    end
    local output, err = client:call(service_id, operation_name, request, options)
    if not output then
      finished = true
      return false, err
    end
    local paginator = paginator_of(client:operation(service_id, operation_name))
    local following = paginator and next_tokens(paginator, output)
    finished = not following
    if following and equal(following, tokens) then
      finished = true
      return false, errors.new {
        code = "EndlessPages",
        message = "AWS returned the same page token twice",
        service = service_id,
        operation = operation_name,
      }
    end
    for _, name in ipairs(following and as_list(paginator.input_token) or {}) do
      request[name] = following[name]
    end
    tokens = following
    return output
  end
end

-- Sets the member at `path`, in tables that are made where they lack.
local function put(output, path, value)
  local parent, name = path:match "^(.-)%.(.+)$"
  if parent then
    output[parent] = output[parent] or {}
    return put(output[parent], name, value)
  end
  output[path] = value
end

-- Where the results are. Many paginators do not say; then it is every list in the output.
local function result_paths(operation, service)
  local paginator = paginator_of(operation, service)
  if not paginator or paginator.result_key then
    return paginator and as_list(paginator.result_key) or {}
  end
  local paths = {}
  for _, member in ipairs(shapes.of(service, operation.output):members()) do
    paths[#paths + 1] = member.shape.type == "list" and member.name or nil
  end
  return paths
end

--- All pages as one output: the lists of results joined, everything else as on the last page; or nil and an error.
function pagination.all(client, service_id, operation_name, params, options)
  local lists, last = {}, nil
  for page, err in pagination.pages(client, service_id, operation_name, params, options) do
    if not page then
      return nil, err
    end
    last = page
    for _, path in ipairs(result_paths(client:operation(service_id, operation_name))) do
      local more = follow(page, path)
      if type(more) == "table" then
        lists[path] = lists[path] or json.array {}
        table.move(more, 1, #more, #lists[path] + 1, lists[path])
      end
    end
  end
  for path, list in pairs(lists) do
    put(last, path, list)
  end
  return last
end

return pagination
