-- The simulated Resource Groups Tagging API: what is tagged, or once was, in the caller's account and region. Behaviour
-- is that of its API reference. There are no tag policies, so nothing is ever not compliant with one.

local contains = require "infra.contains"
local json = require "host.json"

local paging = require "infra.sim.paging"
local sorted_keys = require "infra.sorted_keys"
local tag_index = require "infra.sim.tag_index"
local tagging = require "infra.sim.tagging"

local api = {}

local PAGE <const> = 100
local KEYS_PAGE <const> = 1000
local MOST <const> = { ResourceARNList = 100, ResourceTypeFilters = 100, TagFilters = 50 }
local MOST_VALUES <const> = 20

-- The type of resources whose ARNs have none in them.
local TYPES <const> = { s3 = "bucket" }

local function invalid(ctx, message, ...)
  ctx:fail("InvalidParameterException", message:format(...), 400)
end

local function check(ctx, params)
  for member, most in pairs(MOST) do
    if #(params[member] or {}) > most then
      invalid(ctx, "%s can have at most %d items.", member, most)
    end
  end
  for _, filter in ipairs(params.TagFilters or {}) do
    if #(filter.Key or "") == 0 or #(filter.Values or {}) > MOST_VALUES then
      invalid(ctx, "A tag filter has a key and at most %d values.", MOST_VALUES)
    end
  end
  for _, member in ipairs { "TagFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken" } do
    local value = params[member]
    if params.ResourceARNList and value ~= nil and value ~= "" and not (type(value) == "table" and #value == 0) then
      invalid(ctx, "ResourceARNList and %s cannot be given together.", member)
    end
  end
  if params.ExcludeCompliantResources and not params.IncludeComplianceDetails then
    invalid(ctx, "ExcludeCompliantResources needs IncludeComplianceDetails.")
  end
end

-- "ec2" means everything of the service, "ec2:subnet" one type; both are as ARNs have them.
local function has_type(list, arn)
  local service, name = arn:match "^[^:]*:[^:]*:([^:]*):[^:]*:[^:]*:(.*)$"
  local kind = name:match "^/?([%w-]+)[:/]" or TYPES[service]
  for _, wanted in ipairs(list) do
    if wanted == service or wanted == ("%s:%s"):format(service, kind) then
      return true
    end
  end
  return false
end

-- Every filter's key, with one of its values if it names any.
local function has_tags(filters, tags)
  for _, filter in ipairs(filters) do
    local value, found = tags[filter.Key], #(filter.Values or {}) == 0
    for _, wanted in ipairs(filter.Values or {}) do
      found = found or wanted == value
    end
    if value == nil or not found then
      return false
    end
  end
  return true
end

local function passes(params, resource)
  local arns, types = params.ResourceARNList or {}, params.ResourceTypeFilters or {}
  return (#arns == 0 or contains(arns, resource.arn)) and (#types == 0 or has_type(types, resource.arn))
    and has_tags(params.TagFilters or {}, resource.tags)
end

-- A token that is the empty text means the first page, and in an answer the last one.
local function page_of(ctx, params, items, key, limit)
  local token = params.PaginationToken ~= "" and params.PaginationToken or nil
  local page, following = paging.page(ctx, items, key, token, limit)
  if not page then
    ctx:fail("PaginationTokenExpiredException", "The pagination token is not valid any more.", 400)
  end
  return page, following or ""
end

function api.GetResources(ctx, params)
  check(ctx, params)
  local limit = params.ResourcesPerPage or PAGE
  if limit < 1 or limit > PAGE then
    invalid(ctx, "ResourcesPerPage must be between 1 and %d.", PAGE)
  end
  local found = json.array {}
  for _, resource in ipairs(params.ExcludeCompliantResources and {} or tag_index.resources(ctx)) do
    found[#found + 1] = passes(params, resource) and resource or nil
  end
  local page, token = page_of(ctx, params, found, function(resource) return resource.arn end, limit)
  for i, resource in ipairs(page) do
    page[i] = { ResourceARN = resource.arn, Tags = tagging.list(resource.tags) }
  end
  return { ResourceTagMappingList = page, PaginationToken = token }
end

local function itself(text)
  return text
end

-- The answer that lists the keys of `set` in `member`.
local function listed(ctx, params, set, member)
  local list = sorted_keys(set)
  local page, token = page_of(ctx, params, list, itself, KEYS_PAGE)
  return { [member] = page, PaginationToken = token }
end

function api.GetTagKeys(ctx, params)
  local keys = {}
  for _, resource in ipairs(tag_index.resources(ctx)) do
    for key in pairs(resource.tags) do
      keys[key] = true
    end
  end
  return listed(ctx, params, keys, "TagKeys")
end

function api.GetTagValues(ctx, params)
  local values = {}
  for _, resource in ipairs(tag_index.resources(ctx)) do
    local value = resource.tags[params.Key]
    if value then
      values[value] = true
    end
  end
  return listed(ctx, params, values, "TagValues")
end

return api
