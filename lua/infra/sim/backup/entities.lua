-- What the files of the simulated AWS Backup have in common: names, vaults, lists, refusals.

local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"
local permissions = require "infra.sim.iam.permissions"

local entities = {}

local PAGE <const> = 1000

-- AWS's own policies that allow all that AWS Backup does here.
local ALLOW = { AWSBackupServiceRolePolicyForBackup = true, AdministratorAccess = true }

--- Throws AWS's answer; further arguments are string.format's.
function entities.fail(ctx, code, message, ...)
  ctx:fail(code, message:format(...), 400)
end

--- A page of `items` and the token of the next one.
function entities.page(ctx, items, key, params)
  local page, token = paging.page(ctx, items, key, params.NextToken, params.MaxResults or PAGE)
  if not page then
    entities.fail(ctx, "InvalidParameterValueException", "The token is not valid.")
  end
  return page, token
end

function entities.vault_arn(ctx, name)
  return arns.of(ctx, "backup", "backup-vault:" .. name)
end

--- The vault, or AWS's answer that there is none: it hides whether there is one.
function entities.vault(ctx, name)
  local vault = ctx.store:get("vault", name)
  if not vault then
    ctx:fail("AccessDeniedException", ("Insufficient privileges to perform this action. (%s)"):format(name), 403)
  end
  return vault
end

--- Whether the role with the ARN `role` may do `action` with `resource` (an ARN; nil: with anything).
function entities.allows(ctx, role, action, resource)
  return permissions.allows(ctx, role, action, resource, ALLOW)
end

--- Has jobs.advance look at the region from now on.
function entities.watch(ctx)
  if not ctx.global:get("region", ctx.region) then
    ctx.global:put("region", ctx.region, { done_until = ctx.now() })
  end
end

return entities
