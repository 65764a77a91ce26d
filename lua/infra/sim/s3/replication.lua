-- Replication of the simulated S3: what is written into a bucket with a replication configuration comes to its
-- destination a while later, with the same version id, if the configuration's role may bring it there. What is deleted
-- by version id is not ("Replication" in the S3 User Guide). Used by objects.lua.
--
-- Kept in the account's global store, kind "replication": { at = when it arrives, bucket, key, version = id }.

local buckets = require "infra.sim.s3.buckets"
local permissions = require "infra.sim.iam.permissions"

local replication = {}

local SECONDS <const> = 15

local ALLOW = { AmazonS3FullAccess = true, AdministratorAccess = true }

-- The enabled rule with the highest priority that is for this version, or nil.
local function rule_for(bucket, key, version)
  local found
  for _, rule in ipairs((bucket.facets.replication or {}).Rules or {}) do
    local prefix = (rule.Filter or rule).Prefix or ""
    local markers = (rule.DeleteMarkerReplication or {}).Status == "Enabled"
    if rule.Status == "Enabled" and key:sub(1, #prefix) == prefix and (markers or not version.delete_marker)
      and (not found or (rule.Priority or 0) > (found.Priority or 0)) then
      found = rule
    end
  end
  return found
end

--- Has the new version brought to where the bucket's configuration says. To be called before the version is kept.
function replication.begin(ctx, bucket, key, version)
  if rule_for(bucket, key, version) then
    version.replication = "PENDING"
    local at = ctx.now() + SECONDS
    ctx.global:put("replication", ("%020.6f %s"):format(at, ctx.unique(8)), { -- in the order of time
      at = at, bucket = bucket.Name, key = key, version = version.VersionId,
    })
  end
end

local function may_bring(ctx, role, from, to, version)
  local action = version.delete_marker and "s3:ReplicateDelete" or "s3:ReplicateObject"
  return permissions.allows(ctx, role, "s3:GetObjectVersionForReplication", from, ALLOW)
    and permissions.allows(ctx, role, action, to, ALLOW)
end

--- Does what has become due: calls arrive(bucket, key, replica) for each replica. `find(bucket, key, id)` returns the
--- version, which will be kept as it then is changed; nil when there is none any more.
function replication.advance(ctx, find, arrive)
  for id, item in ctx.global:each "replication" do
    if item.at <= ctx.now() then
      ctx.global:delete("replication", id)
      local source = ctx.global:get("bucket", item.bucket)
      local version = source and find(source, item.key, item.version)
      local rule = version and rule_for(source, item.key, version)
      local destination = rule and ctx.global:get("bucket", rule.Destination.Bucket:match "[^:]+$")
      local may = destination and may_bring(ctx, source.facets.replication.Role,
        buckets.arn(ctx, source) .. "/" .. item.key, buckets.arn(ctx, destination) .. "/" .. item.key, version)
      if version then
        version.replication = may and "COMPLETED" or "FAILED"
      end
      if may then
        local replica = { replication = "REPLICA" }
        for name, value in pairs(version) do
          replica[name] = replica[name] or value
        end
        arrive(destination, item.key, replica)
      end
    end
  end
end

return replication
