-- SPDX-License-Identifier: Apache-2.0
local summary = require "apogee.summary"

local function step(status, checked, of)
  return { status = status, coverage = { checked = checked, of = of } }
end

local function set_of(...)
  local entities = {}
  for _, identifier in ipairs { ... } do table.insert(entities, { identifier = identifier }) end
  function entities.list(_, most) return table.move(entities, 1, most, 1, {}) end
  return entities
end

describe("summary.is_complete", function()
  for _, case in ipairs {
    { "when every step answered for all", step("completed", 2, 2), true },
    { "when a step had nothing to do", step("completed", 0, 0), true },
    { "not when an entity has no answer", step("completed", 1, 2), false },
    { "not when a step did not run", step("not_run", 0, 0), false },
    { "not while a scan is pending", step("in_progress", 2, 2), false },
  } do
    it("holds " .. case[1], function()
      local steps = { a = step("completed", 1, 1), b = case[2] }
      assert.equal(case[3], summary.is_complete(steps, { "a", "b" }))
      assert.is_true(summary.is_complete(steps, { "a" }))
    end)
  end
end)

describe("summary.names", function()
  it("names as many as there is room for, and counts the rest", function()
    assert.equal("a, b", summary.names(set_of("a", "b"), 2))
    assert.equal("a, and 2 more", summary.names(set_of("a", "b", "c"), 1))
    assert.equal("", summary.names(set_of(), 2))
  end)
end)
