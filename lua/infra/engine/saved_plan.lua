-- A plan in a file: everything it takes to make the same plan again, and what that plan was. It is applied only if
-- making it again, against the state and the account it was made from, gives the very same changes; so the file is no
-- way to make the tool do anything that its stack does not say. It holds no secret. Used by `infra plan --out` and
-- `infra apply`, with plans as data (report/plan).

local errors = require "infra.errors"
local fs = require "host.fs"
local json = require "host.json"
local reference = require "infra.engine.reference"

local saved_plan = {}

local FORMAT <const>, VERSION <const> = "infra plan", 1

-- What the file holds, name -> type.
local FIELDS = {
  format = "string", version = "number", infra = "string", directory = "string", account = "string", options = "table",
  secret_options = "table", plan = "table",
}
local PLAN = { serial = "string", changes = "table" }
local CHANGE = { address = "string", action = "string", differences = "table" }

-- The options of the command line that make the plan; all but the stack may be missing.
local OPTIONS = {
  stack = "string", set = "table", target = "table", destroy = "boolean", sim = "boolean", state = "string",
  region = "string", profile = "string", endpoint_url = "string",
}

-- How many differences are named.
local MOST_DIFFERENCES <const> = 5

-- -- writing ----------------------------------------------------------------------------------------------------------

-- Calls visit(text) for every secret that the declared resources and outputs contain.
local function each_secret(item, visit)
  if reference.is_secret(item) then
    visit(item.reveal())
  elseif type(item) == "table" then
    for _, part in pairs(item) do
      each_secret(part, visit)
    end
  end
end

-- Splits --set's values: those that became part of a secret are named only.
local function split_secret(given, declaration)
  local kept, secret = {}, json.array {}
  for name, text in pairs(given) do
    local found = false
    local function compare(hidden)
      found = found or text ~= "" and hidden:find(text, 1, true) ~= nil
    end
    for _, resource in pairs(declaration and declaration.resources or {}) do
      each_secret(resource.properties, compare)
    end
    for _, output in pairs(declaration and declaration.outputs or {}) do
      each_secret(output.value, compare)
    end
    if found then
      secret[#secret + 1] = name
    else
      kept[name] = text
    end
  end
  table.sort(secret)
  return json.object(kept), secret
end

-- Whether `path` is free, or has a plan in it. A slip of the keyboard must not cost the stack's own file.
local function may_be_written(path)
  local there = fs.stat(path)
  local text = there and there.kind == "file" and there.size > 0 and fs.read(path)
  local found = text and json.decode(text)
  return not text or (type(found) == "table" and found.format == FORMAT)
end

--- Writes the plan `data` (report/plan) that `deployment` made with the command line's `options` to `path`, readable
--- for its owner only. Returns true, or nil and an error.
function saved_plan.write(path, options, deployment, data)
  if not may_be_written(path) then
    return errors.fail { code = "NotAPlan", message = path .. " is there already and is no saved plan",
      hint = "name another file, or remove this one first" }
  end
  local kept = {}
  for name in pairs(OPTIONS) do
    kept[name] = options[name]
  end
  local secret
  kept.set, secret = split_secret(deployment.options.set, deployment.declaration)
  kept.target = json.array(options.target)
  return fs.write(path, json.encode({
    format = FORMAT, version = VERSION, infra = deployment.options.version, directory = fs.cwd(),
    account = deployment.context.account, options = kept, secret_options = secret, plan = data,
  }, { indent = true }) .. "\n")
end

-- -- reading ----------------------------------------------------------------------------------------------------------

local function bad(path, message, hint)
  return errors.fail { code = "BadPlan", message = path .. message, hint = hint }
end

local function has_types(values, kinds, may_lack)
  if type(values) ~= "table" then
    return false
  end
  for name, kind in pairs(kinds) do
    if type(values[name]) ~= kind and not (may_lack and values[name] == nil) then
      return false
    end
  end
  return true
end

local function is_whole(saved)
  local whole = has_types(saved, FIELDS) and has_types(saved.plan, PLAN) and has_types(saved.options, OPTIONS, true)
    and saved.options.stack and saved.options.set
  for _, change in ipairs(whole and saved.plan.changes or {}) do
    whole = whole and has_types(change, CHANGE)
  end
  return whole
end

-- --set's values as on the command line: what the file has, and from `given` what it must not hold.
local function complete_settings(path, saved, given)
  local set, secret = json.array {}, {}
  for name, text in pairs(saved.options.set) do
    set[#set + 1] = ("%s=%s"):format(name, text)
  end
  for _, name in ipairs(saved.secret_options) do
    secret[name] = true
    if given[name] == nil then
      return errors.fail { code = "Usage", message = ("%s was made with a value of '%s' that is secret and not in it")
        :format(path, name), hint = ("give it again: --set %s=..."):format(name) }
    end
    set[#set + 1] = ("%s=%s"):format(name, given[name])
  end
  for name in pairs(given) do
    if not secret[name] then
      return errors.fail { code = "Usage", message = ("%s has its options already, '%s' cannot be set"):format(path,
        name), hint = "plan again with other options" }
    end
  end
  return set
end

--- Reads the file. `given`: { name = value } of the options that are secret. Returns { options (the command line's),
--- account, plan, ... }, or nil and an error.
function saved_plan.read(path, given)
  local text, err = fs.read(path)
  if not text then
    return nil, err
  end
  local saved = json.decode(text)
  if type(saved) ~= "table" or saved.format ~= FORMAT then
    return bad(path, " is not a plan that `infra plan --out` has written, or it is damaged")
  elseif math.type(saved.version) == "integer" and saved.version > VERSION then
    return bad(path, (" was written by a newer infra (version %d of the format, this one knows %d)"):format(
      saved.version, VERSION), "use the newer infra, or plan again")
  elseif not is_whole(saved) then
    return bad(path, " is damaged", "plan again")
  end
  saved.options.set, err = complete_settings(path, saved, given)
  if not saved.options.set then
    return nil, err
  elseif not fs.stat(saved.options.stack) then
    return bad(path, (" is a plan for %s, which is not here"):format(saved.options.stack),
      "the plan was made in " .. saved.directory .. ": apply it there")
  end
  return saved
end

-- -- comparing --------------------------------------------------------------------------------------------------------

local function changed(message)
  return errors.fail { code = "PlanChanged", message = message, hint = "plan again: nothing was changed" }
end

-- Whether a state is what it was, by its serials ("LINEAGE:COUNT"). One that did not exist ("new:0") has got a lineage
-- by now.
local function check_serial(before, now, path)
  local lineage, count = before:match("^(.*):(.*)$")
  local lineage_now, count_now = now:match("^(.*):(.*)$")
  if lineage ~= lineage_now and lineage ~= "new" then
    return changed("this plan was made from another state than " .. path)
  elseif count ~= count_now then
    return changed("the state has changed since this plan was made: something else was applied")
  end
  return true
end

-- What a change comes to, as { name = text }. Where the stack says it and why it is done make no difference.
local function facts_of(change)
  local facts = { action = change.action, type = change.type, region = change.region, moved_from = change.moved_from }
  for _, difference in ipairs(change.differences) do
    facts["the change of " .. difference.name] = json.encode(difference)
  end
  for name, item in pairs(change.properties or {}) do
    facts[name] = json.encode(item)
  end
  return facts
end

-- address -> facts of everything that is to be done. Replaced generations have the address of the one that replaced
-- them: each gets a name of its own.
local function index(changes)
  local found = {}
  for _, change in ipairs(changes) do
    if change.action ~= "none" or change.moved_from then
      local name, older = change.address, 0
      while found[name] do
        older = older + 1
        name = ("%s (replaced, %d)"):format(change.address, older)
      end
      found[name] = facts_of(change)
    end
  end
  return found
end

-- Names whose values differ in two tables, sorted.
local function unlike(before, now, same)
  local names, seen = {}, {}
  for _, side in ipairs { before, now } do
    for name in pairs(side) do
      if not seen[name] and not same(before[name], now[name]) then
        names[#names + 1] = name
      end
      seen[name] = true
    end
  end
  table.sort(names)
  return names
end

local function describe(address, before, now)
  local was, is = before and before.action or "leave it", now and now.action or "leave it"
  if was ~= is then
    return ("%s: it was to %s, now %s"):format(address, was, is)
  end
  return ("%s: other values of %s"):format(address, table.concat(unlike(before, now, rawequal), ", "))
end

local function differences(before, now)
  local addresses = unlike(before, now, function(old, new)
    return old and new and #unlike(old, new, rawequal) == 0
  end)
  local texts = {}
  for i, address in ipairs(addresses) do
    texts[i] = describe(address, before[address], now[address])
  end
  return texts
end

--- Whether the plan `data` that `deployment` has made now is the saved one. Returns true, or nil and an error that
--- names what is different.
function saved_plan.check(saved, deployment, data)
  local account = deployment.context.account
  if account ~= saved.account then
    return changed(("the plan was made for account %s, these credentials are for %s"):format(saved.account, account))
  end
  local ok, err = check_serial(saved.plan.serial, data.serial, deployment.store.path)
  if not ok then
    return nil, err
  end
  -- Through JSON and back, so that numbers and empty tables look alike on both sides.
  local now = assert(json.decode(json.encode(data)))
  local found = differences(index(saved.plan.changes), index(now.changes))
  if #found == 0 then
    return true
  end
  local more = #found - MOST_DIFFERENCES
  return changed(("the stack or AWS has changed since this plan was made\n  %s%s"):format(
    table.concat(found, "\n  ", 1, math.min(#found, MOST_DIFFERENCES)),
    more > 0 and ("\n  and %d more"):format(more) or ""))
end

return saved_plan
