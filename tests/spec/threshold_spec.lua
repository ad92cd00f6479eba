-- SPDX-License-Identifier: Apache-2.0
local threshold = require "apogee.threshold"

local function names(count)
  local list = {}
  for i = 1, count do
    list[i] = ("E%02d"):format(i)
  end
  return list
end

describe("threshold", function()
  for _, case in ipairs {
    { detections = 2, limit = 3, met = false },
    { detections = 3, limit = 3, met = true },
    { detections = 4, limit = 3, met = true },
    { detections = 0, limit = 1, met = false },
  } do
    it(("says %s for %d against %d"):format(case.met, case.detections, case.limit), function()
      assert.equal(case.met, threshold.is_met(case.detections, case.limit))
    end)
  end

  it("says count, total, threshold and the engines", function()
    assert.equal(
      "3 of 60 engines detect it; the threshold is 3. Detected by A, B, C.",
      threshold.explain(3, 60, 3, { "A", "B", "C" })
    )
  end)

  it("names ten engines and counts the rest", function()
    local text = threshold.explain(12, 60, 3, names(12))
    assert.matches("E10 and 2 more%.$", text)
    assert.not_matches("E11", text)
  end)

  it("names no more than there are", function()
    assert.not_matches("more", threshold.explain(10, 60, 3, names(10)))
  end)

  it("does without a total and without engines", function()
    assert.equal("5 engines detect it; the threshold is 2.", threshold.explain(5, nil, 2))
  end)
end)
