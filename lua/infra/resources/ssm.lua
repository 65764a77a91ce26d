-- SSM parameters. The vocabulary is in handler/schema.lua.

local FIELDS = { "Name", "Value", "Type", "Description", "AllowedPattern", "Tier", "Policies", "DataType" }

return {
  ["AWS::SSM::Parameter"] = {
    service = "ssm",
    identity = { "Name" },
    name = { property = "Name", limit = 1011 },
    retry = { { "TooManyUpdates", 60 } },
    defaults = { Tier = "Standard", DataType = "text" },
    create = { "PutParameter", send = FIELDS, exists = { "ParameterAlreadyExists" } },
    read = {
      "GetParameters",
      list = "Parameters", key = "Name", ids = "Names", max = 10, map = { "Name", "Value", "Type", "DataType", "Arn=ARN" },
      decode = function(parameter, values)
        if parameter.Type == "SecureString" then -- not decrypted: says nothing
          values.Value = nil
        end
      end,
    },
    facets = {
      {
        properties = { "Value", "Type", "Description", "AllowedPattern", "Tier", "Policies", "DataType" },
        write = { "PutParameter", send = FIELDS, with = { Overwrite = true } },
      },
    },
    tags = {
      form = "list", create = "Tags",
      set = { "AddTagsToResource", send = { "Name=ResourceId" }, with = { ResourceType = "Parameter" }, tags = "Tags" },
      unset = { "RemoveTagsFromResource", send = { "Name=ResourceId" }, with = { ResourceType = "Parameter" },
        keys = "TagKeys" },
      read = { "ListTagsForResource", send = { "Name=ResourceId" }, with = { ResourceType = "Parameter" }, list = "TagList",
        absent = { "InvalidResourceId" } },
    },
    delete = { "DeleteParameter", send = { "Name" } },
    gone = { "ParameterNotFound" },
  },
}
