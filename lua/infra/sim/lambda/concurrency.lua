-- Reserved concurrency of functions in the simulated Lambda, and the account's limits. Operations of infra.sim.lambda.

local entities = require "infra.sim.lambda.entities"

local concurrency = { operations = {} }
local operations = concurrency.operations

local GIB <const> = 1024 * 1024 * 1024

-- Concurrent executions that an account has (quota "concurrent-executions"; a new one often has 10), and how many of
-- them stay for functions without any of their own.
local LIMIT, LEAST_UNRESERVED = 1000, 100

local function limit(ctx)
  return ctx.quotas["concurrent-executions"] or LIMIT
end

-- Provisioned concurrency of a function as a whole, without the configuration of `except`.
local function provisioned(ctx, name, except)
  local sum = 0
  for qualifier, config in ctx.store:each("provisioned/" .. name) do
    sum = sum + (qualifier ~= except and config.requested or 0)
  end
  return sum
end

--- What is taken from the account's limit. `instead`: { [function's name] = number } counts instead of what those have.
local function reserved(ctx, instead)
  local sum = 0
  for name, fn in ctx.store:each "function" do
    sum = sum + (instead[name] or fn.reserved or provisioned(ctx, name))
  end
  return sum
end

local function check_unreserved(ctx, instead)
  local least = math.min(LEAST_UNRESERVED, limit(ctx))
  if limit(ctx) - reserved(ctx, instead) < least then
    entities.invalid(ctx, "Specified ReservedConcurrentExecutions for function decreases account's "
      .. "UnreservedConcurrentExecution below its minimum value of [%d].", least)
  end
end

--- Fails unless a function can have `count` provisioned executions for a qualifier besides those it has for others.
function concurrency.check_provisioned(ctx, fn, qualifier, count)
  local sum = provisioned(ctx, fn.FunctionName, qualifier) + count
  if fn.reserved and sum > fn.reserved then
    entities.invalid(ctx, "Requested Provisioned Concurrency should not be greater than the "
      .. "reservedConcurrentExecution for function")
  elseif not fn.reserved then
    check_unreserved(ctx, { [fn.FunctionName] = sum })
  end
end

local function put(ctx, fn, count)
  fn.reserved = count
  entities.put(ctx, fn)
end

function operations.PutFunctionConcurrency(ctx, params)
  local fn, count = entities.find(ctx, params), params.ReservedConcurrentExecutions
  if count < 0 then
    entities.validation(ctx, count, "reservedConcurrentExecutions", "Member must have value greater than or equal to 0")
  elseif count < provisioned(ctx, fn.FunctionName) then
    entities.invalid(ctx, "ReservedConcurrentExecutions should not be lower than function's total provisioned "
      .. "concurrency [%d].", provisioned(ctx, fn.FunctionName))
  end
  check_unreserved(ctx, { [fn.FunctionName] = count })
  put(ctx, fn, count)
  return { ReservedConcurrentExecutions = count }
end

function operations.GetFunctionConcurrency(ctx, params)
  return { ReservedConcurrentExecutions = entities.find(ctx, params).reserved }
end

function operations.DeleteFunctionConcurrency(ctx, params)
  put(ctx, entities.find(ctx, params), nil)
end

function operations.GetAccountSettings(ctx)
  local count = 0
  for _ in ctx.store:each "function" do
    count = count + 1
  end
  return {
    AccountLimit = {
      TotalCodeSize = 75 * GIB, CodeSizeUnzipped = 262144000, CodeSizeZipped = 52428800,
      ConcurrentExecutions = limit(ctx), UnreservedConcurrentExecutions = limit(ctx) - reserved(ctx, {}),
    },
    AccountUsage = { FunctionCount = count, TotalCodeSize = 0 },
  }
end

return concurrency
