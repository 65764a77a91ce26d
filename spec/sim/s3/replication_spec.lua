-- Replication of the simulated S3, by "Replicating objects" in the S3 User Guide.
local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local THERE = { region = "us-west-2" }

-- Two buckets, the first replicated to the second by a role that may do `actions`, and the rule's further members.
local function prepare(call, world, actions, more)
  assert(call("s3", "CreateBucket", { Bucket = "source-of-all" }))
  assert(call("s3", "CreateBucket", { Bucket = "replica-of-all",
    CreateBucketConfiguration = { LocationConstraint = "us-west-2" } }, THERE))
  for name, where in pairs { ["source-of-all"] = false, ["replica-of-all"] = THERE } do
    assert(call("s3", "PutBucketVersioning", { Bucket = name, VersioningConfiguration = { Status = "Enabled" } },
      where or nil))
  end
  local role = assert(call("iam", "CreateRole", { RoleName = "replication", AssumeRolePolicyDocument = json.encode {
    Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "sts:AssumeRole",
      Principal = { Service = "s3.amazonaws.com" } } } } })).Role.Arn
  assert(call("iam", "PutRolePolicy", { RoleName = "replication", PolicyName = "p", PolicyDocument = json.encode {
    Version = "2012-10-17", Statement = { { Effect = "Allow", Resource = "*", Action = actions or {
      "s3:GetObjectVersionForReplication", "s3:ReplicateObject", "s3:ReplicateDelete" } } } } }))
  world.scheduler:sleep(60)
  assert(call("s3", "PutObject", { Bucket = "source-of-all", Key = "old", Body = "before" }))
  local rule = merged({ ID = "r", Status = "Enabled", Priority = 1, Filter = { Prefix = "" },
    DeleteMarkerReplication = { Status = "Enabled" }, Destination = { Bucket = "arn:aws:s3:::replica-of-all" } }, more)
  assert(call("s3", "PutBucketReplication", { Bucket = "source-of-all",
    ReplicationConfiguration = { Role = role, Rules = { rule } } }))
end

local function put(call, key, body)
  return assert(call("s3", "PutObject", { Bucket = "source-of-all", Key = key, Body = body }))
end

local function replica(call, key)
  return call("s3", "GetObject", { Bucket = "replica-of-all", Key = key }, THERE)
end

local function status(call, key)
  return assert(call("s3", "HeadObject", { Bucket = "source-of-all", Key = key })).ReplicationStatus
end

describe("the replication of infra.sim.s3", function()
  it("brings new objects and delete markers, a while later and under their ids, and nothing older", function()
    caller.run({}, function(call, _, world)
      prepare(call, world)
      local made = put(call, "index.html", "one")
      assert.is_nil((replica(call, "index.html")))
      assert.equal("PENDING", status(call, "index.html"))
      world.scheduler:sleep(60)
      local there = assert(replica(call, "index.html"))
      assert.same({ "one", made.VersionId, "REPLICA" }, { there.Body, there.VersionId, there.ReplicationStatus })
      assert.equal("COMPLETED", status(call, "index.html"))
      assert.is_nil((replica(call, "old")))
      assert(call("s3", "DeleteObject", { Bucket = "source-of-all", Key = "index.html" }))
      world.scheduler:sleep(60)
      assert.equal("NoSuchKey", select(2, replica(call, "index.html")).code)
      assert(call("s3", "DeleteObject", { Bucket = "source-of-all", Key = "index.html", VersionId = made.VersionId }))
      world.scheduler:sleep(60)
      assert(call("s3", "GetObject", { Bucket = "replica-of-all", Key = "index.html", VersionId = made.VersionId },
        THERE))
    end)
  end)

  it("brings versions in their order", function()
    caller.run({}, function(call, _, world)
      prepare(call, world)
      for i = 1, 9 do
        put(call, "index.html", tostring(i))
      end
      world.scheduler:sleep(60)
      assert.equal("9", assert(replica(call, "index.html")).Body)
    end)
  end)

  it("brings only what its rule is for", function()
    caller.run({}, function(call, _, world)
      prepare(call, world, nil, { Filter = { Prefix = "assets/" }, DeleteMarkerReplication = { Status = "Disabled" } })
      put(call, "assets/app.js", "x")
      put(call, "index.html", "y")
      world.scheduler:sleep(60)
      assert(replica(call, "assets/app.js"))
      assert.is_nil((replica(call, "index.html")))
      assert(call("s3", "DeleteObject", { Bucket = "source-of-all", Key = "assets/app.js" }))
      world.scheduler:sleep(60)
      assert(replica(call, "assets/app.js"))
    end)
  end)

  it("fails when the role may not", function()
    caller.run({}, function(call, _, world)
      prepare(call, world, { "s3:ReplicateObject" })
      put(call, "index.html", "one")
      world.scheduler:sleep(60)
      assert.is_nil((replica(call, "index.html")))
      assert.equal("FAILED", status(call, "index.html"))
    end)
  end)
end)
