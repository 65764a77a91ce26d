-- infra exec spec/fuzz/seeds.lua DIRECTORY: writes the seeds of every target into DIRECTORY/<target>/. Used by
-- `make fuzz`.

package.path = "./?.lua"

local crypto = require "host.crypto"
local fs = require "host.fs"
local targets = require "spec.fuzz.targets"

assert(fs.mkdir(arg[1]))
for name, target in pairs(targets) do
  local directory = ("%s/%s"):format(arg[1], name)
  assert(fs.mkdir(directory))
  for _, seed in ipairs(target.seeds()) do
    assert(fs.write(("%s/%s"):format(directory, crypto.hex(crypto.sha256(seed)):sub(1, 16)), seed))
  end
end
