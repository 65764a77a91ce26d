-- What some services want and their models do not say. Used by infra.aws.client.

local customizations = {}

-- Service id -> headers on every request.
local HEADERS = {
  apigateway = { { "Accept", "application/json" } }, -- without it the answers are HAL documents
  glacier = { { "x-amz-glacier-version", "2012-06-01" } },
}

-- aws-sdk says so in code, botocore in its model.
local UNSIGNED = { sts = { AssumeRoleWithSAML = true, AssumeRoleWithWebIdentity = true } }

--- Whether the operation is called without credentials.
function customizations.is_unsigned(service, operation)
  return operation.authtype == "none" or (UNSIGNED[service.id] or {})[operation.name] or false
end

-- Changes that a second time change nothing: the same bytes under the same name.
local REPEATABLE = { s3 = { PutObject = true, UploadPart = true, CompleteMultipartUpload = true,
  AbortMultipartUpload = true } }

--- Whether the operation may be sent again although it changes something and has no token.
function customizations.is_repeatable(service, operation)
  return (REPEATABLE[service.id] or {})[operation.name] or false
end

-- Copies of what another region holds. `url` is the parameter for a URL that the caller signs for that region, and in
-- which the destination stands; `sends_regions`: the call itself names both regions too. From botocore
-- (inject_presigned_url_ec2, inject_presigned_url_rds).
local RDS_COPY = { url = "PreSignedUrl" }
local COPIES = {
  ec2 = { CopySnapshot = { url = "PresignedUrl", sends_regions = true } },
  rds = {
    CopyDBClusterSnapshot = RDS_COPY,
    CopyDBSnapshot = RDS_COPY,
    CreateDBCluster = RDS_COPY,
    CreateDBInstanceReadReplica = RDS_COPY,
    StartDBInstanceAutomatedBackupsReplication = RDS_COPY,
  },
  docdb = { CopyDBClusterSnapshot = RDS_COPY, CreateDBCluster = RDS_COPY },
  neptune = { CopyDBClusterSnapshot = RDS_COPY, CreateDBCluster = RDS_COPY },
}

--- How the operation, with a SourceRegion among its parameters, reads there: { url, sends_regions }; nil for others.
function customizations.copy_between_regions(service, operation)
  return (COPIES[service.id] or {})[operation.name]
end

--- The headers that every request to `service` carries: { { name, value }, ... }.
function customizations.headers(service)
  return HEADERS[service.id] or {}
end

--- Changes `params`, the caller's own copy, into what the service takes. Route 53 hands out ids as "/hostedzone/Z1"
--- and "/change/C1", and takes them back without the prefix.
function customizations.params(service, params)
  if service.id == "route53" then
    for name, value in pairs(params) do
      local id = type(value) == "string" and (value:match "^/hostedzone/(.+)$" or value:match "^/change/(.+)$"
        or value:match "^/delegationset/(.+)$")
      params[name] = id or value
    end
  end
end

return customizations
