-- `infra state list|show|history|runs|backup`: what the state records. Opens it read-only and asks AWS nothing.

local errors = require "infra.errors"
local fs = require "host.fs"
local json = require "host.json"
local project = require "infra.project"
local stack_options = require "infra.cli.stack_options"
local state_report = require "infra.report.state"
local suggest = require "infra.suggest"
local value = require "infra.report.value"

local state = { name = "state", summary = "Look into the recorded state" }

local function no_resource(store, address)
  local addresses = {}
  for i, row in ipairs(store:resources() or {}) do
    addresses[i] = row.address
  end
  return errors.fail { code = "NoResource", message = ("the state has no resource '%s'%s"):format(address,
    suggest(address, addresses)) }
end

-- Decodes a column of JSON in place.
local function decode(rows, column)
  for _, row in ipairs(rows or {}) do
    row[column] = row[column] and json.decode(row[column])
  end
  return rows
end

local read = {} -- by subcommand: function(store, its argument) -> what is printed, or nil and an error

function read.list(store)
  local rows, err = store:resources()
  if not rows then
    return nil, err
  end
  local resources = json.array {}
  for i, row in ipairs(rows) do
    resources[i] = { address = row.address, type = row.type, status = row.status, region = row.region,
      identity = row.identity }
  end
  return resources
end

function read.show(store, address)
  local rows, err = store:resources()
  if not rows then
    return nil, err
  end
  local found = json.array {} -- several, when a replaced generation still exists
  for _, row in ipairs(rows) do
    if row.address == address then
      found[#found + 1] = row
    end
  end
  if #found == 0 then
    return no_resource(store, address)
  end
  return found
end

function read.history(store, address)
  local rows, err = store:history { address = address }
  if rows and #rows == 0 and address then
    return no_resource(store, address)
  end
  return decode(rows, "detail"), err
end

function read.runs(store)
  local rows, err = store:runs()
  return decode(rows, "summary"), err
end

function read.backup(store, path)
  if fs.stat(path) then
    return errors.fail { code = "Exists", message = path .. " is there already", hint = "name a new file" }
  end
  local ok, err = fs.write(path, "") -- its owner's alone
  if ok then
    ok, err = store:copy(path)
  end
  return ok and { file = path, resources = #store:resources() }, err
end

-- In the order of the help; `argument`: what they are about, by the name of the argument; `needs`: how to ask for it.
local SUBCOMMANDS = {
  { name = "list", summary = "The resources" },
  { name = "show", summary = "One resource, with everything that is recorded about it", argument = "address",
    needs = "which resource? name its address, such as network/vpc" },
  { name = "history", summary = "What was done, oldest first", argument = "address" },
  { name = "runs", summary = "The last runs, newest first" },
  { name = "backup", summary = "Copies the state to FILE, whole, also while a run is under way", argument = "file",
    needs = "to which file?" },
}

local ARGUMENTS = { address = "The resource: network/vpc.", file = "A file that is not there yet." }

function state.arguments(command)
  for _, subcommand in ipairs(SUBCOMMANDS) do
    local nested = command:command(subcommand.name):summary(subcommand.summary):description(subcommand.summary .. ".")
    nested:argument("stack", "The stack file; not with --state."):argname "STACK":args "?"
    if subcommand.argument then
      nested:argument(subcommand.argument, ARGUMENTS[subcommand.argument]):argname(subcommand.argument:upper()):args "?"
    end
    nested:option("--state", "The state database, instead of a stack's own."):argname "PATH"
    nested:flag("--sim", "The state of the simulated AWS.")
    nested:flag("--json", "Print JSON.")
  end
end

-- --state PATH stands for STACK: what comes first is the other argument then.
local function sort_out(options, subcommand)
  if options.state and options.stack and subcommand.argument and not options.about then
    options.stack, options.about = nil, options.stack
  end
  if not options.stack and not options.state then
    return errors.fail { code = "Usage", message = "which state? name a stack file, or a database with --state" }
  elseif options.state and options.stack then
    return errors.fail { code = "Usage", message = "name a stack file or a database with --state, not both" }
  elseif subcommand.needs and not options.about then
    return errors.fail { code = "Usage", message = subcommand.needs }
  end
  return true
end

function state.run(options, context)
  local subcommand
  for _, one in ipairs(SUBCOMMANDS) do
    subcommand = options[one.name] and one or subcommand
  end
  options.about = options[subcommand.argument or ""]
  local ok, err = sort_out(options, subcommand)
  if not ok then
    return nil, err
  end
  local store
  store, err = project.open_state(options)
  if not store then
    return nil, err
  end
  local data
  data, err = read[subcommand.name](store, options.about)
  store:close()
  if not data then
    return nil, err
  elseif options.json then
    context.out(json.encode(value.visible(data), { indent = true }) .. "\n")
    return
  end
  for _, line in ipairs(state_report[subcommand.name](data, stack_options.layout(context))) do
    context.out(line .. "\n")
  end
end

return state
