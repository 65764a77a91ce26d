-- The accounts that a run works in: that of its credentials, and those in which resources are made that have the option
-- `account`, by a role that the stack names for each:
--
--   infra.stack {
--     accounts = { ["210987654321"] = { role_arn = "arn:aws:iam::210987654321:role/infra", external_id = "x" } }, ...
--   }
--
-- Used by engine/stack, which checks this, and by engine/refresh and engine/step_operation, which act there.

local Reader = require "infra.handler.reader"
local errors = require "infra.errors"

local accounts = {}

local ROLE = {
  role_arn = "string", external_id = "string", session_name = "string", duration_seconds = "number",
}

-- What is wrong with the role for `account`, or nil.
local function role_problem(account, role)
  if type(role) ~= "table" then
    return "must be a table { role_arn = ... }"
  end
  for name, value in pairs(role) do
    if ROLE[name] ~= type(value) then
      return ROLE[name] and ("'%s' must be a %s"):format(name, ROLE[name]) or ("has no '%s'"):format(tostring(name))
    end
  end
  local home = role.role_arn and role.role_arn:match "^arn:[%w-]+:iam::(%d+):role/."
  if not home then
    return "needs role_arn = \"arn:aws:iam::ACCOUNT:role/NAME\""
  end
  return home ~= account and ("names a role of account %s"):format(home) or nil
end

--- What is wrong with a stack's field `accounts` (may be nil), as a text; or nil.
function accounts.problem(field)
  for account, role in pairs(field or {}) do
    local problem = role_problem(account, role)
    if problem then
      return ("accounts[%q] %s"):format(tostring(account), problem)
    end
  end
end

--- Of the run's context, the one for what is in `account`: with a client, a reader and an account of its own, all else
--- shared. Or nil and an error when the credentials are for another account and the stack names no role.
--- context.roles = the stack's `accounts`, context.client_for(role) -> client | nil, err.
function accounts.context(context, account)
  if account == context.account then
    return context
  end
  local role = (context.roles or {})[account]
  if not role then
    return errors.fail { code = "WrongAccount",
      message = ("it is in account %s, and these credentials are for %s"):format(account, context.account),
      hint = ("choose other credentials with --profile or AWS_PROFILE, or name a role for it in the stack: "
        .. "accounts = { [%q] = { role_arn = ... } }"):format(account) }
  end
  context.others = context.others or {}
  if not context.others[account] then
    local client, err = context.client_for(role)
    if not client then
      return nil, err
    end
    context.others[account] = setmetatable({
      client = client, reader = Reader.new(client, context.scheduler), account = account,
    }, { __index = context })
  end
  return context.others[account]
end

return accounts
