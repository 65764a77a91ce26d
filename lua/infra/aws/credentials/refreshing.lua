-- Credentials that are fetched when they are needed and renewed before they end, however long a run lasts. Used by
-- infra.aws.credentials for the whole chain and for every role in between.

local answer = require "infra.aws.credentials.answer"
local errors = require "infra.errors"
local merged = require "infra.merged"

local Refreshing = {}
Refreshing.__index = Refreshing

-- Seconds before their end from which on credentials are renewed: in the advisory window one task does that and the
-- others go on with what they have, in the mandatory one all wait for it (botocore's windows). Of a short life it is
-- the last quarter and the last sixth, so that credentials of a few minutes are not renewed at every call.
local ADVISORY <const>, MANDATORY <const> = 15 * 60, 10 * 60
local ADVISORY_PART <const>, MANDATORY_PART <const> = 4, 6
-- Between attempts to renew credentials that are still good.
local PAUSE <const> = 60

-- Parts of credentials that travel in headers.
local TEXTS = { access_key = "access key id", secret_key = "secret access key", session_token = "session token" }

--- A credentials object (infra.aws.credentials) whose values come from the source (a provider's) that find() returns;
--- it is called until it returns one, may wait, and fails with nil and an error.
function Refreshing.new(runtime, find)
  return setmetatable({ runtime = runtime, find = find, renew_at = -math.huge, wait_from = -math.huge }, Refreshing)
end

-- What no service would accept, said here, where it is still known whose fault it is.
local function check(values, now)
  for field, name in pairs(TEXTS) do
    if values[field] and not values[field]:find "^%g+$" then
      return errors.fail {
        code = "BadCredentials",
        message = ("%s: the %s is empty, or has a blank or a control character in it"):format(values.source, name),
      }
    end
  end
  values.expires_at = values.expires_at and answer.moment(values.expires_at)
  if values.expires_at and values.expires_at <= now then
    return errors.fail {
      code = "ExpiredCredentials",
      message = ("%s: these credentials expired at %s"):format(values.source, answer.time(values.expires_at)),
      hint = "get new ones; or, if they are new, this machine's clock is wrong",
    }
  end
  return values
end

local function fetch(self)
  local err
  if not self.source then
    self.source, err = self.find()
  end
  if not self.source then
    return nil, err
  end
  local values
  values, err = self.source.fetch()
  if not values then
    return nil, err
  end
  values.source = self.source.description
  return check(values, self.runtime.time())
end

local function renew(self)
  local values, err = fetch(self)
  local now = self.runtime.time()
  if values then
    local ends = values.expires_at or math.huge
    local life = ends - now
    self.current, self.ends = values, ends
    self.renew_at = ends - math.min(ADVISORY, life / ADVISORY_PART)
    self.wait_from = ends - math.min(MANDATORY, life / MANDATORY_PART)
  elseif self.current and now < self.ends then
    self.renew_at = now + PAUSE
  else
    return nil, err
  end
  return self.current
end

--- The values, or nil and an error. Tasks that need new ones at the same time share one fetch; one that fails while the
--- values at hand are still good is repeated later and harms nobody.
function Refreshing:get()
  local now = self.runtime.time()
  if now < self.renew_at then
    return self.current
  end
  local under_way = self.renewal and not self.renewal.done
  if under_way and now < self.wait_from then
    return self.current
  elseif not under_way then
    self.renewal = self.runtime.scheduler:spawn(renew, self)
  end
  local values, err = self.renewal:join()
  if values then
    return values
  end
  return errors.fail(merged(err)) -- each task writes into its error what it was doing
end

--- AWS called the values expired, whatever their date says: the next get() fetches.
function Refreshing:expire()
  self.current, self.renew_at, self.wait_from = nil, -math.huge, -math.huge
end

return Refreshing
