-- Which operation the method, path and query string of a REST request mean. Used by infra.sim.wire.

local shapes = require "infra.aws.protocols.shapes"
local uri = require "infra.aws.protocols.uri"

local routes = {}

-- A requestUri ("/2015-03-31/functions/{FunctionName}", "/{Bucket}/{Key+}?uploads") as { operation, pattern of the
-- path, labels in order, query = constant fields, literals = how much of it is constant }.
local function compile(operation)
  local path, query = operation.http.requestUri:match("^([^?]*)%??(.*)$")
  local route = { operation = operation, labels = {}, literals = 0, query = {} }
  local pattern = {}
  for segment in path:gmatch("[^/]+") do
    local label, greedy = segment:match("^{([^}+]+)(%+?)}$")
    if label then
      route.labels[#route.labels + 1] = label
      pattern[#pattern + 1] = greedy == "+" and "(.+)" or "([^/]+)"
    else
      route.literals = route.literals + 1
      pattern[#pattern + 1] = segment:gsub("%p", "%%%0")
    end
  end
  route.pattern = "^/" .. table.concat(pattern, "/") .. "/?$"
  for _, field in ipairs(uri.decode_form(query)) do
    if field[1] ~= "x-id" then -- only there to tell people which operation it is
      route.query[#route.query + 1] = field
      route.literals = route.literals + 1
    end
  end
  return route
end

local compiled = setmetatable({}, { __mode = "k" }) -- routes by method, by service

local function routes_of(service)
  local found = compiled[service]
  if not found then
    found = {}
    for _, name in ipairs(service:operations()) do
      local route = compile(assert(service:operation(name)))
      local method = route.operation.http.method
      found[method] = found[method] or {}
      table.insert(found[method], route)
    end
    compiled[service] = found
  end
  return found
end

local function matches(route, request)
  for _, field in ipairs(route.query) do
    local given = request.fields[field[1]]
    if not given or (field[2] ~= "" and given ~= field[2]) then
      return false
    end
  end
  return request.path:find(route.pattern) ~= nil
end

-- How many of the input's required headers and query fields the request has, and how many it lacks: what tells
-- operations of one path apart (PutObject, CopyObject and UploadPart).
local function required_fields(route, service, request)
  local input = shapes.of(service, route.operation.input)
  local present, absent = 0, 0
  for _, name in ipairs(input and input.traits.required or {}) do
    local traits = input:member(name).traits
    local given = { header = request.headers, querystring = request.fields }
    local place, key = given[traits.location], traits.locationName or name
    if place then
      local found = place[traits.location == "header" and key:lower() or key]
      present, absent = present + (found and 1 or 0), absent + (found and 0 or 1)
    end
  end
  return present, absent
end

--- The operation that a request means, and the texts of its labels by name: of the operations whose path and constant
--- query fields match, one that lacks nothing required before one that does, then the most specific, then one that is
--- not deprecated. nil when there is none.
function routes.find(service, request)
  local best, best_score
  for _, route in ipairs(routes_of(service)[request.method] or {}) do
    if matches(route, request) then
      local present, absent = required_fields(route, service, request)
      local score = (absent == 0 and 1000 or 0) + 10 * (route.literals + present) - #route.labels
        - (route.operation.deprecated and 0.5 or 0)
      if not best or score > best_score then
        best, best_score = route, score
      end
    end
  end
  if not best then
    return nil
  end
  local texts, labels = { request.path:match(best.pattern) }, {}
  for i, name in ipairs(best.labels) do
    labels[name] = uri.decode(texts[i])
  end
  return best.operation, labels
end

return routes
