-- What the parts of the simulated RDS share: the kinds of things there are, finding, naming and listing them, failing.
-- Used by the other files of this folder; the store is always that of RDS in the caller's account and region.
--
-- Kept in the region's store, by lower-case name: subnet_group, parameter_group, cluster, instance and snapshot; each
-- has the members of the API's structure that do not depend on time, tags = { key = value }, and what its file says;
-- clusters, instances and snapshots have the members of infra.sim.rds.timeline, too.

local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"
local timeline = require "infra.sim.rds.timeline"

local entities = {}

local PAGES = { 20, 100 }

-- By kind: the member with its name, its part of an ARN, the answers that there is none, and one already; and of what
-- can be renamed the member with its ARN, and the kind and member that refer to it by its name.
local KINDS = {
  subnet_group = {
    id = "DBSubnetGroupName", arn = "subgrp",
    missing = { "DBSubnetGroupNotFoundFault", "DB subnet group '%s' does not exist." },
    taken = { "DBSubnetGroupAlreadyExists", "The DB subnet group '%s' already exists." },
  },
  parameter_group = {
    id = "DBClusterParameterGroupName", arn = "cluster-pg",
    missing = { "DBParameterGroupNotFound", "DBClusterParameterGroup not found: %s" },
    taken = { "DBParameterGroupAlreadyExists", "Parameter group %s already exists" },
  },
  cluster = {
    id = "DBClusterIdentifier", arn = "cluster", arn_member = "DBClusterArn",
    referrer = { "instance", "DBClusterIdentifier" },
    missing = { "DBClusterNotFoundFault", "DBCluster %s not found." },
    taken = { "DBClusterAlreadyExistsFault", "DB Cluster already exists: %s" },
  },
  instance = {
    id = "DBInstanceIdentifier", arn = "db", arn_member = "DBInstanceArn", referrer = { "cluster", "writer" },
    missing = { "DBInstanceNotFound", "DBInstance %s not found." },
    taken = { "DBInstanceAlreadyExists", "DB instance already exists: %s" },
  },
  snapshot = {
    id = "DBClusterSnapshotIdentifier", arn = "cluster-snapshot",
    missing = { "DBClusterSnapshotNotFoundFault", "DBClusterSnapshot %s not found." },
    taken = {
      "DBClusterSnapshotAlreadyExistsFault",
      "Cannot create the cluster snapshot because one with the identifier %s already exists.",
    },
  },
}

--- Throws RDS's error `code`; further arguments are string.format's.
function entities.fail(ctx, code, message, ...)
  ctx:fail(code, message:format(...), code:find("NotFound") and 404 or code:find("QuotaExceeded") and 403 or 400)
end

local fail = entities.fail

function entities.invalid(ctx, message, ...)
  fail(ctx, "InvalidParameterValue", message, ...)
end

--- Throws the answer to parameters that do not go together, or not with what there is.
function entities.refuse(ctx, message, ...)
  fail(ctx, "InvalidParameterCombination", message, ...)
end

function entities.store(ctx)
  return ctx:of("rds")
end

local store = entities.store

-- -- names ------------------------------------------------------------------------------------------------------------

function entities.arn(ctx, kind, id)
  return arns.of(ctx, "rds", KINDS[kind].arn .. ":" .. id)
end

--- The identifier of a cluster, instance or snapshot as it is kept, or the answer that there can be none such.
function entities.checked_id(ctx, id, member, most)
  if #id > (most or 63) or not id:find("^%a[%w-]*$") or id:find("%-%-") or id:find("%-$") then
    entities.invalid(ctx, "The parameter %s is not a valid identifier. Identifiers must begin with a letter; must "
      .. "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive "
      .. "hyphens.", member)
  end
  return id:lower()
end

-- The kind and name that an ARN of this account and region means, or nil.
local function parse_arn(ctx, text)
  for kind in pairs(KINDS) do
    local prefix = entities.arn(ctx, kind, "")
    if text:sub(1, #prefix) == prefix then
      return kind, text:sub(#prefix + 1):lower()
    end
  end
end

-- -- existence --------------------------------------------------------------------------------------------------------

function entities.put(ctx, kind, object)
  return store(ctx):put(kind, object[KINDS[kind].id], object)
end

function entities.delete(ctx, kind, id)
  store(ctx):delete(kind, id)
end

-- Makes everything of an object that was called `id` follow the name that it has now, which the caller keeps it under.
local function move(ctx, kind, id, object)
  local known = KINDS[kind]
  local name, other_kind, member = object[known.id], table.unpack(known.referrer)
  entities.delete(ctx, kind, id)
  object[known.arn_member] = entities.arn(ctx, kind, name)
  for _, other in store(ctx):each(other_kind) do
    if other[member] == id then
      other[member] = name
      entities.put(ctx, other_kind, other)
    end
  end
end

--- The object as it is by now, or nil when there is none (any more).
function entities.get(ctx, kind, id)
  local object = store(ctx):get(kind, id)
  if object and object.gone_at and object.gone_at <= ctx.now() then
    entities.delete(ctx, kind, id)
    return nil
  elseif object and timeline.settle(ctx, object) then
    if object[KINDS[kind].id] ~= id then
      move(ctx, kind, id, object)
    end
    entities.put(ctx, kind, object)
  end
  return object
end

--- Gives clusters and instances whose renaming has ended their new names. To be called before an operation looks for
--- anything by name.
function entities.rename(ctx)
  for kind, known in pairs(KINDS) do
    if known.referrer then
      for id in store(ctx):each(kind) do
        entities.get(ctx, kind, id)
      end
    end
  end
end

--- The object of that name (in any case) or ARN, or AWS's answer that there is none.
function entities.find(ctx, kind, name)
  local arn_kind, arn_id = parse_arn(ctx, name)
  local id = arn_kind == kind and arn_id or name:lower()
  local object = entities.get(ctx, kind, id)
  if not object or ctx:fresh(kind, id, store(ctx)) then
    fail(ctx, KINDS[kind].missing[1], KINDS[kind].missing[2], name)
  end
  return object
end

--- The object that an ARN means, and its kind.
function entities.by_arn(ctx, arn)
  local kind = parse_arn(ctx, arn)
  if not kind then
    entities.invalid(ctx, "The specified resource name does not match an RDS resource in this region.")
  end
  return entities.find(ctx, kind, arn), kind
end

--- Fails when there is one of this name, even one that is being deleted.
function entities.check_new(ctx, kind, id)
  if entities.get(ctx, kind, id) then
    fail(ctx, KINDS[kind].taken[1], KINDS[kind].taken[2], id)
  end
end

--- The name that `object` is to get by the parameter New<...Identifier>, or nil when that says nothing new.
function entities.new_id(ctx, kind, given, object)
  local member = KINDS[kind].id
  local name = given and entities.checked_id(ctx, given, "New" .. member)
  if name and name ~= object[member] then
    entities.check_new(ctx, kind, name)
    return name
  end
end

--- Iterates over id, object of all there are; with `member`, of those whose member has `value`.
function entities.each(ctx, kind, member, value)
  local next_object = store(ctx):each(kind)
  return function()
    for id in next_object do
      local object = entities.get(ctx, kind, id)
      if object and (not member or object[member] == value) then
        return object[KINDS[kind].id], object
      end
    end
  end
end

-- -- listing ----------------------------------------------------------------------------------------------------------

--- One page of `items`, in `member` of a new output, ordered by `key(item)`.
function entities.page(ctx, params, member, items, key)
  local limit = params.MaxRecords or PAGES[2]
  if limit < PAGES[1] or limit > PAGES[2] then
    entities.invalid(ctx, "Invalid value %d for MaxRecords. Must be between %d and %d", limit, PAGES[1], PAGES[2])
  end
  local page, marker = paging.page(ctx, items, key, params.Marker, limit)
  if not page then
    entities.invalid(ctx, "The specified marker is invalid: %s", params.Marker)
  end
  return { [member] = page, Marker = marker }
end

local function passes(filters, known, object)
  for _, filter in ipairs(filters) do
    local found = false
    for _, actual in ipairs(known[filter.Name](object)) do
      for _, wanted in ipairs(filter.Values) do
        found = found or actual:lower() == wanted:lower()
      end
    end
    if not found then
      return false
    end
  end
  return true
end

--- A Describe operation: { kind =, output = member of the list, show = function(ctx, object) -> what is shown,
--- filters = { [name] = function(object) -> its texts } or nil when there are none, wanted = function(params, object)
--- -> boolean or nil }. It is an error to ask by name for what is not there, and none by filter.
function entities.describe(listing)
  local id = KINDS[listing.kind].id
  return function(ctx, params)
    if params[id] then
      return { [listing.output] = { listing.show(ctx, entities.find(ctx, listing.kind, params[id])) } }
    end
    for _, filter in ipairs(params.Filters or {}) do
      if not (listing.filters or {})[filter.Name] then
        entities.invalid(ctx, "Unrecognized filter name: %s", filter.Name)
      end
    end
    local found = {}
    for name, object in entities.each(ctx, listing.kind) do
      if passes(params.Filters or {}, listing.filters, object) and not ctx:fresh(listing.kind, name, store(ctx))
        and (not listing.wanted or listing.wanted(params, object)) then
        found[#found + 1] = object
      end
    end
    local output = entities.page(ctx, params, listing.output, found, function(object) return object[id] end)
    for i, object in ipairs(output[listing.output]) do
      output[listing.output][i] = listing.show(ctx, object)
    end
    return output
  end
end

return entities
