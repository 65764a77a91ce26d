-- Access control lists of buckets in the simulated S3: off, unless the bucket's ownership says otherwise. Used by
-- infra.sim.s3.

local buckets = require "infra.sim.s3.buckets"

local acl = { operations = {} }
local operations = acl.operations

-- What the canned lists grant beside the owner's full control: group and permission ("Canned ACL", S3 User Guide).
local CANNED = {
  ["private"] = {},
  ["public-read"] = { { "global/AllUsers", "READ" } },
  ["public-read-write"] = { { "global/AllUsers", "READ" }, { "global/AllUsers", "WRITE" } },
  ["authenticated-read"] = { { "global/AuthenticatedUsers", "READ" } },
  ["log-delivery-write"] = { { "s3/LogDelivery", "WRITE" }, { "s3/LogDelivery", "READ_ACP" } },
}

local function list_of(ctx, canned)
  local owner = buckets.owner(ctx)
  local grantee = { Type = "CanonicalUser", ID = owner.ID }
  local grants = { { Grantee = grantee, Permission = "FULL_CONTROL" } }
  for _, grant in ipairs(canned) do
    local group, permission = table.unpack(grant)
    grants[#grants + 1] = {
      Grantee = { Type = "Group", URI = "http://acs.amazonaws.com/groups/" .. group },
      Permission = permission,
    }
  end
  return { Owner = owner, Grants = grants }
end

--- The list that a request asks for by name, or S3's answer when the facets do not let it be. nil when it names none.
function acl.canned(ctx, name, facets)
  local canned = name and (CANNED[name] or buckets.fail(ctx, "InvalidArgument", "The ACL %s is not valid", name))
  if canned and canned[1] and canned[1][1]:find("^global/") and (facets.public_access_block or {}).BlockPublicAcls then
    buckets.fail(ctx, "AccessDenied", "Access Denied")
  end
  return canned and list_of(ctx, canned)
end

--- Whether the facets leave access control lists any meaning.
function acl.allowed(facets)
  return facets.ownership ~= nil and facets.ownership.Rules[1].ObjectOwnership ~= "BucketOwnerEnforced"
end

function operations.GetBucketAcl(ctx, params)
  return buckets.find(ctx, params).facets.acl or list_of(ctx, CANNED.private)
end

function operations.PutBucketAcl(ctx, params)
  local bucket = buckets.find(ctx, params)
  if not acl.allowed(bucket.facets) then
    buckets.fail(ctx, "AccessControlListNotSupported", "The bucket does not allow ACLs")
  end
  bucket.facets.acl = acl.canned(ctx, params.ACL, bucket.facets) or params.AccessControlPolicy
  buckets.put(ctx, bucket)
end

return acl
