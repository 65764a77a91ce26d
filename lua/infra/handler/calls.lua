-- The check that the calls of a handler spec are AWS's: operations that its models have, with the members that the spec
-- names. Used by infra.plugins when a plug-in is loaded; a spec holds this tool's own handlers to it.

local errors = require "infra.errors"
local merged = require "infra.merged"
local models = require "infra.models"
local path = require "infra.handler.path"
local sorted_keys = require "infra.sorted_keys"
local suggest = require "infra.suggest"

-- Entries of a call that are paths in what is sent, and in what is answered.
local SENT = { "ids", "prefix", "filter_member", "tags", "keys" }
local ANSWERED = { "list", "result" }

-- Everything in a handler spec that is a call: where -> call.
local function calls_of(spec)
  local found = {}
  local function add(where, call)
    if type(call) == "table" and (call[1] or call.settle) then
      found[where] = call
      add(where .. ".settle", call.settle)
    end
  end
  for _, entry in ipairs { "create", "read", "delete", "find" } do
    add(entry, spec[entry])
  end
  add("read.first", spec.read and spec.read.first)
  for i, call in ipairs(spec.create.instead or {}) do
    add(("create.instead[%d]"):format(i), merged(spec.create, call))
  end
  for i, facet in ipairs(spec.facets or {}) do
    for _, entry in ipairs { "write", "clear", "read" } do
      add(("facets[%d].%s"):format(i, entry), facet[entry])
    end
  end
  for _, entry in ipairs { "set", "unset", "read" } do
    add("tags." .. entry, spec.tags and spec.tags[entry])
  end
  return found
end

-- The structure that a node is or is a list of, seen through references.
local function structure(service, node)
  while node and (node.shape or node.type == "list") do
    node = node.shape and service:shape(node.shape) or node.member
  end
  return node
end

-- Fails when a node has nothing at `where`, a path of handler/path. What is below a map is anybody's.
local function check_path(service, operation, node, where)
  for name in where:gmatch "[^%.%[%]]+" do
    node = structure(service, node)
    if not tonumber(name) and node and node.type ~= "map" then
      local members = node.members or {}
      if not members[name] then
        return errors.fail { code = "UnknownMember", message = ("%s %s has no member '%s'%s"):format(service.id,
          operation.name, where, suggest(name, sorted_keys(members))) }
      end
      node = members[name]
    end
  end
  return true
end

-- The paths that a call has in what it sends, and in the answer. `encode` may put elsewhere what `send` has put down.
local function paths_of(call)
  local sent, answered = {}, {}
  for _, field in ipairs(not call.encode and call.send or {}) do
    sent[#sent + 1] = select(2, path.field(field))
  end
  for where in pairs(call.with or {}) do
    sent[#sent + 1] = where
  end
  for _, entry in ipairs(SENT) do
    sent[#sent + 1] = call[entry]
  end
  for _, entry in ipairs(ANSWERED) do
    answered[#answered + 1] = call[entry]
  end
  return sent, answered
end

local function check_call(service_id, call)
  if not service_id then
    return errors.fail { code = "NoService", message = "the handler needs 'service'" }
  end
  local service, err = models.service(service_id)
  if not service then
    return nil, err
  end
  local operation
  operation, err = service:operation(call[1])
  if not operation then
    err.message = err.message .. suggest(call[1], service:operations())
    return nil, err
  end
  local sent, answered = paths_of(call)
  for side, paths in pairs { input = sent, output = answered } do
    for _, where in ipairs(paths) do
      local ok
      ok, err = check_path(service, operation, operation[side] or {}, where)
      if not ok then
        return nil, err
      end
    end
  end
  return true
end

--- Checks the calls of a handler spec that keeps to the vocabulary. Returns true, or nil and a message that names the
--- type and the call.
return function(type_name, spec)
  local calls = calls_of(spec)
  for _, where in ipairs(sorted_keys(calls)) do
    local call = calls[where]
    local ok, err = check_call(call.service or spec.service, call)
    if not ok then
      return nil, ("%s.%s: %s"):format(type_name, where, err.message)
    end
  end
  return true
end
