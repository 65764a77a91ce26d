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

-- Brings parts of a role from what is `present` to what is `wanted`, both { key = content }: calls `add` for every one
-- that lacks or differs, `remove` for every one too many. params(key, content) are the call's; no content to remove it.
local function change_parts(op, add, remove, wanted, present, params)
  for _, key in ipairs(sorted_keys(wanted)) do
    if wanted[key] ~= present[key] then
      local ok, err = op:mutate({ add }, params(key, wanted[key]))
      if not ok then
        return nil, err
      end
    end
  end
  for _, key in ipairs(sorted_keys(present)) do
    if not wanted[key] then
      local ok, err = op:mutate({ remove }, params(key))
      if not ok and err.code ~= "NoSuchEntity" then
        return nil, err
      end
    end
  end
  return true
end

-- Attaches a policy to a role, or detaches it, for every item of `wanted` and `present` (lists) that only one of them
-- has. pair(item) gives the two.
local function change_attachments(op, wanted, present, pair)
  return change_parts(op, "AttachRolePolicy", "DetachRolePolicy", set_of(wanted), set_of(present), pair)
end

local shared = {
  retry = PROPAGATION, account_details = account_details, change_attachments = change_attachments,
  change_parts = change_parts,
}

return {
  ["AWS::IAM::Role"] = require "infra.resources.iam_role" (shared),
  ["AWS::IAM::ManagedPolicy"] = require "infra.resources.iam_managed_policy" (shared),
  ["AWS::IAM::OIDCProvider"] = require "infra.resources.iam_oidc_provider",
}
