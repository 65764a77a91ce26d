local Runtime = require "infra.runtime"
local batch = require "infra.handler.batch"
local errors = require "infra.errors"

local CALL = { "ChangeThings", batch = "Batch.Changes" }

-- Sends the lists at the same time, each with `place` as a further parameter. answer(changes) -> output | nil, err.
-- Returns what was sent and what each got.
local function send(lists, answer, place)
  local runtime = Runtime.simulated {}
  local sent, results = {}, {}
  runtime.scheduler:run(function()
    local context = { scheduler = runtime.scheduler }
    local jobs = {}
    for i, list in ipairs(lists) do
      jobs[i] = function()
        local op = { context = context, region = "r", spec = { service = "s" } }
        local params = { Place = place and place[i], Batch = { Changes = list } }
        local output, err = batch.send(op, CALL, params, function(all)
          sent[#sent + 1] = table.concat(all.Batch.Changes, " ")
          runtime.scheduler:sleep(1)
          return answer(all.Batch.Changes)
        end)
        results[i] = output or err.code
      end
    end
    runtime.scheduler:all(jobs)
  end)
  return sent, results
end

local function ok()
  return "done"
end

describe("changes of one turn", function()
  it("share a call, and its answer", function()
    local sent, results = send({ { "a" }, { "b", "c" }, { "d" } }, ok)
    assert.same({ "a b c d" }, sent)
    assert.same({ "done", "done", "done" }, results)
  end)

  it("do not when they differ in anything else", function()
    assert.same({ "a c", "b" }, (send({ { "a" }, { "b" }, { "c" } }, ok, { "x", "y", "x" })))
  end)

  it("are sent alone when the call is refused", function()
    local sent, results = send({ { "a" }, { "bad" }, { "c" } }, function(changes)
      for _, change in ipairs(changes) do
        if change == "bad" then
          return errors.fail { code = "Refused", message = "no" }
        end
      end
      return "done"
    end)
    table.sort(sent)
    assert.same({ "a", "a bad c", "bad", "c" }, sent)
    assert.same({ "done", "Refused", "done" }, results)
  end)

  it("are not sent again when nobody knows whether they were made", function()
    local sent, results = send({ { "a" }, { "b" } }, function()
      return errors.fail { code = "Lost", message = "no answer", unknown_outcome = true }
    end)
    assert.same({ "a b" }, sent)
    assert.same({ "Lost", "Lost" }, results)
  end)

  it("fill several calls when there are very many", function()
    local lists = {}
    for i = 1, 150 do
      lists[i] = { tostring(i) }
    end
    assert.equal(2, #send(lists, ok))
  end)
end)
