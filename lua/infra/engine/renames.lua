-- Resources that have another address in the stack than in the state: those that say so (renamed_from) take their
-- record along, those that do not would be made anew while the old one goes. Used by engine/plan.

local errors = require "infra.errors"
local natural_key = require "infra.engine.natural_key"
local resources = require "infra.resources"

local renames = {}

--- Moves the rows of resources that were renamed to their new address (row.moved_from), and makes those that depend on
--- them follow (row.follows). `rows`: all of the state; `current`: address -> row. Returns true, or nil and an error.
function renames.follow(declaration, rows, current)
  local moved = {}
  for _, address in ipairs(declaration.order) do
    local resource = declaration.resources[address]
    local old = resource.options.renamed_from
    if old and current[old] and not current[address] then
      if declaration.resources[old] then
        return errors.fail { code = "BadRename", resource = address, source = resource.source,
          message = ("it is renamed from '%s', which is declared too, at %s"):format(old,
          declaration.resources[old].source), hint = "give one of the two another name" }
      end
      local row = current[old]
      row.moved_from, row.address, moved[old] = old, address, address
      current[address], current[old] = row, nil
    end
  end
  for _, row in ipairs(rows) do
    for i, address in ipairs(row.dependencies) do
      if moved[address] then
        row.dependencies[i], row.follows = moved[address], true
      end
    end
  end
  return true
end

local GOES <const> = { delete = true, forget = true }

--- Errors about what `changes` would create beside a namesake that they delete or forget: AWS refuses that, or takes
--- the one for the other. `account`: that of the credentials.
function renames.unsaid(changes, account)
  local going, refused = {}, {}
  for _, change in ipairs(changes) do
    local row = GOES[change.action] and change.row
    local key = row and natural_key.of(resources.type(row.type), row.account, row.region, row.properties)
    if key then
      going[key] = change
    end
  end
  for _, change in ipairs(next(going) and changes or {}) do
    local resource = change.action == "create" and change.resource
    local other = resource and going[
      natural_key.of(resource.type, resource.account or account, resource.region, change.desired) or ""]
    if other then
      refused[#refused + 1] = errors.new {
        code = "SameName", resource = change.address, source = resource.source,
        message = ("%s: the same as of %s, which this would %s"):format(
          table.concat(natural_key.properties(resource.type), " and "), other.address, other.action),
        hint = ("if it is that one, say renamed_from = %q in its options; else give it another name"):format(
          other.address),
      }
    end
  end
  return refused
end

return renames
