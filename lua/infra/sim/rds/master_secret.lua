-- The secret in the simulated Secrets Manager in which RDS keeps the master password of a cluster that asks for it
-- ("Password management with Amazon Aurora and AWS Secrets Manager", Aurora User Guide). Used by infra.sim.rds's
-- clusters.
--
-- A cluster with one has secret = { arn, active_at }.

local entities = require "infra.sim.rds.entities"
local json = require "host.json"
local kms = require "infra.sim.kms.entities"
local passwords = require "infra.sim.secretsmanager.passwords"
local secrets = require "infra.sim.secretsmanager.secrets"
local settings = require "infra.sim.rds.cluster_settings"

local master_secret = {}

-- Seconds until a new secret is active, and days between rotations.
local CREATING, ROTATION = 30, 7

--- Gives the cluster a secret, encrypted with the key that a request names (nil: the service's own).
function master_secret.create(ctx, cluster, key_id)
  local key = key_id and settings.key(ctx, key_id, "MasterUserSecretKmsKeyId")
  local secret = secrets.create_owned(ctx, {
    Name = "rds!cluster-" .. ctx.uuid(),
    Description = "The secret associated with the primary RDS DB cluster: " .. cluster.DBClusterArn,
    OwningService = "rds",
    KmsKeyId = key,
    RotationEnabled = true,
    RotationRules = { AutomaticallyAfterDays = ROTATION },
    tags = {
      ["aws:secretsmanager:owningService"] = "rds",
      ["aws:rds:primaryDBClusterArn"] = cluster.DBClusterArn,
    },
  }, json.encode {
    username = cluster.MasterUsername,
    password = passwords.random(ctx, { ExcludeCharacters = "/@\"' \\" }),
  })
  cluster.secret = {
    arn = secret.ARN,
    key = key or kms.managed(ctx, "secretsmanager").Arn,
    active_at = math.max(cluster.available_at, ctx.now() + CREATING),
  }
end

--- Takes the secret away at the time `at`.
function master_secret.remove(ctx, cluster, at)
  if cluster.secret then
    secrets.end_owned(ctx, cluster.secret.arn, at)
    cluster.secret = nil
  end
end

--- MasterUserSecret as a cluster shows it, or nil.
function master_secret.view(ctx, cluster)
  local secret = cluster.secret
  return secret and {
    SecretArn = secret.arn,
    SecretStatus = ctx.now() < secret.active_at and "creating" or "active",
    KmsKeyId = secret.key,
  }
end

--- Fails unless the request fits the cluster's way to keep its password: there is no changing of the key in place, and
--- leaving the secret needs another password at once.
function master_secret.check_change(ctx, cluster, params)
  local managed, manage, password = cluster.secret ~= nil, params.ManageMasterUserPassword, params.MasterUserPassword
  if params.MasterUserSecretKmsKeyId and (managed or not manage) then
    entities.refuse(ctx, "You can't specify MasterUserSecretKmsKeyId unless you turn on ManageMasterUserPassword.")
  elseif password and (manage or managed and manage == nil) then
    entities.refuse(ctx, "You can't specify MasterUserPassword for a cluster with ManageMasterUserPassword enabled.")
  elseif managed and manage == false and not password then
    entities.refuse(ctx, "You must specify MasterUserPassword when you disable ManageMasterUserPassword.")
  elseif password then
    settings.check_password(ctx, password)
  end
end

return master_secret
