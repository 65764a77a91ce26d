-- CloudWatch Logs groups. The vocabulary is in handler/schema.lua.

return {
  ["AWS::Logs::LogGroup"] = {
    service = "logs",
    identity = { "LogGroupName" },
    name = { property = "LogGroupName", limit = 512 },
    retry = { { "OperationAbortedException", 60 } },
    defaults = { LogGroupClass = "STANDARD" },
    create = {
      "CreateLogGroup", send = { "LogGroupName=logGroupName", "KmsKeyId=kmsKeyId", "LogGroupClass=logGroupClass" },
      exists = { "ResourceAlreadyExistsException" },
    },
    read = {
      "DescribeLogGroups",
      list = "logGroups", key = "logGroupName", ids = "logGroupIdentifiers", max = 50,
      map = {
        "LogGroupName=logGroupName", "RetentionInDays=retentionInDays", "KmsKeyId=kmsKeyId",
        "LogGroupClass=logGroupClass",
        "Arn=arn",
      },
      decode = function(_, values) -- tags want the ARN without the ":*" that policies need
        values.LogGroupArn = values.Arn and values.Arn:gsub(":%*$", "")
      end,
    },
    facets = {
      {
        properties = { "RetentionInDays" },
        write = { "PutRetentionPolicy", send = { "LogGroupName=logGroupName", "RetentionInDays=retentionInDays" } },
        clear = { "DeleteRetentionPolicy", send = { "LogGroupName=logGroupName" } },
      },
      {
        properties = { "KmsKeyId" },
        write = { "AssociateKmsKey", send = { "LogGroupName=logGroupName", "KmsKeyId=kmsKeyId" } },
        clear = { "DisassociateKmsKey", send = { "LogGroupName=logGroupName" } },
      },
    },
    tags = {
      arn = "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}", form = "map", create = "tags",
      set = { "TagResource", send = { "LogGroupArn=resourceArn" }, tags = "tags" },
      unset = { "UntagResource", send = { "LogGroupArn=resourceArn" }, keys = "tagKeys" },
      read = { "ListTagsForResource", send = { "LogGroupArn=resourceArn" }, list = "tags",
        absent = { "ResourceNotFoundException" } },
    },
    delete = { "DeleteLogGroup", send = { "LogGroupName=logGroupName" } },
    gone = { "ResourceNotFoundException" },
  },
}
