local Deployment = require "infra.deployment"
local World = require "spec.engine.world"
local fs = require "host.fs"
local plugins = require "infra.plugins"
local resources = require "infra.resources"
local temporary = require "spec.support.temporary"

describe("plug-ins", function()
  local root, remove = temporary()
  local package_path = package.path
  teardown(remove)

  after_each(function()
    package.path = package_path -- loading a stack sets it
  end)

  local function write(name, code)
    assert(fs.mkdir(("%s/plugins/%s"):format(root, name)))
    assert(fs.write(("%s/plugins/%s/plugin.lua"):format(root, name), code))
  end

  local NOTE = [[
    local note = {
      schema = {
        properties = {
          Text = { type = { type = "string" }, required = true },
          Words = { type = { type = "array", element = { type = "string" } } },
        },
        attributes = { Id = { type = { type = "string" } } },
        primary_identifier = { "Id" },
      },
      handler = {
        identity = { "Id" },
        create = { covers = { "Text", "Words" }, run = function() return { Id = "1" } end },
        observe = function() return { values = {} } end,
        delete = { run = function() return true end },
      },
    }
    return { api = 1, name = "note", summary = "Notes", types = { ["Example::Note"] = note } }
  ]]

  -- NOTE with every text in `changes` replaced.
  local function changed(changes)
    local code = NOTE
    for text, replacement in pairs(changes) do
      local first, last = assert(code:find(text, 1, true))
      code = code:sub(1, first - 1) .. replacement .. code:sub(last + 1)
    end
    return code
  end

  -- The error of loading it, as people see it, without the folder.
  local function fault(code)
    write("note", code)
    local ok, err = plugins.load("note", root)
    assert.is_nil(ok)
    assert.is_nil(err.message:find("\n", 1, true))
    local text = tostring(err)
    assert.equal(1, (text:find(root .. "/plugins/note/plugin.lua:", 1, true)), text)
    return text:sub(#root + #"/plugins/note/plugin.lua:" + 1)
  end

  it("bring resource types, checked like AWS's own", function()
    write("note", NOTE)
    assert.is_true(plugins.load("note", root))
    local note = assert(resources.type "Example::Note")
    assert.same({ Text = true, Words = true }, note.supported)
    assert.same({}, note.updatable)
  end)

  it("may send what is not a property but the operation's own", function()
    write("note", changed { ["create = {"] = 'create = { send = { "@token=clientToken" },' })
    assert.is_true(plugins.load("note", root))
  end)

  it("are read again when they are loaded again", function()
    write("note", changed { ['"Text", "Words"'] = '"Text", "Words", "More"', ["Text = {"] =
      'More = { type = { type = "json" } }, Text = {' })
    assert.is_true(plugins.load("note", root))
    assert.is_true(assert(resources.type "Example::Note").supported.More)
  end)

  it("fail alone when their handler is wrong, by the name of the resource, and can be corrected", function()
    local world = World.new()
    local declaration
    local function load_note(changes)
      write("note", changed(changes))
      assert(plugins.load("note", root))
      declaration = World.declare(function(stack)
        stack:resource("Example::Note", "note", { Text = "x" })
        stack:resource("AWS::SNS::Topic", "topic", {})
      end)
    end
    load_note { ['return { Id = "1" }'] = "return {}" }
    local failure, run = world:failure(declaration)
    assert.same({ "NoIdentity", "note", 1 }, { failure.code, failure.resource, run.result.done.create })
    load_note {}
    world:run(declaration)
    world:unchanged(declaration)
    load_note { ["return { values = {} }"] = 'error "no such field"' }
    local _, err = world:plan(declaration)
    assert.equal("note", err.resource)
    assert.matches("no such field", err.message)
    world:close()
  end)

  -- A handler for a type of AWS's that infra has none for.
  local STREAM = [[
    local stream = {
      service = "logs",
      identity = { "LogStreamName", "LogGroupName" },
      name = { property = "LogStreamName", limit = 512 },
      create = { "CreateLogStream", send = { "LogGroupName=logGroupName", "LogStreamName=logStreamName" } },
      read = {
        "DescribeLogStreams", send = { "LogGroupName=logGroupName" }, list = "logStreams", key = "logStreamName",
        prefix = "logStreamNamePrefix", map = { "LogStreamName=logStreamName" },
      },
      delete = { "DeleteLogStream", send = { "LogGroupName=logGroupName", "LogStreamName=logStreamName" } },
      gone = { "ResourceNotFoundException" },
    }
    return { api = 1, name = "streams", summary = "Log streams",
      types = { ["AWS::Logs::LogStream"] = { handler = stream } } }
  ]]

  it("bring handlers for AWS's types, whose schema is AWS's", function()
    write("streams", STREAM)
    local path = root .. "/streams.lua"
    assert(fs.write(path, [[
      local infra = require "infra"
      return infra.stack { project = "spec", environment = "streams", region = "us-east-1", plugins = { "streams" },
        options = { member = infra.default("LogGroupName", "what is given") },
        build = function(stack, options)
          local logs = stack:resource("AWS::Logs::LogGroup", "logs", {})
          stack:resource("AWS::Logs::LogStream", "audit", { [options.member] = logs })
        end }
    ]]))
    local function run(destroy)
      local deployment <close> = assert(Deployment.open {
        path = path, sim = true, writable = true, command = "spec", version = "spec",
      })
      return deployment:run(function()
        local plan = assert(deployment:plan { destroy = destroy })
        assert.equal("done", assert(deployment:apply(plan, function() end)).outcome)
        return plan.changes[1].action
      end)
    end
    assert.equal("create", run())
    assert.equal("none", run())
    assert.equal("delete", run(true))
    local deployment, err = Deployment.open { path = path, sim = true, set = { member = "LogGroupNam" } }
    assert.is_nil(deployment)
    assert.matches("AWS::Logs::LogStream has no property 'LogGroupNam', did you mean LogGroupName?", tostring(err), 1,
      true)
  end)

  it("are refused with calls that AWS does not have", function()
    local code = STREAM:gsub('"streams"', '"note"')
    assert.equal(" AWS::Logs::LogStream.create: logs has no operation CreateLogStrea, did you mean CreateLogStream?",
      fault((code:gsub("CreateLogStream", "CreateLogStrea"))))
  end)

  it("bring layers", function()
    write("layered", [[
      return { api = 1, name = "layered", summary = "A layer", layers = {
        spec_values = { options = {}, build = function(stack)
          return { value = stack:resource("Infra::Value", "one", { Value = 1 }) }
        end },
      } }
    ]])
    local path = root .. "/stack.lua"
    assert(fs.write(path, [[
      return require "infra".stack { project = "spec", environment = "layers", region = "us-east-1",
        plugins = { "layered" }, build = function(stack) stack:layer "spec_values" end }
    ]]))
    local deployment <close> = assert(Deployment.open { path = path, sim = true })
    assert.truthy(deployment.declaration.resources["spec_values/one"])
  end)

  it("are refused when they were written for another version of the interface", function()
    local text = fault(changed { ["api = 1"] = "api = 2" })
    assert.equal(" api: it was written for version 2 of the plug-in interface, this is version 1", text)
    assert.matches("written for version nil", fault "return { name = 'note' }")
  end)

  it("are refused with the line when their file is no Lua or fails", function()
    assert.matches("^2: .*near 'nothing'", fault "return {\nno nothing }")
    assert.matches("^1: attempt to index a nil value", fault "local x = nil; return x.y")
    assert.matches("^2: .*undeclared global 'oops'", fault "\noops = 1")
    assert.matches("plugin.lua: must be a table, is a nil", fault "")
  end)

  it("are refused with the way to what is wrong in their manifest", function()
    for message, code in pairs {
      ["plugin.lua: there is no field 'sumary', did you mean summary?"] = changed { ["summary ="] = "sumary =" },
      ["plugin.lua: 'summary' is missing"] = changed { ['summary = "Notes",'] = "" },
      ["plugin.lua: 'types' must be a table, is a string"] =
        "return { api = 1, name = 'note', summary = '', types = 'x' }",
      ["name: 'nota' must be the folder's, 'note'"] = changed { ['"note"'] = '"nota"' },
      ["types: 'Infra::Note' is no name for a plug-in's type"] = changed { ["Example::Note"] = "Infra::Note" },
      ["types: infra has a handler of its own for AWS::EC2::VPC"] = changed { ["Example::Note"] = "AWS::EC2::VPC" },
      ["types: there is no resource type called AWS::SQS::Queu, did you mean AWS::SQS::Queue?"] =
        changed { ["Example::Note"] = "AWS::SQS::Queu" },
      ["AWS::SQS::Queue: there is no field 'schema'"] = changed { ["Example::Note"] = "AWS::SQS::Queue" },
      ["types: 'Note' is no name for a plug-in's type"] = changed { ["Example::Note"] = "Note" },
      ["layer network: infra has one of that name"] = changed { ["types ="] =
        "layers = { network = { options = {}, build = print } }, types =" },
      ["layer x: 'build' is missing"] = changed { ["types ="] = "layers = { x = { options = {} } }, types =" },
    } do
      assert.matches(message, fault(code), 1, true)
    end
  end)

  it("are refused with the way to what is wrong in a schema", function()
    for message, code in pairs {
      ["Example::Note: 'handler' is missing"] = "return { api = 1, name = 'note', summary = '', types = { " ..
        "['Example::Note'] = { schema = {} } } }",
      ["Example::Note.schema: 'primary_identifier' is missing"] = changed { ['primary_identifier = { "Id" },'] = "" },
      ["Example::Note.schema.properties.Text: there is no field 'requird', did you mean required?"] =
        changed { ["required"] = "requird" },
      ["Example::Note.schema.properties.Text: 'required' must be a boolean, is a string"] =
        changed { ["required = true"] = "required = 'yes'" },
      ["Example::Note.schema.properties.Text: 'replacement' must be \"yes\", \"maybe\" or \"no\""] =
        changed { ["required = true"] = "replacement = 'always'" },
      ["Example::Note.schema.properties.Text.type: must be { type = ... } with one of array, boolean"] =
        changed { ['{ type = { type = "string" }, required'] = '{ type = { type = "text" }, required' },
      ["Example::Note.schema.properties.Words.type.element: must be { type = ... }"] =
        changed { [', element = { type = "string" }'] = "" },
      ["Example::Note: what identifies it, 'Ident', is neither a property nor an attribute"] =
        changed { ['primary_identifier = { "Id" }'] = 'primary_identifier = { "Ident" }' },
    } do
      assert.matches(message, fault(code), 1, true)
    end
  end)

  it("are refused with the way to what is wrong in a handler", function()
    for message, code in pairs {
      ["Example::Note.creat: there is no such entry in a handler spec"] = changed { ["create ="] = "creat =" },
      ["Example::Note.delete.rum: there is no such entry"] = changed { ["delete = { run"] = "delete = { rum" },
      ["Example::Note.observe: must be a function, is a string"] =
        changed { ["function() return { values = {} } end"] = '"look"' },
      ["Example::Note: a handler spec needs 'delete'"] =
        changed { ["delete = { run = function() return true end },"] = "" },
      ["Example::Note.handler: there is no property 'Txet', did you mean Text?"] =
        changed { ['{ "Text",'] = '{ "Txet",' },
      ["Example::Note.handler: nothing sets the property 'Words'"] = changed { ['{ "Text", "Words" }'] = '{ "Text" }' },
      ["Example::Note.facets[1]: must be a table"] = changed { ["observe ="] = "facets = { 'x' }, observe =" },
    } do
      assert.matches(message, fault(code), 1, true)
    end
  end)

  it("cannot declare what another has declared", function()
    write("note", NOTE)
    assert.is_true(plugins.load("note", root))
    write("copy", changed { ['"note"'] = '"copy"' })
    local ok, err = plugins.load("copy", root)
    assert.is_nil(ok)
    assert.equal(("%s/plugins/copy/plugin.lua: type Example::Note: %s/plugins/note/plugin.lua declares one too"):format(
      root, root), tostring(err))
  end)

  it("that are not there are named, with what is", function()
    write("note", NOTE)
    local ok, err = plugins.load("nota", root)
    assert.is_nil(ok)
    assert.equal("there is no plug-in 'nota', did you mean note?", err.message)
    assert.equal(("it would be %s/plugins/nota/plugin.lua"):format(root), err.hint)
    ok, err = plugins.load("note", nil)
    assert.is_nil(ok)
    assert.equal("UnknownPlugin", err.code)
  end)

  it("that fail stop the stack that names them", function()
    local path = root .. "/broken.lua"
    assert(fs.write(path, [[
      return require "infra".stack { project = "spec", environment = "broken", region = "us-east-1",
        plugins = { "absent" }, build = function() end }
    ]]))
    local deployment, err = Deployment.open { path = path, sim = true }
    assert.is_nil(deployment)
    assert.equal("there is no plug-in 'absent'", err.message)
  end)
end)
