-- The simulated AWS Backup's jobs and recovery points: by its API reference and developer guide.
local caller = require "spec.sim.caller"
local joined = require "infra.joined"
local json = require "host.json"

local code = caller.code

local HOUR <const> = 3600
local THERE = { region = "us-west-2" }

-- A cluster, vaults in two regions and a role: { cluster = ARN, role = ARN, call }. `actions`: what the role may do.
local function prepare(call, world, actions)
  local role = assert(call("iam", "CreateRole", { RoleName = "backup", AssumeRolePolicyDocument = json.encode {
    Version = "2012-10-17", Statement = { {
      Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "backup.amazonaws.com" },
    } } } })).Role.Arn
  assert(call("iam", "PutRolePolicy", { RoleName = "backup", PolicyName = "p", PolicyDocument = json.encode {
    Version = "2012-10-17", Statement = { {
      Effect = "Allow", Resource = "*",
      Action = joined({ "tag:GetResources" },
        actions or { "rds:CreateDBClusterSnapshot", "rds:CopyDBClusterSnapshot" }),
    } } } }))
  local vpc = assert(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" })).Vpc.VpcId
  local subnets = {}
  for i, zone in ipairs { "us-east-1a", "us-east-1b" } do
    subnets[i] = assert(call("ec2", "CreateSubnet", { VpcId = vpc, AvailabilityZone = zone,
      CidrBlock = ("10.0.%d.0/24"):format(i) })).Subnet.SubnetId
  end
  assert(call("rds", "CreateDBSubnetGroup", { DBSubnetGroupName = "g", DBSubnetGroupDescription = "g",
    SubnetIds = subnets }))
  local cluster = assert(call("rds", "CreateDBCluster", { DBClusterIdentifier = "demo", Engine = "aurora-postgresql",
    MasterUsername = "dbadmin", MasterUserPassword = "correct-horse", DBSubnetGroupName = "g",
    StorageEncrypted = true })).DBCluster.DBClusterArn
  assert(call("backup", "CreateBackupVault", { BackupVaultName = "vault" }))
  assert(call("backup", "CreateBackupVault", { BackupVaultName = "vault" }, THERE))
  assert(call("backup", "UpdateRegionSettings", { ResourceTypeOptInPreference = { Aurora = true } }))
  world.scheduler:sleep(600)
  return { cluster = cluster, role = role }
end

-- A plan that backs the cluster up every hour for a day, and copies it.
local function plan(call, parts)
  local id = assert(call("backup", "CreateBackupPlan", { BackupPlan = {
    BackupPlanName = "plan", Rules = { {
      RuleName = "hourly", TargetBackupVaultName = "vault", ScheduleExpression = "cron(0 * * * ? *)",
      Lifecycle = { DeleteAfterDays = 1 }, CopyActions = { {
        DestinationBackupVaultArn = "arn:aws:backup:us-west-2:123456789012:backup-vault:vault",
        Lifecycle = { DeleteAfterDays = 2 },
      } },
    } } } })).BackupPlanId
  local selection = assert(call("backup", "CreateBackupSelection", { BackupPlanId = id, BackupSelection = {
    SelectionName = "s", IamRoleArn = parts.role, Resources = { parts.cluster },
  } })).SelectionId
  return id, selection
end

local function points(call, where)
  return assert(call("backup", "ListRecoveryPointsByBackupVault", { BackupVaultName = "vault" }, where)).RecoveryPoints
end

local function states(list)
  local found = {}
  for _, job in ipairs(list) do
    found[job.State] = (found[job.State] or 0) + 1
  end
  return found
end

describe("infra.sim.backup", function()
  it("makes backups on schedule and copies them, each a snapshot of RDS with its region's key", function()
    caller.run({ time = 1704067200 }, function(call, _, world)
      local parts = prepare(call, world)
      plan(call, parts)
      world.scheduler:sleep(HOUR)
      world.scheduler:sleep(HOUR + 1200) -- nobody looked for so long
      assert.same({ COMPLETED = 2 }, states(assert(call("backup", "ListBackupJobs", {})).BackupJobs))
      local made, copied = points(call), points(call, THERE)
      assert.same({ 2, 2 }, { #made, #copied })
      assert.matches("^arn:aws:rds:us%-east%-1:.*:cluster%-snapshot:awsbackup:job%-", made[1].RecoveryPointArn)
      local snapshot = assert(call("rds", "DescribeDBClusterSnapshots",
        { DBClusterSnapshotIdentifier = copied[1].RecoveryPointArn }, THERE)).DBClusterSnapshots[1]
      assert.same({ "available", "awsbackup" }, { snapshot.Status, snapshot.SnapshotType })
      assert.matches(":us%-west%-2:", snapshot.KmsKeyId)
      local vault = assert(call("backup", "DescribeBackupVault", { BackupVaultName = "vault" }))
      assert.equal(2, vault.NumberOfRecoveryPoints)
      local first = math.min(made[1].CreationDate, made[2].CreationDate)
      assert.is_true(first >= 1704067200 + HOUR and first < 1704067200 + HOUR + 1200)
    end)
  end)

  it("backs nothing up, and tells nobody, before the region has opted in, which is each region's own", function()
    caller.run({ time = 1704067200 }, function(call, _, world)
      local function opt_in(value)
        assert(call("backup", "UpdateRegionSettings", { ResourceTypeOptInPreference = { Aurora = value } }))
      end
      local parts = prepare(call, world)
      opt_in(false)
      plan(call, parts)
      world.scheduler:sleep(HOUR)
      assert.same({}, assert(call("backup", "ListBackupJobs", {})).BackupJobs)
      opt_in(true)
      world.scheduler:sleep(HOUR)
      assert.equal(1, #assert(call("backup", "ListBackupJobs", {})).BackupJobs)
      local there = assert(call("backup", "DescribeRegionSettings", {}, THERE)).ResourceTypeOptInPreference
      assert.same({ false, true }, { there.Aurora, there.EBS })
      assert.equal("InvalidParameterValueException",
        code(call("backup", "UpdateRegionSettings", { ResourceTypeOptInPreference = { aurora = true } })))
    end)
  end)

  it("tells how far a job is, and removes points at the end of their lives", function()
    caller.run({ time = 1704067200 }, function(call, _, world)
      local parts = prepare(call, world)
      local id, selection = plan(call, parts)
      world.scheduler:sleep(HOUR - 600 + 60)
      assert.same({ CREATED = 1 }, states(assert(call("backup", "ListBackupJobs", {})).BackupJobs))
      world.scheduler:sleep(300)
      assert.same({ RUNNING = 1 }, states(assert(call("backup", "ListBackupJobs", {})).BackupJobs))
      assert.equal("CREATING", points(call)[1].Status)
      world.scheduler:sleep(120)
      assert.same({ RUNNING = 1 }, states(assert(call("backup", "ListCopyJobs", {})).CopyJobs))
      world.scheduler:sleep(900)
      assert.equal("COMPLETED", points(call, THERE)[1].Status)
      assert(call("backup", "DeleteBackupSelection", { BackupPlanId = id, SelectionId = selection }))
      world.scheduler:sleep(25 * HOUR)
      assert.same({ 0, 1 }, { #points(call), #points(call, THERE) })
      local left = assert(call("rds", "DescribeDBClusterSnapshots", { SnapshotType = "awsbackup" }))
      assert.same({}, left.DBClusterSnapshots)
    end)
  end)

  it("fails jobs whose role may not do what they need", function()
    caller.run({ time = 1704067200 }, function(call, _, world)
      plan(call, prepare(call, world, { "rds:CreateDBClusterSnapshot" }))
      world.scheduler:sleep(HOUR)
      local copies = assert(call("backup", "ListCopyJobs", { ByState = "FAILED" })).CopyJobs
      assert.equal(1, #copies)
      assert.matches("sufficient permissions", copies[1].StatusMessage)
      assert.same({}, points(call, THERE))
    end)
    caller.run({ time = 1704067200 }, function(call, _, world)
      plan(call, prepare(call, world, { "rds:CopyDBClusterSnapshot" }))
      world.scheduler:sleep(HOUR)
      assert.same({ FAILED = 1 }, states(assert(call("backup", "ListBackupJobs", {})).BackupJobs))
      assert.same({}, points(call))
    end)
  end)

  it("backs up and copies on demand, once for each token", function()
    caller.run({}, function(call, _, world)
      local parts = prepare(call, world)
      local request = { BackupVaultName = "vault", ResourceArn = parts.cluster, IamRoleArn = parts.role,
        IdempotencyToken = "t" }
      local job = assert(call("backup", "StartBackupJob", request)).BackupJobId
      assert.equal(job, assert(call("backup", "StartBackupJob", request)).BackupJobId)
      assert.equal("CREATED", assert(call("backup", "DescribeBackupJob", { BackupJobId = job })).State)
      world.scheduler:sleep(330)
      local point = assert(call("backup", "DescribeBackupJob", { BackupJobId = job })).RecoveryPointArn
      local copy = { RecoveryPointArn = point, SourceBackupVaultName = "vault", IamRoleArn = parts.role,
        DestinationBackupVaultArn = "arn:aws:backup:us-west-2:123456789012:backup-vault:vault" }
      assert.equal("InvalidRequestException", code(call("backup", "StartCopyJob", copy)))
      world.scheduler:sleep(300)
      local id = assert(call("backup", "StartCopyJob", copy)).CopyJobId
      world.scheduler:sleep(900)
      assert.equal("COMPLETED", assert(call("backup", "DescribeCopyJob", { CopyJobId = id })).CopyJob.State)
      request.ResourceArn, request.IdempotencyToken = parts.cluster .. "x", nil
      assert.equal("InvalidParameterValueException", code(call("backup", "StartBackupJob", request)))
    end)
  end)

  it("keeps vaults with points in them, and points that their vault's policy keeps", function()
    caller.run({}, function(call, _, world)
      local parts = prepare(call, world)
      assert(call("backup", "StartBackupJob", { BackupVaultName = "vault", ResourceArn = parts.cluster,
        IamRoleArn = parts.role }))
      world.scheduler:sleep(600)
      local which = { BackupVaultName = "vault", RecoveryPointArn = points(call)[1].RecoveryPointArn }
      assert.equal("InvalidRequestException", code(call("backup", "DeleteBackupVault", { BackupVaultName = "vault" })))
      assert.equal("InvalidDBClusterSnapshotStateFault", code(call("rds", "DeleteDBClusterSnapshot",
        { DBClusterSnapshotIdentifier = which.RecoveryPointArn })))
      assert(call("backup", "PutBackupVaultAccessPolicy", { BackupVaultName = "vault", Policy = json.encode {
        Version = "2012-10-17", Statement = { {
          Effect = "Deny", Principal = "*", Action = { "backup:DeleteRecoveryPoint" }, Resource = "*",
        } } } }))
      assert.equal("AccessDeniedException", code(call("backup", "DeleteRecoveryPoint", which)))
      assert(call("backup", "DeleteBackupVaultAccessPolicy", { BackupVaultName = "vault" }))
      assert(call("backup", "DeleteRecoveryPoint", which))
      assert.equal("ResourceNotFoundException", code(call("backup", "DescribeRecoveryPoint", which)))
      assert(call("backup", "DeleteBackupVault", { BackupVaultName = "vault" }))
    end)
  end)
end)

describe("infra.sim.backup.schedule", function()
  local due = require("infra.sim.backup.schedule").due
  local START <const> = 1704067200 -- Monday, 1 January 2024

  it("knows AWS's cron expressions", function()
    local function hours(expression)
      local found = {}
      for i, time in ipairs(due(expression, START, START + 48 * HOUR)) do
        found[i] = (time - START) / HOUR
      end
      return found
    end
    assert.same({ 5, 29 }, hours "cron(0 5 * * ? *)")
    assert.same({ 5.5, 29.5 }, hours "cron(30 5 ? * * *)")
    assert.same({ 12, 24, 36, 48 }, hours "cron(0 0/12 * * ? *)")
    assert.same({ 25, 26, 27 }, hours "cron(0 1-3 ? * TUE *)")
    assert.same({ 1.25, 1.75 }, hours "cron(15,45 1 1 1 ? 2024)")
    assert.same({}, hours "cron(0 5 2 2 ? *)")
    assert.equal(0, #due("cron(0 0 * * ? *)", START, START)) -- it was, when `after` was now
  end)
end)
