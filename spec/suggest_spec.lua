local suggest = require "infra.suggest"

describe("infra.suggest", function()
  local NAMES = { "DescribeVpcs", "DescribeSubnets", "CreateVpc", "DeleteVpc", "ec2", "ecr", "ecs" }

  it("finds the name with a letter too few, too many, wrong or out of place, whatever its case", function()
    for _, name in ipairs { "CreateVp", "CreateeVpc", "CreateVbc", "CerateVpc", "createvpc" } do
      assert.equal(", did you mean CreateVpc?", suggest(name, NAMES), name)
    end
  end)

  it("names all that are equally near", function()
    assert.equal(", did you mean ec2 or ecr or ecs?", suggest("ecx", NAMES))
  end)

  it("says nothing when nothing is near", function()
    assert.equal("", suggest("RunInstances", NAMES))
    assert.equal("", suggest("", NAMES))
    assert.equal("", suggest("x", {}))
  end)
end)
