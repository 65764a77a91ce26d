-- Connections to where sources are. The vocabulary is in handler/schema.lua.
--
-- A connection is PENDING until a person has authorised it in the console; nothing waits for that. Names repeat, and
-- there is no token: only its tag tells ours. The ARN says codeconnections or codestar-connections, by the call that
-- made it or that asks; the one that was answered first holds.

return {
  ["AWS::CodeConnections::Connection"] = {
    service = "codeconnections",
    identity = { "ConnectionArn" },
    name = { property = "ConnectionName", limit = 32 },
    typical = { create = 1, delete = 1 },
    retry = { { "ResourceUnavailableException", 60 } },
    irreplaceable = "a new connection works only after a person has authorised it",
    create = { "CreateConnection", send = { "ConnectionName", "ProviderType", "HostArn" } },
    find = {
      "ListConnections", list = "Connections", next = "NextToken", send = { "ProviderType=ProviderTypeFilter" },
      same = { "ConnectionName" }, id = { "ConnectionArn" }, shared = true,
    },
    read = {
      "GetConnection", send = { "ConnectionArn" }, item = "Connection",
      map = { "ConnectionArn", "ConnectionName", "ConnectionStatus", "ProviderType", "HostArn", "OwnerAccountId" },
      decode = function(_, values, scope)
        values.ConnectionArn = scope.ConnectionArn or values.ConnectionArn
      end,
    },
    tags = {
      arn = "ConnectionArn", form = "list", create = "Tags",
      set = { "TagResource", send = { "ConnectionArn=ResourceArn" }, tags = "Tags" },
      unset = { "UntagResource", send = { "ConnectionArn=ResourceArn" }, keys = "TagKeys" },
      read = { "ListTagsForResource", send = { "ConnectionArn=ResourceArn" }, list = "Tags" },
    },
    delete = { "DeleteConnection", send = { "ConnectionArn" } },
    gone = { "ResourceNotFoundException" },
    warn = function(values, properties)
      if values.ConnectionStatus ~= "AVAILABLE" then
        return ("the connection %s must be authorised in the console: Developer Tools, Settings, Connections")
          :format(properties.ConnectionName)
      end
    end,
  },
}
