-- Resource-based policies of functions in the simulated Lambda, one for the function itself and one for each version
-- and alias. Operations of infra.sim.lambda.
--
-- Kept in the region's store, kind "policy", by "NAME/QUALIFIER" ("NAME/" for the function itself): { statements,
-- bindings (of iam/principals.lua), RevisionId, before = the statements before the last change, modified_at }.

local entities = require "infra.sim.lambda.entities"
local joined = require "infra.joined"
local json = require "host.json"
local principals = require "infra.sim.iam.principals"

local operations = {}
local fail, invalid = entities.fail, entities.invalid

local SIZE_LIMIT = 20480

-- Two changes closer together than any caller can make them that waits for an answer.
local OVERLAP <const> = 0.05

-- Parameter -> where a statement has it.
local CONDITIONS = {
  SourceArn = { "ArnLike", "AWS:SourceArn" },
  SourceAccount = { "StringEquals", "AWS:SourceAccount" },
  PrincipalOrgID = { "StringEquals", "aws:PrincipalOrgID" },
  EventSourceToken = { "StringEquals", "lambda:EventSourceToken" },
  FunctionUrlAuthType = { "StringEquals", "lambda:FunctionUrlAuthType" },
}

-- The function, the key of the policy and the ARN that a request means.
local function target(ctx, params)
  local fn, qualifier = entities.find(ctx, params)
  if qualifier == "$LATEST" then
    invalid(ctx, "We currently do not support adding policies for $LATEST.")
  elseif qualifier then
    entities.version(ctx, fn, qualifier)
  end
  return fn.FunctionName .. "/" .. (qualifier or ""), entities.arn(ctx, fn.FunctionName, qualifier)
end

-- Whether the part of Lambda that answers does not know of the policy's last change.
local function behind(ctx, kept)
  return ctx.sim.faults:unaware(ctx.now() - kept.modified_at)
end

local function principal_of(ctx, text)
  if text == "*" then
    return "*"
  elseif text:find("^%d%d%d%d%d%d%d%d%d%d%d%d$") then
    return { AWS = ("arn:%s:iam::%s:root"):format(ctx.partition, text) }
  elseif text:find("^arn:[%w-]+:iam::%d+:") then
    return { AWS = text }
  elseif text:find("^[%w.-]+%.amazonaws%.com$") then
    return { Service = text }
  end
  invalid(ctx, "The provided principal was invalid. Please check the principal and try again.")
end

local function document(statements)
  return { Version = "2012-10-17", Id = "default", Statement = json.array(statements) }
end

local function position_of(statements, sid)
  for position, statement in ipairs(statements) do
    if statement.Sid == sid then
      return position
    end
  end
end

local function bindings_of(ctx, statements)
  return principals.bind(ctx, document(statements))
    or invalid(ctx, "The provided principal was invalid. Please check the principal and try again.")
end

-- Keeps the statements that `change` makes of those there are. A change that begins before another one has ended starts
-- from what was before that, and undoes it: Lambda does not serialise them.
local function rewrite(ctx, key, kept, change)
  local age = kept and ctx.now() - kept.modified_at
  local overlaps = kept and age > 0 and age < OVERLAP and behind(ctx, kept)
  local known = kept and (overlaps and kept.before or kept.statements) or {}
  local statements = change(joined(known))
  if #statements == 0 then
    ctx.store:delete("policy", key)
    return
  end
  local changed = { statements = statements, before = known, bindings = bindings_of(ctx, statements) }
  if #json.encode(document(statements)) > SIZE_LIMIT then
    fail(ctx, "PolicyLengthExceededException", "The final policy size (%d) is bigger than the limit (%d).",
      #json.encode(document(statements)), SIZE_LIMIT)
  end
  entities.revise(ctx, changed)
  ctx.store:put("policy", key, changed)
end

function operations.AddPermission(ctx, params)
  local key, arn = target(ctx, params)
  local kept = ctx.store:get("policy", key)
  if not params.Action:find("^lambda:[%a*]+$") and params.Action ~= "*" then
    entities.validation(ctx, params.Action, "action", "Member must satisfy regular expression pattern: "
      .. "(lambda:[*]|lambda:[a-zA-Z]+|[*])")
  elseif not params.StatementId:find("^[%w_-]+$") or #params.StatementId > 100 then
    entities.validation(ctx, params.StatementId, "statementId", "Member must satisfy regular expression pattern: "
      .. "([a-zA-Z0-9-_]+)")
  elseif kept and position_of(kept.statements, params.StatementId) then
    fail(ctx, "ResourceConflictException", "The statement id (%s) provided already exists. Please provide a new "
      .. "statement id, or remove the existing statement.", params.StatementId)
  end
  entities.check_revision(ctx, params, kept or {})
  local statement = {
    Sid = params.StatementId,
    Effect = "Allow",
    Principal = principal_of(ctx, params.Principal),
    Action = params.Action,
    Resource = arn,
  }
  for name, place in pairs(CONDITIONS) do
    if params[name] then
      local operator, condition = table.unpack(place)
      statement.Condition = statement.Condition or {}
      statement.Condition[operator] = statement.Condition[operator] or {}
      statement.Condition[operator][condition] = params[name]
    end
  end
  rewrite(ctx, key, kept, function(statements)
    statements[#statements + 1] = statement
    return statements
  end)
  return { Statement = json.encode(statement) }
end

function operations.RemovePermission(ctx, params)
  local key = target(ctx, params)
  local kept = ctx.store:get("policy", key)
  if not kept then
    fail(ctx, "ResourceNotFoundException", "No policy is associated with the given resource.")
  elseif not position_of(kept.statements, params.StatementId) then
    fail(ctx, "ResourceNotFoundException", "Statement %s is not found in resource policy.", params.StatementId)
  end
  entities.check_revision(ctx, params, kept)
  rewrite(ctx, key, kept, function(statements)
    local position = position_of(statements, params.StatementId)
    if position then
      table.remove(statements, position)
    end
    return statements
  end)
end

function operations.GetPolicy(ctx, params)
  local kept = ctx.store:get("policy", (target(ctx, params)))
  local statements = kept and (behind(ctx, kept) and kept.before or kept.statements) or {}
  if #statements == 0 then
    fail(ctx, "ResourceNotFoundException", "The resource you requested does not exist.")
  end
  return {
    Policy = principals.render(ctx, json.encode(document(statements)), kept.bindings), RevisionId = kept.RevisionId,
  }
end

return { operations = operations }
