-- Services and operations as outlines (infra.models.outline), for people.

local set_of = require "infra.set_of"

local describe_calls = {}

-- C2J's documentation is HTML.
local function plain(html)
  if not html then
    return
  end
  local text = html:gsub("</?p>", "\n\n"):gsub("<li>", "\n- "):gsub("<[^>]*>", "")
  text = text:gsub("&lt;", "<"):gsub("&gt;", ">"):gsub("&quot;", '"'):gsub("&amp;", "&")
  return (text:gsub("^%s+", ""):gsub("%s+$", ""):gsub("\n%s*\n", "\n\n"))
end

local function resolve(service, node)
  return node.shape and service:shape(node.shape) or node
end

local function type_in_words(service, node)
  local shape = resolve(service, node)
  if shape.type == "list" then
    return "list of " .. type_in_words(service, shape.member)
  elseif shape.type == "map" then
    return ("map of %s to %s"):format(type_in_words(service, shape.key), type_in_words(service, shape.value))
  end
  return shape.type or "string"
end

-- `structure` is the one that the member is in.
local function notes_of(service, structure, name, required)
  local notes, node = {}, structure.members[name]
  local shape = resolve(service, node)
  notes[#notes + 1] = required and "required" or nil
  notes[#notes + 1] = structure.payload == name and "body" or nil
  if node.location then
    notes[#notes + 1] = ("%s %s"):format(node.location, node.locationName or name)
  elseif node.locationName ~= name then
    notes[#notes + 1] = node.locationName and "sent as " .. node.locationName
  end
  for _, trait in ipairs { "idempotencyToken", "sensitive", "streaming", "deprecated" } do
    notes[#notes + 1] = (node[trait] or shape[trait]) and trait or nil
  end
  notes[#notes + 1] = shape.enum and table.concat(shape.enum, " | ")
  return notes
end

-- The structure inside the lists and maps of a node, and the node that led to it; nil when there is none.
local function inner_structure(service, node)
  local shape = resolve(service, node)
  while shape.type == "list" or shape.type == "map" do
    node = shape.member or shape.value
    shape = resolve(service, node)
  end
  if shape.members then
    return shape, node
  end
end

local function members_of(service, structure, node)
  local texts = node.shape and service:documentation("shape", node.shape).members or {}
  local required, members = set_of(structure.required), {}
  for name, member in pairs(structure.members) do
    local inner, inner_node = inner_structure(service, member)
    members[#members + 1] = {
      name = name,
      required = required[name],
      type = type_in_words(service, member),
      notes = notes_of(service, structure, name, required[name]),
      text = plain(texts[name]),
      members = inner and function()
        return members_of(service, inner, inner_node)
      end,
    }
  end
  return members
end

--- The outline of an operation (infra.models.operation) of a service.
function describe_calls.operation(service, operation)
  local sections = {}
  for _, section in ipairs { "input", "output" } do
    local structure, node
    if operation[section] then
      structure, node = inner_structure(service, operation[section])
    end
    if structure then
      sections[#sections + 1] = { name = section, members = members_of(service, structure, node) }
    end
  end
  local facts = { ("%s %s (%s)"):format(operation.http.method, operation.http.requestUri, service.metadata.protocol) }
  for _, trait in ipairs { "idempotent", "deprecated" } do
    facts[#facts + 1] = operation[trait] and trait or nil
  end
  facts[#facts + 1] = operation.paginator and "answers in pages"
  return {
    title = service.id .. " " .. operation.name,
    text = plain(service:documentation("operation", operation.name).description),
    facts = facts,
    sections = sections,
  }
end

--- The outline of a service: its operations and waiters.
function describe_calls.service(service)
  local operations, waiters = {}, {}
  for i, name in ipairs(service:operations()) do
    operations[i] = { name = name, notes = {} }
  end
  for name, waiter in pairs(service:waiters()) do
    waiters[#waiters + 1] = { name = name, type = waiter.operation, notes = {} }
  end
  local metadata = service.metadata
  return {
    title = service.id,
    text = metadata.serviceFullName,
    facts = { "API version " .. service.api_version, "endpoint prefix " .. metadata.endpointPrefix, metadata.protocol },
    sections = { { name = "operations", members = operations }, { name = "waiters", members = waiters } },
  }
end

return describe_calls
