-- Tags of parameters and labels of their versions in the simulated Parameter Store. Used by infra.sim.ssm.

local joined = require "infra.joined"
local parameters = require "infra.sim.ssm.parameters"
local tagging = require "infra.sim.tagging"

local operations = {}
local fail = parameters.fail

local LABELS_LIMIT = 10

tagging.add_operations(operations, {
  names = { "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource" },
  -- Of the resources that SSM can tag only parameters are here; they go by their names, not by ARNs.
  find = function(ctx, params)
    if params.ResourceType ~= "Parameter" then
      fail(ctx, "InvalidResourceType", "The resource type isn't valid. For example, if you are attempting to tag an "
        .. "EC2 instance, the instance must be a registered managed node.")
    end
    local parameter = parameters.get(ctx, params.ResourceId) or fail(ctx, "InvalidResourceId",
      "The resource ID isn't valid. Verify that you entered the correct ID and try again.")
    return parameter, function() parameters.put(ctx, parameter) end
  end,
  rules = {
    fail = fail,
    number = { "TooManyTagsError", "The Targets parameter includes too many tags. Remove one or more tags and try the "
      .. "command again." },
  },
  answer = function(map) return { TagList = tagging.list(map) } end,
})

-- -- labels -----------------------------------------------------------------------------------------------------------

local function without(labels, taken)
  local left = {}
  for _, label in ipairs(labels) do
    if not taken[label] then
      left[#left + 1] = label
    end
  end
  return left
end

-- A label is on one version of a parameter only: it moves.
function operations.LabelParameterVersion(ctx, params)
  local parameter = parameters.find(ctx, params.Name)
  local number = params.ParameterVersion or parameters.latest(parameter).Version
  local output = { InvalidLabels = {}, ParameterVersion = number }
  local labels, taken, target = {}, {}, nil
  for _, label in ipairs(params.Labels) do
    local low = label:lower()
    if not label:find("^[%a_][%w_.-]*$") or low:find("^aws") or low:find("^ssm") then
      table.insert(output.InvalidLabels, label)
    elseif not taken[label] then
      taken[label] = true
      labels[#labels + 1] = label
    end
  end
  for _, version in ipairs(parameter.versions) do
    target = version.Version == number and version or target
  end
  if not target then
    fail(ctx, "ParameterVersionNotFound", "Systems Manager could not find version %d of %s.", number, params.Name)
  elseif #without(target.labels, taken) + #labels > LABELS_LIMIT then
    fail(ctx, "ParameterVersionLabelLimitExceeded", "A parameter version can have a maximum of ten labels.")
  end
  for _, version in ipairs(parameter.versions) do
    version.labels = without(version.labels, taken)
  end
  target.labels = joined(target.labels, labels)
  parameters.put(ctx, parameter)
  return output
end

return {
  operations = operations,
  tagged = {
    parameter = function(place, parameter)
      return { arn = parameters.arn(place, parameter.Name), tags = parameter.tags }
    end,
  },
}
