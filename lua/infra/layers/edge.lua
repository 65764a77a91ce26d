-- Where visitors arrive: the bucket with the frontend.
--
-- Returns { bucket }.

local bucket = require "infra.layers.bucket"

return {
  options = {},
  build = function(stack)
    return { bucket = bucket(stack, "frontend", stack.name .. "-frontend") }
  end,
}
