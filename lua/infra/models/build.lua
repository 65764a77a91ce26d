-- Compiles the models that the binary carries; run by the Makefile:
--   infra exec lua/infra/models/build.lua NODE_MODULES OUT.db

local c2j = require "infra.models.c2j"
local service_spec = require "infra.models.service_spec"
local sources = require "infra.models.sources"
local writer = require "infra.models.writer"

local node_modules, out = table.unpack(arg)

local compiled = writer.new()
assert(c2j.compile(compiled, assert(sources.aws_sdk(node_modules .. "/aws-sdk"))))
assert(service_spec.compile(compiled, node_modules .. "/@aws-cdk/aws-service-spec"))
assert(compiled:save(out))
