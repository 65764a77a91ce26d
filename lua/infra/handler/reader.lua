-- Reads of live resources, batched: every read asked for in one turn of the loop that can share a call does share it.
-- A plan of a hundred subnets is one paged DescribeSubnets; routes and associations come from the same
-- DescribeRouteTables as their tables; many resources waiting for the same kind of thing poll with one call.
--
-- A read spec says which way a call can be shared:
--   { "DescribeVpcs", list = "Vpcs", key = "VpcId", filter = "vpc-id" }       ids as values of a filter
--   { "GetParameters", list = "Parameters", key = "Name", ids = "Names", max = 10 }  ids as a list
--   { "ListRules", ..., prefix = "NamePrefix" }                               names that are alike by what they all
--                                                                             start with
--   { "GetAccountAuthorizationDetails", list = "RoleDetailList", key = "RoleName", all = true }  one answer for all
--   { "GetRoutes", send = { "ApiId" }, list = "Items", key = "RouteId", all = true }   one answer for each parent
--   { "GetBucketVersioning", send = { "BucketName=Bucket" } }                  one call each (equal calls once)
-- plus `with` (constant parameters), `max` (ids in one call, 200 by default) and `absent` (errors that mean "there is
-- none"; where one missing id spoils the answer for all, they are asked for one by one). A key such as
-- "Associations[].SubnetId" finds an item under each of several ids. Reads that differ only in `list` and `key` share
-- their calls.
--
-- Used by handler/observe, handler/tags and handler/twins.

local json = require "host.json"
local merged = require "infra.merged"
local path = require "infra.handler.path"
local read = require "infra.handler.read"

local Reader = {}
Reader.__index = Reader

--- A reader on a client and its scheduler. One per run.
function Reader.new(client, scheduler)
  local self = setmetatable({ client = client, scheduler = scheduler, batches = {}, order = {} }, Reader)
  scheduler:at_turn_end(function()
    return self:flush()
  end)
  return self
end

local MAX_FILTER_VALUES = 200 -- EC2's limit for one filter

-- The longest text that both start with.
local function common_prefix(a, b)
  local length = 0
  while length < #a and a:byte(length + 1) == b:byte(length + 1) do
    length = length + 1
  end
  return a:sub(1, length)
end

-- Names in groups of which one listing finds all and little else: neighbours in the order of the alphabet, as long as
-- what they have in common is half of every name.
local function alike(names)
  local groups, group, prefix = {}, nil, nil
  table.sort(names)
  for _, name in ipairs(names) do
    local common = prefix and common_prefix(prefix, name) or ""
    if group and 2 * #common >= math.max(#name, #group[#group]) then
      group[#group + 1], prefix = name, common
    else
      group, prefix = { name }, name
      groups[#groups + 1] = group
    end
  end
  return groups
end

local function parameters(spec, base, ids)
  local params = merged(base)
  if spec.filter then
    params[spec.filter_member or "Filters"] = { { Name = spec.filter, Values = ids } }
  elseif spec.ids then
    params[spec.ids] = ids
  elseif spec.prefix then
    params[spec.prefix] = common_prefix(ids[1], ids[#ids]) -- they are sorted
  end
  return params
end

-- Parts of `ids` that one call each can ask for.
local function chunks(spec, ids)
  if spec.all then
    return { ids }
  elseif spec.prefix then
    return alike(ids)
  end
  local result, size = {}, spec.max or MAX_FILTER_VALUES
  for first = 1, #ids, size do
    result[#result + 1] = table.move(ids, first, math.min(first + size - 1, #ids), 1, {})
  end
  return result
end

-- Wakes every waiter of `ids` with the answer: { output, index }.
local function fetch(self, batch, ids)
  local spec = batch.spec
  local params = parameters(spec, batch.base, ids)
  local output, err = self.client:all(batch.service, spec[1], params, { region = batch.region })
  if err and read.entry(spec.absent, err) then
    if #ids > 1 and not spec.all then
      for _, id in ipairs(ids) do
        self.scheduler:spawn(fetch, self, batch, { id })
      end
      return
    end
    output, err = {}, nil
  end
  local answer = output and { output = output, index = {} }
  for _, id in ipairs(ids) do
    for _, waiter in ipairs(batch.waiters[id]) do
      self.scheduler:wake(waiter, answer, err)
    end
  end
end

-- The ids that an item is found under.
local function keys_of(spec, item)
  local key
  if type(spec.key) == "function" then
    key = spec.key(item)
  else
    key = path.get(item, spec.key)
  end
  return type(key) == "table" and key or { key }
end

-- The items with `id` in an answer. Every list is gone through once, whatever the number of ids.
local function pick(answer, spec, id)
  local index_name = spec.list .. "\0" .. tostring(spec.key)
  local index = answer.index[index_name]
  if not index then
    index = {}
    for _, item in ipairs(path.get(answer.output, spec.list) or {}) do
      for _, one in ipairs(keys_of(spec, item)) do
        index[one] = index[one] or {}
        table.insert(index[one], item)
      end
    end
    answer.index[index_name] = index
  end
  return index[id] or {}
end

local function fetch_single(self, batch)
  local output, err = self.client:all(batch.service, batch.spec[1], batch.params, { region = batch.region })
  for _, waiter in ipairs(batch.waiters[1]) do
    self.scheduler:wake(waiter, output, err)
  end
end

--- Starts every batch collected in this turn. Called by the scheduler; returns true when it started any.
function Reader:flush()
  local started = #self.order > 0
  local batches = self.order
  self.batches, self.order = {}, {}
  for _, batch in ipairs(batches) do
    if batch.params then
      self.scheduler:spawn(fetch_single, self, batch)
    else
      for _, ids in ipairs(chunks(batch.spec, batch.ids)) do
        self.scheduler:spawn(fetch, self, batch, ids)
      end
    end
  end
  return started
end

local function join(self, batch_key, id, make)
  local batch = self.batches[batch_key]
  if not batch then
    batch = make()
    batch.ids, batch.waiters = {}, {}
    self.batches[batch_key] = batch
    table.insert(self.order, batch)
  end
  if not batch.waiters[id] then
    batch.waiters[id] = {}
    table.insert(batch.ids, id)
  end
  table.insert(batch.waiters[id], self.scheduler:current())
  return self.scheduler:suspend()
end

--- All items with the key `id`, an empty array when AWS lists none; nil and an error when the call failed. `params`:
--- what the call takes besides the id. Yields.
function Reader:items(service, region, spec, id, params)
  local way = spec.filter or spec.ids or spec.prefix or ""
  local batch_key = table.concat({ service, region, spec[1], way, json.encode(params) }, "\0")
  local answer, err = join(self, batch_key, id, function()
    return { service = service, region = region, spec = spec, base = params }
  end)
  if not answer then
    return nil, err
  end
  return pick(answer, spec, id)
end

--- The one item with the identifier `id`; nil when AWS does not list it; nil and an error when the call failed.
function Reader:item(service, region, spec, id, params)
  local items, err = self:items(service, region, spec, id, params)
  return items and items[1], err
end

--- The whole output of one call, shared by equal calls of the same turn. Yields.
function Reader:single(service, region, spec, params)
  local batch_key = table.concat({ service, region, spec[1], json.encode(params) }, "\0")
  return join(self, batch_key, 1, function()
    return { service = service, region = region, spec = spec, params = params }
  end)
end

return Reader
