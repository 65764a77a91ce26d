-- How fast each service lets itself be called: token buckets per account, region and, for most services, operation.
-- The numbers are AWS's published ones where there are any (EC2's API throttling page; the quotas pages of Lambda,
-- Route 53, CloudWatch Logs), else what the field observes. Used by infra.sim when its faults ask for throttling.

local Limits = {}
Limits.__index = Limits

-- { bucket size, tokens per second }. `whole`: one bucket for the service instead of one per operation.
local RATES = {
  ec2 = { read = { 100, 20 }, write = { 50, 5 } },
  iam = { read = { 100, 20 }, write = { 20, 5 }, whole = true },
  lambda = { read = { 100, 100 }, write = { 15, 15 }, whole = true },
  apigateway = { read = { 40, 10 }, write = { 10, 5 }, whole = true },
  apigatewayv2 = { read = { 40, 10 }, write = { 10, 5 }, whole = true },
  route53 = { read = { 5, 5 }, write = { 5, 5 }, whole = true },
  cloudfront = { read = { 40, 20 }, write = { 10, 5 }, whole = true },
  s3 = { read = { 500, 500 }, write = { 100, 50 } },
  logs = { read = { 10, 10 }, write = { 10, 10 } },
  ssm = { read = { 40, 40 }, write = { 10, 3 } },
}
local OTHERS = { read = { 50, 20 }, write = { 20, 10 } }

function Limits.new()
  return setmetatable({ buckets = {} }, Limits)
end

--- Takes a token for a call { service, operation, kind, region, account } at `now`; false when none is left. Reads and
--- writes of one service never share a bucket.
function Limits:take(call, now)
  local rates = RATES[call.service] or OTHERS
  local size, refill = table.unpack(rates[call.kind])
  local name = table.concat({
    call.account, call.region, call.service, call.kind, rates.whole and "" or call.operation,
  }, "/")
  local bucket = self.buckets[name]
  if not bucket then
    bucket = { tokens = size, at = now }
    self.buckets[name] = bucket
  end
  bucket.tokens = math.min(size, bucket.tokens + (now - bucket.at) * refill)
  bucket.at = now
  if bucket.tokens < 1 then
    return false
  end
  bucket.tokens = bucket.tokens - 1
  return true
end

return Limits
