-- Signatures per second: host.sigv4's alone, beside the speed that OpenSSL measures of its own HMAC; and the client's
-- signing of a whole request (hash, headers, signature) beside botocore's, where Python has it.

local clock = require "host.clock"
local crypto = require "host.crypto"
local program = require "spec.support.program"
local signer = require "infra.aws.signer"
local sigv4 = require "host.sigv4"

local COUNT <const> = 50000
local BODY <const> = "Action=DescribeVpcs&Version=2016-11-15"
local KEYS <const> = { access_key = "AKIDEXAMPLE", secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" }

local SIGNED <const> = {
  method = "POST", path = "/", query = {}, service = "ec2", region = "us-east-1", access_key = KEYS.access_key,
  secret_key = KEYS.secret_key, timestamp = 1440938160, payload_hash = crypto.hex(crypto.sha256(BODY)),
  headers = {
    { "host", "ec2.us-east-1.amazonaws.com" }, { "x-amz-date", "20150830T123600Z" },
    { "content-type", "application/x-www-form-urlencoded; charset=utf-8" },
  },
}

local REQUEST <const> = {
  method = "POST", path = "/", query = {}, body = BODY,
  headers = { { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" } },
}
local OPTIONS <const> = {
  endpoint = { signing_name = "ec2", signing_region = "us-east-1" }, credentials = KEYS, timestamp = 1440938160,
}

local PYTHON <const> = [[
import time
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
signer = SigV4Auth(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "ec2", "us-east-1")
headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
def sign():
    signer.add_auth(AWSRequest("POST", "https://ec2.us-east-1.amazonaws.com/", headers=headers,
                               data="Action=DescribeVpcs&Version=2016-11-15"))
sign()
count, started = 5000, time.perf_counter()
for _ in range(count):
    sign()
print(count / (time.perf_counter() - started))
]]

local function per_second(fn)
  collectgarbage() -- what earlier measurements left is not to be paid for here
  local started = clock.monotonic()
  for _ = 1, COUNT do
    fn()
  end
  return COUNT / (clock.monotonic() - started)
end

-- What another program says, as a number; nil when it is not installed.
local function measured(argv, pattern)
  local ran, ended = pcall(program.run, { argv = argv })
  return ran and ended.status == 0 and tonumber(ended.stdout:match(pattern)) or nil
end

return function(say)
  local signatures = per_second(function() return sigv4.sign(SIGNED) end)
  say("signatures", "%9.0f /s", signatures)
  local kilobytes = measured({ "openssl", "speed", "-seconds", "1", "-bytes", "200", "-hmac", "sha256" },
    "hmac%(sha256%)%s+([%d.]+)k")
  if kilobytes then
    local hmacs = kilobytes * 1000 / 200
    say("OpenSSL's own HMAC-SHA256 of 200 bytes", "%9.0f /s, one signature costs %.1f", hmacs, hmacs / signatures)
  end
  local requests = per_second(function() return signer.sign(REQUEST, "ec2.us-east-1.amazonaws.com", OPTIONS) end)
  say("requests signed", "%9.0f /s", requests)
  local botocore = measured({ "python3", "-c", PYTHON }, "[%d.]+")
  if botocore then
    say("requests signed by botocore", "%9.0f /s, infra does %.0f times as many", botocore, requests / botocore)
  end
end
