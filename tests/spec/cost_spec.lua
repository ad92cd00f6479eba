-- SPDX-License-Identifier: Apache-2.0
local cost = require "apogee.cost"

local HOW = "cost: must return { http = 2 } or { http = { least = 0, most = 2 } }"

local function of(said, params, entity)
  local fn = type(said) == "function" and said or function() return said end
  return cost.of({ cost = fn }, params or {}, entity)
end

describe("what an action says of its cost", function()
  for _, case in ipairs {
    { { http = 2 }, { least = 2, most = 2 } }, { { http = 0 }, { least = 0, most = 0 } },
    { {}, { least = 0, most = 0 } },
    { { http = { least = 1, most = 3 } }, { least = 1, most = 3 } },
  } do
    it("is from the least to the most", function() assert.same(case[2], (of(case[1]))) end)
  end

  it("goes by parameters, which are its own, and the entity", function()
    local params = { details = true }
    local ends = of(function(given, entity)
      given.details = nil
      return { http = entity.internal and 0 or 5 }
    end, params, { internal = false })
    assert.equal(5, ends.most)
    assert.is_true(params.details)
  end)

  for _, said in ipairs {
    7, "one", { http = -1 }, { http = 1.5 }, { http = "1" }, { http = { least = 2, most = 1 } },
    { http = { least = 1 } }, { http = 10000000 },
  } do
    it("is refused when it is none", function()
      local ends, problem = of(said)
      assert.is_nil(ends)
      assert.equal(HOW, problem)
    end)
  end

  it("is refused for what is counted anyhow", function()
    local ends, problem = of { vt = 1 }
    assert.is_nil(ends)
    assert.equal("cost: unknown key vt: only http is said, the rest is counted", problem)
  end)

  it("may fail, and says with what", function()
    local ends, problem = of(function() error("boom", 0) end)
    assert.is_nil(ends)
    assert.equal("cost: boom", problem)
  end)
end)
