-- What a run of spec.engine.world sent to AWS, for specs of resource types.

local calls = {}

--- The parameters of every call of `operation`, in order.
function calls.params(run, operation)
  local found = {}
  for _, call in ipairs(run.calls) do
    if call.operation == operation then
      found[#found + 1] = call.params
    end
  end
  return found
end

--- The names of all operations that change something, in order.
function calls.changes(run)
  local names = {}
  for _, call in ipairs(run.calls) do
    if call.kind == "write" and not call.code then
      names[#names + 1] = call.operation
    end
  end
  return names
end

--- Replaces operations of a simulated service as long as fn() runs: `replacements` = { operation = function(original,
--- ctx, params) -> output }.
function calls.with(service, replacements, fn)
  local module, originals = require("infra.sim." .. service), {}
  for name, replacement in pairs(replacements) do
    local original = module[name]
    originals[name] = original
    module[name] = function(ctx, params)
      return replacement(original, ctx, params)
    end
  end
  local ok, problem = pcall(fn)
  for name in pairs(replacements) do
    module[name] = originals[name]
  end
  if not ok then
    error(problem, 0)
  end
end

--- A replacement for `with` that fails with the given errors { code, message, status }, one after the other, before it
--- does what the original does. Returns it, and a function that tells how often it was called.
function calls.failing(...)
  local failures, tries = { ... }, 0
  return function(original, ctx, params)
    tries = tries + 1
    if failures[tries] then
      ctx:fail(table.unpack(failures[tries]))
    end
    return original(ctx, params)
  end, function() return tries end
end

--- A replacement for `with` that answers the first time with an error, although it did what the original does.
function calls.unanswered()
  local answered = false
  return function(original, ctx, params)
    local output = original(ctx, params)
    if not answered then
      answered = true
      ctx:fail("ServiceException", "lost", 500)
    end
    return output
  end
end

--- Options of a run in which the answer to an operation is lost; in which the tool crashes after it.
function calls.lose(operation)
  return { faults = { schedule = { { fault = "lost_response", operation = operation } } } }
end

function calls.crash(operation)
  return { faults = { schedule = { { fault = "crash", operation = operation } } } }
end

return calls
