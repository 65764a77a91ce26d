-- Signatures per second from Lua, beside the HMACs and SHA-256 digests that one consists of.

local clock = require "host.clock"
local crypto = require "host.crypto"
local sigv4 = require "host.sigv4"

local REQUEST <const> = {
  method = "POST", path = "/", query = {}, service = "ec2", region = "us-east-1", access_key = "AKIDEXAMPLE",
  secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", timestamp = 1440938160,
  payload_hash = crypto.hex(crypto.sha256 "Action=DescribeVpcs&Version=2016-11-15"),
  headers = {
    { "host", "ec2.us-east-1.amazonaws.com" }, { "x-amz-date", "20150830T123600Z" },
    { "content-type", "application/x-www-form-urlencoded; charset=utf-8" },
  },
}

local COUNT <const> = 50000

local function per_second(fn)
  local started = clock.monotonic()
  for _ = 1, COUNT do
    fn()
  end
  return COUNT / (clock.monotonic() - started)
end

return function(say)
  local key, text = ("k"):rep(32), ("t"):rep(200)
  local hmacs = per_second(function() return crypto.hmac_sha256(key, text) end)
  local signatures = per_second(function() return sigv4.sign(REQUEST) end)
  say("HMAC-SHA256 of 200 bytes", "%9.0f /s", hmacs)
  say("signatures", "%9.0f /s, as much as %.1f HMACs each", signatures, hmacs / signatures)
end
