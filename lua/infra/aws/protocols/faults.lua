-- How AWS says that a call failed, in every form that it reaches a client in: each protocol's own, empty bodies (HEAD),
-- and pages by a proxy or an emulator that never saw an AWS service. A protocol's fault format is
--
--   parse(body) -> tree | nil            nil when the body is not in the protocol's format
--   locate(tree) -> node, request id     the part about the error; the request's id where the body tells it
--   code(node, headers) -> text | nil
--   message(node) -> text | nil
--   fields(node) -> table                all members, when the model does not know the error
--   read(shape, node, response) -> table all members by the error's shape
--
-- The error that comes out has code, message, status, request_id, service and operation; fields, a table of the error's
-- own members; retryable, where the model says so. The code is AWS's, as on the wire. "HttpError" stands for answers
-- that name none: such an answer says nothing about a resource, whatever its status.

local errors = require "infra.errors"
local json = require "host.json"
local shapes = require "infra.aws.protocols.shapes"
local xml = require "host.xml"

local faults = {}

-- A HEAD request's error has no body to hold a code; these are the ones that AWS's own clients use.
local HEAD_CODES = {
  [301] = "PermanentRedirect",
  [304] = "NotModified",
  [400] = "BadRequest",
  [403] = "Forbidden",
  [404] = "NotFound",
  [412] = "PreconditionFailed",
}

local MAX_LINE = 200
local MAX_PAGE = 4096 -- bytes of such an answer that are looked at: taking markup away can cost their square

-- aws.protocoltests#FooError:http://internal.amazon.com/coral/ says FooError.
local function bare_code(text)
  return type(text) == "string" and text:match("^([^:]*)"):match("([^#]+)$") or nil
end

-- -- formats ----------------------------------------------------------------------------------------------------------

--- Of the protocols whose errors are an object (JSON, CBOR).
function faults.object_format(parse, read)
  return {
    parse = function(body)
      local tree = parse(body)
      return type(tree) == "table" and not json.is_array(tree) and tree or nil
    end,
    locate = function(tree)
      return tree
    end,
    code = function(node, headers)
      return bare_code(headers["x-amzn-errortype"] or node.__type or node.code or node.Code)
    end,
    message = function(node)
      local message = node.message or node.Message
      return type(message) == "string" and message or nil
    end,
    fields = function(node)
      return node
    end,
    read = read,
  }
end

local function child(node, ...)
  for _, name in ipairs { ... } do
    for _, candidate in ipairs(node) do
      if candidate.name == name then
        return candidate
      end
    end
  end
end

local function child_text(node, ...)
  local found = child(node, ...)
  return found and found.text
end

-- What is around Error; any other element says by its name what went wrong.
local WRAPPERS = { Error = true, ErrorResponse = true, Response = true }

local function element_message(node)
  local message = child_text(node, "Message", "message")
  if message then
    return message
  end
  local messages = {}
  for i, item in ipairs(child(node, "Messages") or {}) do
    messages[i] = item.text
  end
  return #messages > 0 and table.concat(messages, "; ") or nil
end

--- Of the protocols whose errors are an element: Error, alone or inside ErrorResponse or Response/Errors; or one that
--- is named as the error itself, as services' front ends (AccessDeniedException) and Route 53 (InvalidChangeBatch) do.
function faults.element_format(read)
  return {
    parse = function(body)
      return (xml.parse(body))
    end,
    locate = function(tree)
      local node = tree.name == "Error" and tree or child(child(tree, "Errors") or tree, "Error") or tree
      return node, child_text(tree, "RequestId", "RequestID", "requestId")
    end,
    code = function(node, headers)
      local code = child_text(node, "Code") or headers["x-amzn-errortype"]
      return bare_code(code or (not WRAPPERS[node.name] and node.name))
    end,
    message = element_message,
    fields = function(node)
      local fields = {}
      for _, member in ipairs(node) do
        fields[member.name] = #member == 0 and member.text or nil
      end
      return fields
    end,
    read = read,
  }
end

-- -- reading ----------------------------------------------------------------------------------------------------------

local function is_page(body)
  local start = body:match("^%s*<!?(%a+)")
  return start ~= nil and (start:lower() == "doctype" or start:lower() == "html")
end

-- What an answer in no known format says first: its first line of text, without markup.
local function first_line(body)
  local text = body:sub(1, MAX_PAGE):gsub("<[sS][tT][yY][lL][eE].-</[sS][tT][yY][lL][eE]>", "\n"):gsub("<[^>]*>", "\n")
  local line = text:match("[^\r\n]*%S[^\r\n]*")
  return line and line:gsub("%c", " "):match("^%s*(.-)%s*$"):sub(1, MAX_LINE)
end

-- x-amzn-query-error: "the code of the query protocol's time;Sender"
local function legacy_code(headers)
  return (headers["x-amzn-query-error"] or ""):match("^([^;]+);")
end

-- The shape of the operation's error with this code: its name, unless the model declares another.
local function modelled(service, operation, code)
  for _, node in ipairs(operation.errors or {}) do
    local shape = shapes.of(service, node)
    if code == shape.name or code == (shape.own.error or {}).code then
      return shape
    end
  end
end

local function read_fields(format, shape, node, response)
  if not node then
    return {}
  elseif shape then
    local ok, fields = pcall(format.read, shape, node, response)
    if ok then
      return fields
    end
  end
  return format.fields(node)
end

local function describe(response, body, node)
  local line = not node and first_line(body)
  return ("HTTP %d"):format(response.status) .. (line and ": " .. line or "")
end

--- The typed error of a failed call, from response = { status, headers = { lower_name = value }, body }.
function faults.read(format, service, operation, response)
  local headers, body = response.headers or {}, response.body or ""
  local tree = body ~= "" and not is_page(body) and format.parse(body) or nil
  local node, request_id
  if tree then
    node, request_id = format.locate(tree)
  end
  local code = bare_code(headers["x-amzn-errortype"])
  if node then
    code = format.code(node, headers)
  elseif not code and body == "" and (operation.http or {}).method == "HEAD" then
    code = HEAD_CODES[response.status]
  end
  local legacy = legacy_code(headers)
  local shape = modelled(service, operation, code) or (legacy and modelled(service, operation, legacy))
  return errors.new {
    code = legacy or code or "HttpError",
    message = node and format.message(node) or describe(response, body, node),
    status = response.status,
    request_id = headers["x-amzn-requestid"] or headers["x-amz-request-id"] or request_id,
    service = service.id,
    operation = operation.name,
    fields = read_fields(format, shape, node, response),
    retryable = shape and shape.traits.retryable and true or nil,
  }
end

return faults
