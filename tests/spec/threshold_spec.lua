-- SPDX-License-Identifier: Apache-2.0
local entity_of = require "spec.support.entity"
local threshold = require "apogee.threshold"

local function names(count)
  local list = {}
  for i = 1, count do
    list[i] = ("E%02d"):format(i)
  end
  return list
end

describe("threshold", function()
  setup(function() require("spec.support.vt").install(_G) end)

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

  it("counts one more, and names one alone", function()
    assert.matches("E10 and 1 more%.$", threshold.explain(11, 60, 3, names(11)))
    assert.matches("Detected by E01%.$", threshold.explain(1, 60, 1, names(1)))
    assert.equal("1 of 60 engines detect it; the threshold is 1.", threshold.explain(1, 60, 1, {}))
  end)

  it("names no more than there are", function()
    assert.not_matches("more", threshold.explain(10, 60, 3, names(10)))
  end)

  it("does without a total and without engines", function()
    assert.equal("5 engines detect it; the threshold is 2.", threshold.explain(5, nil, 2))
  end)

  for _, case in ipairs {
    { "takes positives and total", { positives = 5, total = 60 }, 5, 60 },
    { "takes them even when no engine detects",
      { positives = 4, total = 56, scans = { A = { detected = false } } }, 4, 56 },
    { "counts the engines when they are missing",
      { scans = { A = { detected = true }, B = { detected = false } } }, 1, 2 },
    { "takes what is no number for missing", { positives = {}, total = "many" }, 0, nil },
  } do
    it(case[1], function()
      local detections, total = threshold.counted(case[2])
      assert.equal(case[3], detections)
      assert.equal(case[4], total)
    end)
  end

  for _, case in ipairs {
    { { positives = 3, total = 60 }, true, "Detected by 3 of 60 engines" },
    { { positives = 3 }, true, "Detected by 3 engines" },
    { { positives = 2, total = 60 }, false },
  } do
    it("judges an entity: " .. (case[3] or "not met"), function()
      local entity = entity_of {}
      assert.equal(case[2], threshold.judge(entity, case[1], 3))
      assert.same({
        detections = case[1].positives, total = case[1].total, threshold = 3, risky = case[2],
      }, entity.found)
      assert.equal(case[2], entity.suspicious)
      assert.equal(case[3], entity.insights[1] and entity.insights[1].title)
    end)
  end

  it("makes a parameter that an action can adapt", function()
    local param = threshold.param { default = 25 }
    assert.equal("threshold", param[1])
    assert.equal(25, param.default)
    assert.is_nil(param.required)
    assert.is_nil(threshold.param().default)
  end)
end)
