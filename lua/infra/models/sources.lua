-- Where AWS's C2J files lie in the two distributions that infra reads, and how the services in them are called. Used by
-- infra.models.build (the npm package aws-sdk) and `infra models update` (a botocore data folder).
--
-- Both functions return, newest API version of each service only,
--   { source = "botocore 1.43.11", services = { { id, api_version, names, model, paginators, waiters }, ... } }
-- where `names` are further names of the service and the last three are paths; paginators and waiters may be missing.

local errors = require "infra.errors"
local files = require "infra.models.files"
local fs = require "host.fs"
local set_of = require "infra.set_of"

local sources = {}

-- aws-sdk calls its files as the AWS command line calls its services (botocore's folders), but for these.
local COMMAND_LINE_NAMES <const> = {
  AWSMigrationHub = "mgh",
  elasticfilesystem = "efs",
  elasticloadbalancing = "elb",
  elasticloadbalancingv2 = "elbv2",
  elasticmapreduce = "emr",
  email = "ses",
  ["entitlement.marketplace"] = "marketplace-entitlement",
  eventbridge = "events",
  events = "cloudwatch-events",
  ["models.lex.v2"] = "lexv2-models",
  monitoring = "cloudwatch",
  ["mturk-requester"] = "mturk",
  ["runtime.lex"] = "lex-runtime",
  ["runtime.lex.v2"] = "lexv2-runtime",
  ["runtime.sagemaker"] = "sagemaker-runtime",
  states = "stepfunctions",
  ["streams.dynamodb"] = "dynamodbstreams",
}

--- The npm package `aws-sdk`, unpacked in `directory`.
function sources.aws_sdk(directory)
  local apis = directory .. "/apis/"
  local names, list
  local package, err = files.json(directory .. "/package.json")
  if package then
    names, err = files.json(apis .. "metadata.json")
  end
  if names then
    list, err = fs.list(apis)
  end
  if not list then
    return nil, err
  end
  local present, newest = set_of(list), {}
  for _, file in ipairs(list) do -- sorted, so that the last one of a service is its newest
    local prefix, version = file:match "^(.+)%-(%d%d%d%d%-%d%d%-%d%d)%.min%.json$"
    if prefix then
      newest[prefix] = version
    end
  end
  local services = {}
  for key, service in pairs(names) do
    local prefix = service.prefix or key
    local base = newest[prefix] and ("%s-%s"):format(prefix, newest[prefix])
    if base then
      local function path(suffix)
        return present[base .. suffix] and apis .. base .. suffix
      end
      services[#services + 1] = {
        id = COMMAND_LINE_NAMES[prefix] or prefix,
        api_version = newest[prefix],
        names = { key, prefix },
        model = path ".min.json",
        paginators = path ".paginators.json",
        waiters = path ".waiters2.json",
      }
    end
  end
  return { source = "aws-sdk " .. package.version, services = services }
end

-- botocore keeps its version beside the data folder.
local function botocore_version(directory)
  local text = fs.read(directory .. "/../__init__.py")
  return text and text:match "__version__%s*=%s*['\"]([%w.]+)['\"]" or "(unknown version)"
end

-- The newest version folder of one service as a list entry; nil when there is no model in it. *.sdk-extras.json are
-- about the Python SDK, not about AWS, and not read.
local function botocore_service(directory, id)
  local versions = fs.list(directory .. "/" .. id)
  local version = versions and versions[#versions]
  if not version then
    return
  end
  local folder = ("%s/%s/%s/"):format(directory, id, version)
  local present = set_of(fs.list(folder) or {})
  local function path(name)
    return present[name .. ".gz"] and folder .. name .. ".gz" or present[name] and folder .. name
  end
  local model = path "service-2.json"
  return model and {
    id = id,
    api_version = version,
    names = {},
    model = model,
    paginators = path "paginators-1.json",
    waiters = path "waiters-2.json",
  }
end

--- A botocore `data` folder: <service>/<version>/service-2.json[.gz] and so on.
function sources.botocore(directory)
  local folders, err = fs.list(directory)
  if not folders then
    return nil, err
  end
  local services = {}
  for _, id in ipairs(folders) do
    services[#services + 1] = botocore_service(directory, id)
  end
  if #services == 0 then
    return errors.fail {
      code = "NoModels",
      message = directory .. ": no service models in this folder",
      hint = "a botocore data folder has <service>/<version>/service-2.json[.gz] in it",
    }
  end
  return { source = "botocore " .. botocore_version(directory), services = services }
end

return sources
