-- bootstrap only, replaced soon
return function(arg)
  if arg[1] == "exec" then
    local script = { table.unpack(arg, 3) }
    script[0] = arg[2]
    _G.arg = script
    local chunk = assert(loadfile(arg[2]))
    local ok, result = xpcall(chunk, debug.traceback, table.unpack(script))
    if not ok then
      io.stderr:write(tostring(result), "\n")
      return 1
    end
    return math.type(result) == "integer" and result or 0
  end
  print("infra", arg[1])
  return 0
end
