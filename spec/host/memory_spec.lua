-- host/memory.c: what Lua keeps in blocks of every size stays as it was, however the blocks grow, shrink and change
-- hands.

local LONGEST <const> = 600 -- bytes, well beyond the blocks that are not malloc's

describe("the host's memory", function()
  it("keeps texts of every length apart", function()
    local texts = {}
    for round = 1, 3 do
      for length = 1, LONGEST do
        texts[length] = string.char(64 + round):rep(length)
      end
      collectgarbage() -- the last round's
    end
    for length = 1, LONGEST do
      assert.equal(("C"):rep(length), texts[length])
    end
  end)

  it("keeps what is in a table that grows and shrinks", function()
    local list, named = {}, {}
    for i = 1, LONGEST do
      list[i], named["key " .. i] = i, -i
    end
    for i = LONGEST, 11, -1 do
      list[i], named["key " .. i] = nil, nil
    end
    collectgarbage()
    list.more, named.more = true, true -- makes both find their size anew
    for i = 1, 10 do
      assert.equal(i, list[i])
      assert.equal(-i, named["key " .. i])
    end
  end)

  it("keeps what is on a stack that grows and shrinks", function()
    local function sum(n)
      return n == 0 and 0 or n + sum(n - 1)
    end
    for _ = 1, 3 do
      local thread = coroutine.wrap(function()
        coroutine.yield(sum(5000))
        collectgarbage() -- takes most of the stack back
        return sum(10)
      end)
      assert.equal(12502500, thread())
      assert.equal(55, thread())
    end
  end)
end)
