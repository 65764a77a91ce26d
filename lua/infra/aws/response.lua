-- What came back: the output, or AWS's error with what it means for the call. Used by infra.aws.client.

local Retry = require "infra.aws.retry"
local redact = require "infra.aws.redact"

local response = {}

local function is_html(received)
  local first = (received.body:match "^%s*<!?(%a+)" or ""):lower()
  return first == "html" or first == "doctype" or (received.headers["content-type"] or ""):find "^text/html" ~= nil
end

--- The output of `call` (infra.aws.request), or nil and an error with the fields that Retry.classify sets.
function response.decode(call, received)
  local service, operation, status = call.service, call.operation, received.status
  local output, err
  if status >= 200 and status < 300 then
    output, err = call.protocol.decode(service, operation, received)
    if output then
      if call.options.body_to then
        output[call.output.traits.payload] = nil
      end
      return output
    elseif err.code == "Malformed" then
      -- AWS did what was asked; what it says about it cannot be understood.
      err.retryable, err.throttled, err.unknown_outcome = false, false, true
      return nil, err
    end
    err.status = 500 -- S3 answers 200 before it knows how a copy ends; its clients take the failure for a 500
  else
    err = call.protocol.decode_error(service, operation, received)
  end
  -- Emulators answer so what they do not implement; the proxies in front of AWS use 502 to 504 for their pages.
  Retry.classify(err, status == 500 and is_html(received))
  err.message = redact.text(redact.text(err.message, call.secrets), redact.keys(call.credentials))
  return nil, err
end

return response
