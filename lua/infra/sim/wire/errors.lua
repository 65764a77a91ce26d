-- How each AWS protocol says that something went wrong: the codes of what the front door of a service refuses, before
-- the service itself has a say, and the form of an error answer. Used by infra.sim.wire.
--
-- The codes are the "Common errors" of the API references of EC2, IAM (query), S3, Route 53 (rest-xml), Systems Manager
-- (json) and Lambda (rest-json).

local joined = require "infra.joined"
local json = require "host.json"
local merged = require "infra.merged"
local xml = require "host.xml"

local wire_errors = {}

-- Kind of failure = { code, status } by protocol; "s3" is rest-xml as S3 speaks it.
local COMMON = {
  missing = {
    ec2 = { "MissingParameter", 400 },
    query = { "ValidationError", 400 },
    json = { "ValidationException", 400 },
    ["rest-json"] = { "ValidationException", 400 },
    ["rest-xml"] = { "InvalidInput", 400 },
    s3 = { "InvalidRequest", 400 },
  },
  invalid = {
    ec2 = { "InvalidParameterValue", 400 },
    query = { "MalformedInput", 400 },
    json = { "SerializationException", 400 },
    ["rest-json"] = { "SerializationException", 400 },
    ["rest-xml"] = { "InvalidInput", 400 },
    s3 = { "InvalidArgument", 400 },
  },
  malformed = {
    ec2 = { "MalformedQueryString", 400 },
    query = { "MalformedQueryString", 400 },
    json = { "SerializationException", 400 },
    ["rest-json"] = { "SerializationException", 400 },
    ["rest-xml"] = { "MalformedInput", 400 },
    s3 = { "MalformedXML", 400 },
  },
  unknown_parameter = {
    ec2 = { "UnknownParameter", 400 },
  },
  unknown_operation = {
    ec2 = { "InvalidAction", 400 },
    query = { "InvalidAction", 400 },
    json = { "UnknownOperationException", 400 },
    ["rest-json"] = { "UnknownOperationException", 404 },
    ["rest-xml"] = { "UnknownOperationException", 404 },
    s3 = { "MethodNotAllowed", 405 },
  },
  unsigned = {
    ec2 = { "MissingParameter", 400, "The request must contain the parameter AWSAccessKeyId" },
    query = { "MissingAuthenticationToken", 403 },
    json = { "MissingAuthenticationTokenException", 400 },
    ["rest-json"] = { "MissingAuthenticationTokenException", 403 },
    ["rest-xml"] = { "MissingAuthenticationToken", 403 },
    s3 = { "AccessDenied", 403, "Access Denied" },
  },
  unknown_key = {
    ec2 = { "AuthFailure", 401, "AWS was not able to validate the provided access credentials" },
    query = { "InvalidClientTokenId", 403 },
    json = { "UnrecognizedClientException", 400 },
    ["rest-json"] = { "UnrecognizedClientException", 403 },
    ["rest-xml"] = { "InvalidClientTokenId", 403 },
    s3 = { "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records." },
  },
  bad_signature = {
    ec2 = { "AuthFailure", 401, "AWS was not able to validate the provided access credentials" },
    query = { "SignatureDoesNotMatch", 403 },
    json = { "InvalidSignatureException", 400 },
    ["rest-json"] = { "InvalidSignatureException", 403 },
    ["rest-xml"] = { "SignatureDoesNotMatch", 403 },
    s3 = { "SignatureDoesNotMatch", 403 },
  },
  bad_digest = {
    ec2 = { "AuthFailure", 401, "AWS was not able to validate the provided access credentials" },
    query = { "SignatureDoesNotMatch", 403 },
    json = { "InvalidSignatureException", 400 },
    ["rest-json"] = { "InvalidSignatureException", 403 },
    ["rest-xml"] = { "SignatureDoesNotMatch", 403 },
    s3 = { "XAmzContentSHA256Mismatch", 400 },
  },
  expired_request = {
    ec2 = { "RequestExpired", 400, "Request has expired." },
    query = { "SignatureDoesNotMatch", 403 },
    json = { "InvalidSignatureException", 400 },
    ["rest-json"] = { "InvalidSignatureException", 403 },
    ["rest-xml"] = { "SignatureDoesNotMatch", 403 },
    s3 = { "RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large." },
  },
  expired_token = {
    ec2 = { "RequestExpired", 400, "Request has expired." },
    query = { "ExpiredToken", 403 },
    json = { "ExpiredTokenException", 400 },
    ["rest-json"] = { "ExpiredTokenException", 403 },
    ["rest-xml"] = { "ExpiredToken", 403 },
    s3 = { "ExpiredToken", 400, "The provided token has expired." },
  },
  throttled = {
    ec2 = { "RequestLimitExceeded", 503, "Request limit exceeded." },
    query = { "Throttling", 400 },
    json = { "ThrottlingException", 400 },
    ["rest-json"] = { "TooManyRequestsException", 429 },
    ["rest-xml"] = { "Throttling", 400 },
    s3 = { "SlowDown", 503, "Please reduce your request rate." },
  },
  internal = {
    ec2 = { "InternalError", 500 },
    query = { "InternalFailure", 500 },
    json = { "InternalServerError", 500 },
    ["rest-json"] = { "ServiceException", 500 },
    ["rest-xml"] = { "InternalFailure", 500 },
    s3 = { "InternalError", 500 },
  },
  unavailable = {
    ec2 = { "Unavailable", 503 },
    query = { "ServiceUnavailable", 503 },
    json = { "ServiceUnavailableException", 503 },
    ["rest-json"] = { "ServiceUnavailableException", 503 },
    ["rest-xml"] = { "ServiceUnavailable", 503 },
    s3 = { "ServiceUnavailable", 503 },
  },
}

-- The status that a service gives a code when its handler names none: the first pattern that matches. EC2 and the JSON
-- services answer 400 to whatever the caller could have avoided.
local STATUS = {
  { "^NoSuch", 404 }, { "NotFound", 404 }, { "Conflict", 409 }, { "AlreadyExists", 409 }, { "^AccessDenied", 403 },
  { "TooManyRequests", 429 },
}

local function status_of(dialect, code)
  if dialect ~= "ec2" and dialect ~= "json" then
    for _, entry in ipairs(STATUS) do
      if code:find(entry[1]) then
        return entry[2]
      end
    end
  end
  return 400
end

-- What a caller sent may stand in a message, and neither JSON nor XML carries all of it.
local function printable(text)
  text = text:gsub("[\0-\8\11\12\14-\31]", "?")
  return utf8.len(text) and text or (text:gsub("[\x80-\xff]", "?"))
end

--- Completes a failure (infra.sim.failure) with code, status and, where AWS has one wording for it, message. `dialect`
--- is the protocol's name, or "s3".
function wire_errors.complete(dialect, failure)
  if failure.kind then
    local code, status, message = table.unpack(COMMON[failure.kind][dialect])
    failure.code, failure.status, failure.message = code, status, message or failure.message
  end
  failure.message = printable(failure.message)
  failure.status = failure.status or status_of(dialect, failure.code)
end

-- -- bodies -----------------------------------------------------------------------------------------------------------

local function element(name, content)
  return ("<%s>%s</%s>"):format(name, content, name)
end

local function text_element(name, text)
  return element(name, xml.escape(tostring(text)))
end

-- The content of the element Error.
local function error_members(failure)
  local extra = {}
  for name, value in pairs(failure.extra or {}) do
    extra[#extra + 1] = text_element(name, value)
  end
  table.sort(extra)
  return text_element("Code", failure.code) .. text_element("Message", failure.message) .. table.concat(extra)
end

local function xml_body(content)
  return '<?xml version="1.0" encoding="UTF-8"?>\n' .. content, "text/xml"
end

local function error_response(failure, request_id)
  local side = text_element("Type", failure.status < 500 and "Sender" or "Receiver")
  return xml_body(element("ErrorResponse",
    element("Error", side .. error_members(failure)) .. text_element("RequestId", request_id)))
end

local function json_body(failure)
  local body = merged({ __type = failure.code, message = failure.message }, failure.extra)
  return json.encode(body), "application/x-amz-json-1.1"
end

-- dialect = function(failure, request_id) -> body, content type
local BODIES = {
  ec2 = function(failure, request_id)
    return xml_body(element("Response",
      element("Errors", element("Error", error_members(failure))) .. text_element("RequestID", request_id)))
  end,
  query = error_response,
  ["rest-xml"] = error_response,
  s3 = function(failure, request_id)
    return xml_body(element("Error", error_members(failure) .. text_element("RequestId", request_id)))
  end,
  json = json_body,
  ["rest-json"] = json_body,
}

--- The response for a completed failure: status, headers (array of pairs), body.
function wire_errors.encode(dialect, failure, request_id)
  local body, content_type = BODIES[dialect](failure, request_id)
  local headers = { { "Content-Type", content_type } }
  if dialect == "rest-json" then
    headers[2] = { "x-amzn-errortype", failure.code }
  end
  return failure.status, joined(headers, failure.headers), body
end

return wire_errors
