-- Local::File: a file on the machine that runs infra. For what other programs must know of a stack: the settings of a
-- frontend, an inventory, a kubeconfig. Also the example of a plug-in; see README.md.

local errors = require "infra.errors"
local fs = require "host.fs"

local DEFAULT_MODE <const> = "0644"

local function absolute(path)
  return path:sub(1, 1) == "/" and path or fs.cwd() .. "/" .. path
end

-- "644" and "0644" are the same mode.
local function canonical_mode(text)
  local bits = tonumber(text, 8)
  return bits and ("%04o"):format(bits) or text
end

local function write(op, path, scope)
  local bits = tonumber(scope.Mode or DEFAULT_MODE, 8)
  if not bits or bits < 0 or bits > 4095 then
    return errors.fail { code = "BadMode", resource = op.address, source = op.source,
      message = ("Mode must be an octal number such as \"0644\", is %q"):format(scope.Mode) }
  end
  local ok, err = fs.mkdir(path:match "^(.*)/")
  if not ok then
    return nil, err
  end
  return fs.write(path, scope.Content, bits)
end

-- A file that is in the way is not overwritten, unless the stack says { adopt = true }. One with the same content may
-- be what an interrupted run has left behind.
local function create(op, scope)
  local path = absolute(scope.Path)
  local present = fs.read(path)
  if present and present ~= scope.Content and not op.adopt then
    return errors.fail { code = "AlreadyExists", resource = op.address, source = op.source,
      message = path .. " exists and does not belong to this stack",
      hint = "remove it, or take it over with { adopt = true } in the resource's options" }
  end
  local ok, err = write(op, path, scope)
  if not ok then
    return nil, err
  end
  return { AbsolutePath = path }
end

-- What is there now; nil when nothing is. Content that is a secret is known to the state only by its digest: it is not
-- read back, so that no plan can show it.
local function observe(_, scope)
  local found, err = fs.stat(scope.AbsolutePath)
  if not found then
    return nil, err.code ~= "ENOENT" and err or nil
  end
  local content
  content, err = fs.read(scope.AbsolutePath)
  if not content then
    return nil, err
  end
  return {
    values = {
      AbsolutePath = scope.AbsolutePath, Path = scope.Path, Mode = ("%04o"):format(found.mode),
      Content = type(scope.Content) ~= "table" and content or nil,
    },
  }
end

local function delete(_, known)
  local ok, err = fs.remove(known.AbsolutePath)
  if not ok and err.code ~= "ENOENT" then
    return nil, err
  end
  return true
end

local file = {
  schema = {
    documentation = "A file on the machine that runs infra.",
    properties = {
      Path = {
        type = { type = "string" }, required = true, replacement = "yes",
        documentation = "Where it is; a relative path starts at the directory that infra runs in.",
      },
      Content = { type = { type = "string" }, required = true, documentation = "All of what is in it." },
      Mode = {
        type = { type = "string" }, default = DEFAULT_MODE, documentation = "Who may read and write it, in octal.",
      },
    },
    attributes = {
      AbsolutePath = { type = { type = "string" }, documentation = "Where it is, from the root directory." },
    },
    primary_identifier = { "AbsolutePath" },
  },
  handler = {
    identity = { "AbsolutePath" },
    create = { run = create, covers = { "Path", "Content", "Mode" } },
    observe = observe,
    facets = {
      {
        properties = { "Content", "Mode" },
        write = function(op, scope)
          return write(op, scope.AbsolutePath, scope)
        end,
      },
    },
    delete = { run = delete },
    defaults = { Mode = DEFAULT_MODE },
    canonical = { Mode = canonical_mode },
    typical = { create = 0, update = 0, delete = 0 },
  },
}

return {
  api = 1,
  name = "local",
  summary = "Files on the machine that runs infra",
  types = { ["Local::File"] = file },
}
