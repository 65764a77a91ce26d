-- IAM's OpenID Connect providers, with which builds elsewhere take roles here. Used by resources/iam.lua.
--
-- There is one per URL in an account, and stacks share it: take it over with { adopt = true, retain = true }.
-- Thumbprints that are not declared are AWS's business, which fetches them, and can never be removed altogether.

local json = require "host.json"
local set_of = require "infra.set_of"

local PROVIDER = { "Arn=OpenIDConnectProviderArn" }

local SCHEME <const> = "https://"

-- As IAM keeps it.
local function normal(url)
  return (url:gsub("/$", ""))
end

-- One call per client.
local function write_clients(op, scope, live)
  local wanted, present = set_of(scope.ClientIdList), set_of(live.values.ClientIdList)
  local function change(operation, from, except)
    for _, id in ipairs(from or {}) do
      local ok, err = true, nil
      if not except[id] then
        ok, err = op:mutate({ operation }, { OpenIDConnectProviderArn = scope.Arn, ClientID = id })
      end
      if not ok then
        return nil, err
      end
    end
    return true
  end
  local ok, err = change("AddClientIDToOpenIDConnectProvider", scope.ClientIdList, present)
  if not ok then
    return nil, err
  end
  return change("RemoveClientIDFromOpenIDConnectProvider", live.values.ClientIdList, wanted)
end

return {
  service = "iam",
  identity = { "Arn" },
  required = { "Url" },
  check = function(properties, report)
    local url = properties.Url
    if type(url) == "string" and not url:find("^https://") and not url:find("${infra:", 1, true) then
      report("Url", "must start with " .. SCHEME)
    end
  end,
  typical = { create = 1, update = 1, delete = 1 },
  retry = { { "ConcurrentModification", 60 }, { "ConcurrentModificationException", 60 } },
  defaults = { ClientIdList = json.array {} },
  sets = { "ClientIdList", "ThumbprintList" },
  canonical = { Url = normal },
  sticky = { "ThumbprintList" },
  derive = function(scope, op)
    return { Arn = ("arn:%s:iam::%s:oidc-provider/%s"):format(op.context.partition, op.context.account,
      normal(scope.Url):sub(#SCHEME + 1)) }
  end,
  create = {
    "CreateOpenIDConnectProvider", send = { "Url", "ClientIdList=ClientIDList", "ThumbprintList" },
    map = { "Arn=OpenIDConnectProviderArn" }, exists = { "EntityAlreadyExists" },
  },
  read = {
    "GetOpenIDConnectProvider", send = PROVIDER, map = { "ClientIdList=ClientIDList", "ThumbprintList" },
    gives = { "Url" },
    decode = function(provider, values, scope)
      values.Url, values.Arn = provider.Url and SCHEME .. provider.Url, scope.Arn
    end,
  },
  facets = {
    { properties = { "ClientIdList" }, write = write_clients },
    {
      properties = { "ThumbprintList" },
      write = {
        "UpdateOpenIDConnectProviderThumbprint", send = { "Arn=OpenIDConnectProviderArn", "ThumbprintList" },
      },
    },
  },
  tags = {
    form = "list", create = "Tags", read = "Tags",
    set = { "TagOpenIDConnectProvider", send = PROVIDER, tags = "Tags" },
    unset = { "UntagOpenIDConnectProvider", send = PROVIDER, keys = "TagKeys" },
  },
  delete = { "DeleteOpenIDConnectProvider", send = PROVIDER },
  gone = { "NoSuchEntity" },
}
