-- `infra version`: the version of this program and of the Lua inside it.

local version = {
  name = "version",
  summary = "Print the version",
}

function version.run(_, context)
  context.out(("infra %s (%s)\n"):format(context.version, _VERSION))
end

return version
