-- The one shape of failure, for the whole of infra: a table with `code` and `message`, and as context whatever is
-- known of `service`, `operation`, `request_id`, `status`, `resource`, `source` (file:line of the stack), `hint` (what
-- to do next) and `retryable`. C primitives return the same table with the same metatable (host/host.h).
--
-- Operations that can fail return `nil, err`; wrong use of an interface throws. Only the command line prints.

local registry = debug.getregistry()
local metatable = registry["infra.error"]

local errors = {}

--- A new error. `fields.code` and `fields.message` are required.
function errors.new(fields)
  assert(fields.code and fields.message, "an error needs a code and a message")
  return setmetatable(fields, metatable)
end

--- Shorthand for `return nil, errors.new{...}`.
function errors.fail(fields)
  return nil, errors.new(fields)
end

--- Throws one: in code that a stack's author called, where there is nobody to return it to.
function errors.raise(fields)
  error(errors.is(fields) and fields or errors.new(fields), 0)
end

--- True when `value` is such an error.
function errors.is(value)
  return type(value) == "table" and getmetatable(value) == metatable
end

--- Any caught value as an error: typed ones as they are, others (a Lua error message) with code "Internal".
function errors.from(value)
  if errors.is(value) then
    return value
  end
  return errors.new { code = "Internal", message = tostring(value) }
end

-- Where, and what AWS said.
local function text_of(err)
  local parts = {}
  if err.source then
    parts[#parts + 1] = err.source .. ": "
  end
  if err.resource then
    parts[#parts + 1] = err.resource .. ": "
  end
  if err.operation then
    parts[#parts + 1] = (err.service and err.service .. " " or "") .. err.operation .. ": "
  end
  -- AWS's own codes are part of what it said; the tool's own are for programs.
  if err.status or err.request_id then
    parts[#parts + 1] = err.code .. ": "
  end
  parts[#parts + 1] = err.message
  if err.request_id then
    parts[#parts + 1] = " (request " .. err.request_id .. ")"
  end
  return table.concat(parts)
end

-- What several resources' errors say alike, as one error about all of them.
local function merged(same)
  local first, addresses, is_one_call = same[1], {}, true
  for i, err in ipairs(same) do
    addresses[i] = err.resource
    is_one_call = is_one_call and err.service == first.service and err.operation == first.operation
  end
  return #same == 1 and first or {
    code = first.code, message = first.message, status = first.status, resource = table.concat(addresses, ", "),
    service = is_one_call and first.service or nil, operation = is_one_call and first.operation or nil,
  }
end

--- Several errors as text, each on lines of its own, to follow the message of one about all of them. What is the same
--- for several resources is said once, and so is each hint, after all of them.
function errors.list(list)
  local groups, hints = {}, {}
  for _, err in ipairs(list) do
    local key = err.resource and err.code .. err.message or err
    local group = groups[key] or {}
    if #group == 0 then
      groups[key], groups[#groups + 1] = group, group
    end
    group[#group + 1] = err
    if err.hint and not hints[err.hint] then
      hints[err.hint], hints[#hints + 1] = true, err.hint
    end
  end
  local texts = {}
  for i, group in ipairs(groups) do
    texts[i] = "\n  " .. text_of(merged(group)):gsub("\n", "\n  ")
  end
  for _, hint in ipairs(hints) do
    texts[#texts + 1] = "\n  " .. hint
  end
  return table.concat(texts)
end

--- Message handler for xpcall: the error as errors.from gives it, with `traceback` for --verbose.
function errors.caught(value)
  local err = errors.from(value)
  err.traceback = err.traceback or debug.traceback(nil, 2)
  return err
end

-- What a person reads: also what to do next.
function metatable.__tostring(err)
  return text_of(err) .. (err.hint and "\n  " .. err.hint or "")
end

return errors
