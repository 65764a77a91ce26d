-- A stack that uses the plug-in `local`: a log group, and a file that says where the logs are.
local infra = require "infra"

return infra.stack {
  project = "spec", environment = "plugin", region = "us-east-1",
  plugins = { "local" },

  options = {
    path = infra.default("logs.txt", "where the file goes"),
    mode = infra.optional("string", "its permissions"),
    days = infra.default(7, "how long logs are kept"),
    password = infra.optional("string", "a secret to keep in a second file"),
  },

  build = function(stack, options)
    local logs = stack:resource("AWS::Logs::LogGroup", "logs", { RetentionInDays = options.days })
    local file = stack:resource("Local::File", "file", {
      Path = options.path, Mode = options.mode,
      Content = ("%s is kept for %d days\n"):format(logs.Arn, options.days),
    })
    if options.password then
      stack:resource("Local::File", "secret", {
        Path = options.path .. ".secret", Mode = "0600", Content = infra.secret(options.password),
      })
    end
    stack:output("file", file.AbsolutePath)
  end,
}
