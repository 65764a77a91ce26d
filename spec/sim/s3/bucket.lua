-- S3 for specs: a simulated account, and one with a bucket in it.
--
--   simulated(function(call, sim, world) ... end, options)
--   with_bucket(function(s3, call, world) ... end)    s3(operation, params) adds the bucket's name, "the-bucket"

local caller = require "spec.sim.caller"

local bucket = {}

function bucket.simulated(body, options)
  caller.run(options or {}, body)
end

--- The error's code; fails when there is none.
function bucket.code(output, err)
  assert(output == nil, "the call succeeded")
  return err.code
end

--- The error's code and the HTTP status.
function bucket.problem(output, err, response)
  assert(output == nil, "the call succeeded")
  return { err.code, response.status }
end

function bucket.with_bucket(body)
  bucket.simulated(function(call, _, world)
    assert(call("s3", "CreateBucket", { Bucket = "the-bucket" }))
    body(function(operation, params, how)
      params = params or {}
      params.Bucket = params.Bucket or "the-bucket"
      return call("s3", operation, params, how)
    end, call, world)
  end)
end

return bucket
