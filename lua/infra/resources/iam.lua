-- IAM's types, which are in files of their own, iam_*.lua; here is what several of them need. The vocabulary is in
-- handler/schema.lua.
--
-- IAM is global and not read-your-writes: what was just created may be unknown elsewhere for up to two minutes.

local set_of = require "infra.set_of"
local sorted_keys = require "infra.sorted_keys"

local PROPAGATION = {
  { "NoSuchEntity", 120 },
  { "ConcurrentModification", 60 },
  { "MalformedPolicyDocument", 120, message = "[Ii]nvalid principal" }, -- a principal that is seconds old
}

-- One paged call describes every role and policy of the account, with documents, attachments and tags: a thousand on a
-- page at most, a hundred by default.
local function account_details(fields)
  fields[1] = "GetAccountAuthorizationDetails"
  fields.all, fields.with = true, { Filter = { "Role", "LocalManagedPolicy" }, MaxItems = 1000 }
  return fields
end

-- Attaches a policy to a role, or detaches it, for every item of `wanted` and `present` (lists) that only one of them
-- has. pair(item) gives the two.
local function change_attachments(op, wanted, present, pair)
  local wanted_set, present_set = set_of(wanted), set_of(present)
  for _, item in ipairs(sorted_keys(wanted_set)) do
    if not present_set[item] then
      local ok, err = op:mutate({ "AttachRolePolicy" }, pair(item))
      if not ok then
        return nil, err
      end
    end
  end
  for _, item in ipairs(sorted_keys(present_set)) do
    if not wanted_set[item] then
      local ok, err = op:mutate({ "DetachRolePolicy" }, pair(item))
      if not ok and err.code ~= "NoSuchEntity" then
        return nil, err
      end
    end
  end
  return true
end

local shared = {
  retry = PROPAGATION, account_details = account_details, change_attachments = change_attachments,
}

return {
  ["AWS::IAM::Role"] = require "infra.resources.iam_role" (shared),
  ["AWS::IAM::ManagedPolicy"] = require "infra.resources.iam_managed_policy" (shared),
  ["AWS::IAM::OIDCProvider"] = require "infra.resources.iam_oidc_provider",
}
