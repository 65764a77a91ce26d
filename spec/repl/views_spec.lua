local errors = require "infra.errors"
local json = require "host.json"
local show = require "infra.repl.show"
local views = require "infra.repl.views"

describe("infra.repl.views", function()
  local rows, asked

  -- A store with these rows, that remembers what history it was asked for.
  local store = { path = "state/x.db" }

  function store:resources()
    return rows
  end

  function store:outputs()
    return { url = "https://x" }
  end

  function store:runs()
    return { { id = 7, command = "apply", started_at = 0, summary = json.encode { failed = 0 } } }
  end

  function store:history(filter)
    asked = filter
    return { { at = 1.5, detail = json.encode { changed = { "Tags" } } } }
  end

  before_each(function()
    rows = {
      { address = "network/vpc", token = "0123456789", type = "AWS::EC2::VPC", status = "replaced", updated_at = 0,
        identity = { VpcId = "vpc-1" }, attributes = { Arn = "arn:1" }, properties = { CidrBlock = "10.0.0.0/16" } },
      { address = "network/vpc", token = "abcdef", type = "AWS::EC2::VPC", status = "ready", updated_at = 0,
        identity = { VpcId = "vpc-2" }, attributes = { Arn = "arn:2" }, properties = { CidrBlock = "10.1.0.0/16" } },
      { address = "new", token = "x", type = "AWS::EC2::EIP", status = "creating", updated_at = 0, attributes = {},
        properties = {} },
    }
  end)

  it("read the state when they are asked", function()
    local state = views.state(store)
    assert.equal("vpc-2", state.rows["network/vpc"].identity.VpcId)
    assert.equal("vpc-1", state.rows["network/vpc (replaced, 01234567)"].identity.VpcId)
    assert.is_nil(state.rows.new.identity)
    rows = {}
    assert.same({}, state.rows)
    assert.same({ url = "https://x" }, state.outputs)
    assert.is_nil(state.nothing)
    assert.equal("state/x.db: 0 resources; fields: history, outputs, rows, runs", tostring(state))
  end)

  it("make rows readable", function()
    local state = views.state(store)
    assert.equal("1970-01-01T00:00:00Z", state.rows.new.updated_at)
    assert.equal(0, state.runs[1].summary.failed)
    assert.same({ { at = "1970-01-01T00:00:01.500Z", detail = { changed = { "Tags" } } } }, state.history)
    assert.same({}, asked)
    assert.equal("Tags", state.rows.new.history[1].detail.changed[1])
    assert.same({ address = "new" }, asked)
    assert.is_table(state.runs[1].history)
    assert.same({ run = 7 }, asked)
    assert.equal('{\n  ["network/vpc"] = AWS::EC2::VPC vpc-2 (ready),\n' ..
      '  ["network/vpc (replaced, 01234567)"] = AWS::EC2::VPC vpc-1 (replaced),\n  new = AWS::EC2::EIP (creating),\n}',
      show.text(state.rows))
    assert.equal("{ apply 7: not finished }", show.text(state.runs))
  end)

  it("throw what the store fails with", function()
    local state = views.state { resources = function()
      return errors.fail { code = "SQLITE_BUSY", message = "busy" }
    end }
    local ok, err = pcall(function()
      return state.rows
    end)
    assert.is_false(ok)
    assert.equal("busy", err.message)
  end)

  it("resolve references by what is recorded", function()
    assert.same({ "vpc-2", "arn:2/x", { a = "10.1.0.0/16" } }, views.resolve({
      "${infra:network/vpc|VpcId}", "${infra:network/vpc|Arn}/x", { a = "${infra:network/vpc|CidrBlock}" },
    }, store))
    for reference, name in pairs {
      ["${infra:network/vpc|Nothing}"] = "network/vpc.Nothing", ["${infra:gone|Arn}"] = "gone.Arn",
      ["${infra:|Account}"] = "account.Account", ["${infra:new|PublicIp}"] = "new.PublicIp",
    } do
      local ok, err = pcall(views.resolve, { reference }, store)
      assert.is_false(ok)
      assert.equal("the state has no " .. name, err.message)
    end
  end)
end)
