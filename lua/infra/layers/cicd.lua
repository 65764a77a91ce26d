-- What builds and deploys: the bucket through which pipelines hand over their artifacts, and the builds' log groups.
--
-- Returns { artifacts }.

local bucket = require "infra.layers.bucket"
local infra = require "infra"

return {
  options = {
    artifact_days = infra.default(30, "days until an artifact expires"),
    log_days = infra.default(30, "days that build logs are kept"),
    pipelines = infra.default({ "infra", "backend", "frontend" }, "names of the pipelines"),
  },
  build = function(stack, options)
    for _, name in ipairs(options.pipelines) do
      stack:resource("AWS::Logs::LogGroup", name .. "-build-logs", {
        LogGroupName = ("/aws/codebuild/%s-%s"):format(stack.name, name), RetentionInDays = options.log_days,
      })
    end
    return {
      artifacts = bucket(stack, "artifacts", stack.name .. "-artifacts-" .. stack.account, {
        LifecycleConfiguration = {
          Rules = {
            {
              Id = "expire", Status = "Enabled", ExpirationInDays = options.artifact_days,
              NoncurrentVersionExpiration = { NoncurrentDays = 1 },
              AbortIncompleteMultipartUpload = { DaysAfterInitiation = 1 },
            },
          },
        },
      }),
    }
  end,
}
