-- The simulated STS: who may assume a role, and what the credentials are worth.

local caller = require "spec.sim.caller"
local crypto = require "host.crypto"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

local ACCOUNT = "123456789012"
local ADMINISTRATOR = "arn:aws:iam::" .. ACCOUNT .. ":user/administrator"
local GITHUB = "token.actions.githubusercontent.com"

-- Runs `body(assume, create, call, world)`: assume(params, how), create(name, statement, changes) a role that the rest
-- of AWS already knows.
local function simulated(body)
  caller.run({}, function(call, _, world)
    local function create(name, statement, changes)
      statement.Effect = statement.Effect or "Allow"
      statement.Action = statement.Action or "sts:AssumeRole"
      local params = merged({
        RoleName = name,
        AssumeRolePolicyDocument = json.encode { Version = "2012-10-17", Statement = { statement } },
      }, changes)
      local role = assert(call("iam", "CreateRole", params)).Role
      world.scheduler:sleep(20)
      return role
    end
    local function assume(params, how)
      params.RoleSessionName = params.RoleSessionName or "session"
      return call("sts", "AssumeRole", params, how)
    end
    body(assume, create, call, world)
  end)
end

local function as(session)
  return {
    credentials = {
      access_key = session.Credentials.AccessKeyId,
      secret_key = session.Credentials.SecretAccessKey,
      session_token = session.Credentials.SessionToken,
    },
  }
end

describe("infra.sim.sts AssumeRole", function()
  it("gives credentials that work until they expire", function()
    simulated(function(assume, create, call, world)
      local role = create("ops", { Principal = { AWS = ACCOUNT } }, { Path = "/team/" })
      local session = assert(assume { RoleArn = role.Arn, DurationSeconds = 900 })
      assert.equal("arn:aws:sts::" .. ACCOUNT .. ":assumed-role/ops/session", session.AssumedRoleUser.Arn)
      local identity = assert(call("sts", "GetCallerIdentity", {}, as(session)))
      assert.same({ session.AssumedRoleUser.Arn, role.RoleId .. ":session" }, { identity.Arn, identity.UserId })
      world.scheduler:sleep(1000)
      assert.equal("ExpiredToken", code(call("sts", "GetCallerIdentity", {}, as(session))))
    end)
  end)

  it("asks the role's trust policy", function()
    simulated(function(assume, create)
      local _, err = assume { RoleArn = "arn:aws:iam::" .. ACCOUNT .. ":role/none" }
      assert.equal("AccessDenied", err.code)
      assert.equal(("User: %s is not authorized to perform: sts:AssumeRole on resource: %s"):format(ADMINISTRATOR,
        "arn:aws:iam::" .. ACCOUNT .. ":role/none"), err.message)
      for name, expected in pairs {
        root = { Principal = { AWS = "arn:aws:iam::" .. ACCOUNT .. ":root" } },
        user = { Principal = { AWS = { ADMINISTRATOR } } },
        star = { Principal = { AWS = "*" }, Condition = { StringEquals = { ["aws:PrincipalAccount"] = ACCOUNT } } },
      } do
        assert(assume { RoleArn = create(name, expected).Arn })
      end
      for name, statement in pairs {
        service = { Principal = { Service = "lambda.amazonaws.com" } },
        other = { Principal = { AWS = "210987654321" } },
        denied = { Principal = { AWS = ACCOUNT }, Effect = "Deny" },
        action = { Principal = { AWS = ACCOUNT }, Action = "sts:TagSession" },
        condition = { Principal = { AWS = "*" }, Condition = { StringLike = { ["aws:PrincipalArn"] = "*:role/*" } } },
      } do
        assert.equal("AccessDenied", code(assume { RoleArn = create(name, statement).Arn }), name)
      end
    end)
  end)

  it("knows a new role only after a while", function()
    simulated(function(assume, _, call)
      local role = assert(call("iam", "CreateRole", {
        RoleName = "new",
        AssumeRolePolicyDocument = json.encode {
          Version = "2012-10-17",
          Statement = { { Effect = "Allow", Principal = { AWS = ACCOUNT }, Action = "sts:AssumeRole" } },
        },
      })).Role
      assert.equal("AccessDenied", code(assume { RoleArn = role.Arn }))
    end)
  end)

  it("wants the external id, and leave for tags", function()
    simulated(function(assume, create)
      local role = create("x", {
        Principal = { AWS = ACCOUNT }, Condition = { StringEquals = { ["sts:ExternalId"] = "secret" } },
      })
      assert.equal("AccessDenied", code(assume { RoleArn = role.Arn }))
      assert.equal("AccessDenied", code(assume { RoleArn = role.Arn, ExternalId = "wrong" }))
      assert(assume { RoleArn = role.Arn, ExternalId = "secret" })
      assert.equal("AccessDenied", code(assume {
        RoleArn = role.Arn, ExternalId = "secret", Tags = { { Key = "k", Value = "v" } },
      }))
      local tagging = create("y", { Principal = { AWS = ACCOUNT }, Action = { "sts:AssumeRole", "sts:TagSession" } })
      assert(assume { RoleArn = tagging.Arn, Tags = { { Key = "k", Value = "v" } } })
    end)
  end)

  it("keeps sessions as short as the role and the chain demand", function()
    simulated(function(assume, create)
      local role = create("x", { Principal = { AWS = ACCOUNT } }, { MaxSessionDuration = 7200 })
      assert.equal("ValidationError", code(assume { RoleArn = role.Arn, DurationSeconds = 899 }))
      assert.equal("ValidationError", code(assume { RoleArn = role.Arn, DurationSeconds = 7201 }))
      assert.equal("ValidationError", code(assume { RoleArn = role.Arn, RoleSessionName = "a b" }))
      local session = assert(assume { RoleArn = role.Arn, DurationSeconds = 7200 })
      assert.equal("ValidationError", code(assume({ RoleArn = role.Arn, DurationSeconds = 3601 }, as(session))))
      assert(assume({ RoleArn = role.Arn }, as(session)))
    end)
  end)

  it("does not take a role for the one that had its name before", function()
    simulated(function(assume, create, call)
      local first = create("first", { Principal = { AWS = ACCOUNT } })
      local second = create("second", { Principal = { AWS = first.Arn } })
      assert(assume({ RoleArn = second.Arn }, as(assert(assume { RoleArn = first.Arn }))))
      assert(call("iam", "DeleteRole", { RoleName = "first" }))
      create("first", { Principal = { AWS = ACCOUNT } })
      assert.equal("AccessDenied", code(assume({ RoleArn = second.Arn }, as(assert(assume { RoleArn = first.Arn })))))
    end)
  end)
end)

describe("infra.sim.sts AssumeRoleWithWebIdentity", function()
  local function token(claims)
    local function part(value)
      return (crypto.base64(json.encode(value)):gsub("%+", "-"):gsub("/", "_"):gsub("=", ""))
    end
    return part { alg = "RS256" } .. "." .. part(claims) .. ".signature"
  end

  it("believes a token of a known provider whose claims the role trusts", function()
    simulated(function(_, create, call, world)
      local provider = "arn:aws:iam::" .. ACCOUNT .. ":oidc-provider/" .. GITHUB
      local role = create("deploy", {
        Principal = { Federated = provider }, Action = "sts:AssumeRoleWithWebIdentity",
        Condition = {
          StringEquals = { [GITHUB .. ":aud"] = "sts.amazonaws.com" },
          StringLike = { [GITHUB .. ":sub"] = "repo:me/*" },
        },
      })
      local function assume(changes, text)
        local claims = merged({
          iss = "https://" .. GITHUB, sub = "repo:me/it:ref:refs/heads/main", aud = "sts.amazonaws.com",
          exp = math.floor(world.time()) + 600,
        }, changes)
        return call("sts", "AssumeRoleWithWebIdentity", {
          RoleArn = role.Arn, RoleSessionName = "ci", WebIdentityToken = text or token(claims),
        })
      end
      assert.equal("InvalidIdentityToken", code(assume {}))
      assert(call("iam", "CreateOpenIDConnectProvider", {
        Url = "https://" .. GITHUB, ClientIDList = { "sts.amazonaws.com" },
      }))
      local session = assert(assume {})
      assert.same({ provider, "sts.amazonaws.com" }, { session.Provider, session.Audience })
      assert.matches("assumed%-role/deploy/ci$", assert(call("sts", "GetCallerIdentity", {}, as(session))).Arn)
      assert.equal("AccessDenied", code(assume { sub = "repo:other/it" }))
      assert.equal("InvalidIdentityToken", code(assume { aud = "other" }))
      assert.equal("ExpiredTokenException", code(assume { exp = 1 }))
      assert.equal("InvalidIdentityToken", code(assume({}, "no token")))
    end)
  end)
end)
