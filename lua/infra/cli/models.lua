-- `infra models`: what AWS's calls and resource types look like, and newer models of the calls.

local call = require "infra.cli.call"
local c2j = require "infra.models.c2j"
local describe_calls = require "infra.models.describe_calls"
local describe_types = require "infra.models.describe_types"
local errors = require "infra.errors"
local fs = require "host.fs"
local models = require "infra.models"
local outline = require "infra.models.outline"
local resources = require "infra.resources"
local set_of = require "infra.set_of"
local sources = require "infra.models.sources"
local suggest = require "infra.suggest"
local tty = require "host.tty"
local whole_number = require "infra.cli.whole_number"
local writer = require "infra.models.writer"

local NO_HANDLER <const> = "  (no native handler)"

local verb = {
  name = "models",
  summary = "Look up and update the AWS models",
  description = "Without more, says which versions of AWS's models infra works with.",
}

function verb.arguments(command)
  command:command_target "action"
  command:require_command(false)

  local show = command:command("show"):summary "Show a resource type, a service, an operation or a namespace's metrics"
  show:argument("name", "AWS::EC2::VPC, ec2 or AWS/Lambda."):argname "NAME"
  show:argument("parts", "An operation of the service; then a member, as in TagSpecifications.Tags.")
    :argname "PART":args "*"
  show:option("--depth", "How many levels of members to show.", "2"):argname "LEVELS"
    :convert(whole_number "--depth")

  local list = command:command("list"):summary "List services, operations and resource types"
  list:argument("pattern", "Only names with this text in them, in capitals or not; operations are listed only with it.")
    :argname "TEXT":args "?"

  local types = command:command("types"):summary "List the resource types that can be put into a stack"
  types:argument("pattern", "Only names with this text in them, in capitals or not."):argname "TEXT":args "?"

  local update = command:command("update"):summary "Compile newer models of the calls, to be used from then on"
  update:option("--from", "The data folder of botocore, the AWS SDK for Python."):argname "DIR":count(1)
end

-- 15683 as "15,683"
local function grouped(number)
  return (tostring(number):reverse():gsub("(%d%d%d)(%d)", "%1,%2"):reverse())
end

local function summarise(vocabulary, first, second)
  return ("%-26s %s %s, %s %s\n"):format(vocabulary.source, grouped(vocabulary.counts[first]), first,
    grouped(vocabulary.counts[second]), second)
end

local actions = {}

function actions.versions(_, context)
  local found, err = models.vocabularies()
  if not found then
    return nil, err
  end
  context.out("calls      " .. summarise(found.calls, "services", "operations"))
  context.out("resources  " .. summarise(found.resources, "types", "metrics"))
end

-- The outline of NAME, a service's operation being taken from the front of `parts` -> outline | nil, err.
local function find(name, parts)
  local found, err
  if name:find("::", 1, true) then
    found, err = describe_types.find(name)
    return found and describe_types.type(found), err
  elseif name:find("/", 1, true) then
    found, err = models.metrics(name)
    return found and describe_types.metrics(name, found), err
  end
  found, err = call.find_service(name)
  if not found or #parts == 0 then
    return found and describe_calls.service(found), err
  end
  local operation
  operation, err = call.find_operation(found, table.remove(parts, 1))
  return operation and describe_calls.operation(found, operation), err
end

function actions.show(options, context)
  local found, err = find(options.name, options.parts)
  if not found then
    err.code = err.code == "UnknownType" and "Usage" or err.code
    return nil, err
  end
  for _, path in ipairs(options.parts) do
    local member, names = outline.member(found, path)
    if not member then
      return errors.fail { code = "Usage", message = ("%s has no member %s%s"):format(found.title, path,
        suggest(path, names)) }
    end
    found = member
  end
  context.out(outline.text(found, { width = (tty.size()), depth = options.depth }))
end

-- function(name, remark) that prints the names with options.pattern in them.
local function printer(options, context)
  local text = (options.pattern or ""):lower()
  return function(name, remark)
    if name:lower():find(text, 1, true) then
      context.out(name .. (remark or "") .. "\n")
    end
  end
end

function actions.types(options, context)
  local out = printer(options, context)
  for _, name in ipairs(resources.native()) do
    out(name)
  end
end

function actions.list(options, context)
  local out = printer(options, context)
  local services, err = models.services()
  if not services then
    return nil, err
  end
  for _, entry in ipairs(services) do
    out(entry.id)
    if options.pattern then
      for _, operation in ipairs(models.service(entry.id):operations()) do
        out(entry.id .. " " .. operation)
      end
    end
  end
  local native = set_of(resources.native())
  for _, name in ipairs(resources.names()) do
    out(name, not native[name] and NO_HANDLER)
  end
end

function actions.update(options, context)
  local path, compiled = models.updated_path(), writer.new()
  local source, err = sources.botocore(options.from)
  if not source then
    return nil, err
  end
  local ok
  ok, err = c2j.compile(compiled, source)
  if ok then
    ok, err = fs.mkdir(path:match "^(.*)/")
  end
  if ok then
    ok, err = compiled:save(path)
  end
  if not ok then
    return nil, err
  end
  context.out(("%s: %s services, used from now on (remove %s to go back)\n"):format(source.source,
    grouped(#source.services), path))
end

function verb.run(options, context)
  return actions[options.action or "versions"](options, context)
end

return verb
