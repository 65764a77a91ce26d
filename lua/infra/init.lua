-- What stack files, layers and plug-ins see: `local infra = require "infra"`.

local options = require "infra.options"
local reference = require "infra.engine.reference"
local stack = require "infra.engine.stack"

return {
  --- Defines a stack; see engine/stack.
  stack = stack.define,
  optional = options.optional,
  required = options.required,
  default = options.default,
  one_of = options.one_of,
  --- A value that is sent to AWS and shown or stored nowhere; see engine/reference.
  secret = reference.secret,
}
