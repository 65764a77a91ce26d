-- OpenID Connect providers of the simulated IAM. Used by infra.sim.iam.

local crypto = require "host.crypto"
local arns = require "infra.sim.arns"
local entities = require "infra.sim.iam.entities"
local structures = require "infra.sim.structures"
local tagging = require "infra.sim.tagging"

local operations = {}
local fail = entities.fail

-- IAM quotas.
local CLIENT_IDS_LIMIT = 100
local THUMBPRINTS_LIMIT = 5

local function check_thumbprints(ctx, thumbprints)
  if #thumbprints > THUMBPRINTS_LIMIT then
    fail(ctx, "InvalidInput", "Thumbprint list must contain fewer than %d entries.", THUMBPRINTS_LIMIT)
  end
  for _, thumbprint in ipairs(thumbprints) do
    if #thumbprint ~= 40 or thumbprint:find("%X") then
      fail(ctx, "InvalidInput", "Thumbprint must be a 40-digit hexadecimal SHA-1 hash: %s", thumbprint)
    end
  end
end

-- The set with `id`, as a new array.
local function with(ids, id)
  local changed = {}
  for _, known in ipairs(ids) do
    if known ~= id then
      changed[#changed + 1] = known
    end
  end
  changed[#changed + 1] = id
  return changed
end

-- Without a thumbprint IAM takes that of the provider's own certificate.
function operations.CreateOpenIDConnectProvider(ctx, params)
  local host = params.Url:match("^https://([%w.-]+%.%w[%w./_-]*)$")
  if not host then
    fail(ctx, "ValidationError", "Invalid Open ID Connect Provider URL")
  end
  host = host:gsub("/$", "")
  check_thumbprints(ctx, params.ThumbprintList or {})
  local client_ids = {}
  for _, id in ipairs(params.ClientIDList or {}) do
    client_ids = with(client_ids, id)
  end
  if #client_ids > CLIENT_IDS_LIMIT then
    fail(ctx, "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", CLIENT_IDS_LIMIT)
  end
  local provider = {
    Arn = arns.global(ctx, "iam", "oidc-provider/" .. host),
    Url = host,
    ClientIDList = client_ids,
    ThumbprintList = params.ThumbprintList or { crypto.hex(crypto.sha1(host)) },
    CreateDate = ctx.now(),
    Tags = params.Tags and entities.merge_tags(ctx, nil, params.Tags),
  }
  if ctx.global:get("provider", provider.Arn) then
    fail(ctx, "EntityAlreadyExists", "Provider with url https://%s already exists.", host)
  end
  entities.put_provider(ctx, provider)
  return { OpenIDConnectProviderArn = provider.Arn, Tags = provider.Tags }
end

function operations.GetOpenIDConnectProvider(ctx, params)
  return structures.pick(entities.provider(ctx, params.OpenIDConnectProviderArn),
    { "Url", "ClientIDList", "ThumbprintList", "CreateDate", "Tags" })
end

function operations.ListOpenIDConnectProviders(ctx)
  local list = {}
  for arn in ctx.global:each("provider") do
    list[#list + 1] = { Arn = arn }
  end
  return { OpenIDConnectProviderList = list }
end

-- "It does not fail or return an error if you call the operation for a provider that does not exist"; roles that trust
-- the provider are left as they are.
function operations.DeleteOpenIDConnectProvider(ctx, params)
  ctx.global:delete("provider", params.OpenIDConnectProviderArn)
end

function operations.AddClientIDToOpenIDConnectProvider(ctx, params)
  local provider = entities.provider(ctx, params.OpenIDConnectProviderArn)
  local changed = with(provider.ClientIDList, params.ClientID)
  if #changed > CLIENT_IDS_LIMIT then
    fail(ctx, "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", CLIENT_IDS_LIMIT)
  end
  provider.ClientIDList = changed
  entities.put_provider(ctx, provider)
end

function operations.RemoveClientIDFromOpenIDConnectProvider(ctx, params)
  local provider = entities.provider(ctx, params.OpenIDConnectProviderArn)
  local changed = with(provider.ClientIDList, params.ClientID)
  changed[#changed] = nil
  provider.ClientIDList = changed
  entities.put_provider(ctx, provider)
end

function operations.UpdateOpenIDConnectProviderThumbprint(ctx, params)
  local provider = entities.provider(ctx, params.OpenIDConnectProviderArn)
  check_thumbprints(ctx, params.ThumbprintList)
  provider.ThumbprintList = params.ThumbprintList
  entities.put_provider(ctx, provider)
end

entities.add_tagging(operations, "OpenIDConnectProvider", "OpenIDConnectProviderArn", entities.provider,
  entities.put_provider)

return {
  operations = operations,
  tagged = {
    provider = function(_, provider) return { arn = provider.Arn, tags = tagging.merge(nil, provider.Tags) } end,
  },
}
