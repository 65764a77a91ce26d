local errors = require "infra.errors"
local json = require "host.json"
local progress = require "infra.report.progress"
local summary = require "infra.report.summary"

local EVENTS = {
  { kind = "start", address = "a", action = "create", total = 12 },
  { kind = "progress", address = "a", action = "create", text = "waiting" },
  { kind = "progress", address = "a", action = "create", text = "waiting" },
  { kind = "done", address = "a", action = "create", seconds = 4, finished = 1, total = 12 },
  { kind = "failed", address = "b", action = "delete", seconds = 1, finished = 2, total = 12, error = errors.new {
    code = "Denied", service = "iam", operation = "DeleteRole", message = "no,\nyou may not", request_id = "r-1" } },
  { kind = "skipped", address = "c", action = "delete", text = "needs b", finished = 12, total = 12 },
  { kind = "stopped", address = "d", action = "update", total = 12 },
}

local function report(make, options)
  local texts = {}
  local reporter = make(function(text)
    texts[#texts + 1] = text
  end, options)
  for _, event in ipairs(EVENTS) do
    reporter.emit(event)
  end
  reporter.note "a note"
  reporter.close()
  return table.concat(texts)
end

describe("progress, line by line", function()
  local LINES <const> = "  a creating: waiting\n 1/12 + a created in 4.0 s\n" ..
    " 2/12 ✗ b failed: iam DeleteRole: Denied: no, you may not\n12/12 · c skipped: needs b\n· d stopped\na note\n"

  it("says once what is being waited for, and what has ended", function()
    assert.equal(LINES, report(progress.lines, {}))
  end)

  it("also says what begins, when asked to be verbose", function()
    assert.equal("  a creating\n" .. LINES, report(progress.lines, { verbose = true }))
  end)
end)

describe("progress as JSON", function()
  it("has one object per line", function()
    local objects = {}
    for line in report(progress.json):gmatch "[^\n]+" do
      objects[#objects + 1] = assert(json.decode(line))
    end
    assert.equal(#EVENTS + 1, #objects)
    assert.same({ event = "done", address = "a", action = "create", seconds = 4, finished = 1, total = 12 }, objects[4])
    assert.same({ code = "Denied", message = "iam DeleteRole: Denied: no,\nyou may not (request r-1)",
      request_id = "r-1" }, objects[5].error)
    assert.same({ event = "note", text = "a note" }, objects[8])
  end)
end)

describe("a run's summary", function()
  local result = { outcome = "failed", done = { create = 2, delete = 1 }, failures = { "x" }, skipped = 3, stopped = 0,
    outputs = { url = "https://x", ports = { 80 } }, warnings = { "somebody must click" },
    chain = { seconds = 60, addresses = { "network/vpc", "network/nat" } } }

  it("ends with what was done and what was not", function()
    assert.equal([[
Outputs
  ports = [80]
  url   = https://x

Still needs a person: somebody must click

2 created, 1 deleted, 1 failed, 3 skipped in 1 min 01 s (simulated time)
longest chain, 1 min 00 s: network/vpc > network/nat
]], summary.text(result, 61, { simulated = true }))
  end)

  it("fits a narrow terminal, but for outputs, which are to be copied", function()
    local narrow = setmetatable({ warnings = { "somebody must click on the connection in the console" }, chain = {
      seconds = 1208, addresses = { "data/aurora-2", "data/aurora", "security/aurora", "security/lambda" } },
      outputs = { url = "https://x" .. ("/x"):rep(30) } }, { __index = result })
    local text = summary.text(narrow, 1208, { simulated = true, width = 40 })
    assert.matches("url = https://x" .. ("/x"):rep(30) .. "\n", text, 1, true)
    local after = text:match "\nStill.*"
    assert.equal([[

Still needs a person: somebody must
  click on the connection in the console

2 created, 1 deleted, 1 failed, 3
  skipped in 20 min 08 s (simulated
  time)
longest chain, 20 min 08 s:
  data/aurora-2 > data/aurora >
  security/aurora > security/lambda
]], after)
    local coloured = summary.text(narrow, 1208, { colour = true, width = 40 })
    assert.matches("\27[33mStill needs a person:\27[0m somebody must\n", coloured, 1, true)
  end)

  it("is short when nothing was done", function()
    assert.equal("nothing changed\n", summary.text({ outcome = "done", done = {}, failures = {}, skipped = 0,
      stopped = 0, outputs = {}, warnings = {}, chain = { seconds = 0, addresses = {} } }, 0, {}))
  end)

  it("says the same as data", function()
    local data = json.decode(json.encode(summary.data(result, 61)))
    assert.same({ create = 2, delete = 1 }, data.done)
    assert.equal(1, data.failed)
    assert.equal("https://x", data.outputs.url)
    assert.equal("2 created, 1 deleted, 1 failed, 3 skipped in 1 min 01 s", data.text)
  end)
end)
