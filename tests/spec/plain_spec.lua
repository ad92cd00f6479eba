-- SPDX-License-Identifier: Apache-2.0
local plain = require "apogee.plain"

describe("plain.copy", function()
  it("copies values and functions, and shares no table", function()
    local given = { "a", b = { c = 1.5, d = print, e = false } }
    local copy = plain.copy(given)
    assert.same(given, copy)
    assert.not_equal(given.b, copy.b)
  end)

  local circle = {}
  circle.circle = circle
  local large = {}
  for i = 1, 10001 do large[i] = i end

  for _, case in ipairs {
    { "a metatable", setmetatable({}, { __index = print }), "metatable" },
    { "a hidden metatable", { a = setmetatable({}, { __metatable = false }) }, "metatable" },
    { "a circle", circle, "8 deep" },
    { "too many values", large, "10000 values" },
    { "userdata", { io.stdout }, "userdata" },
    { "a coroutine", { coroutine.create(print) }, "thread" },
    { "a table as a key", { [{}] = 1 }, "names and positions" },
    { "a fraction as a key", { [1.5] = 1 }, "names and positions" },
  } do
    it("refuses " .. case[1], function()
      local copy, problem = plain.copy(case[2])
      assert.is_nil(copy)
      assert.matches(case[3], problem)
    end)
  end

  it("runs nothing of what it copies", function()
    local is_run = false
    local function run() is_run = true end
    plain.copy(setmetatable({}, { __index = run, __pairs = run, __len = run }))
    assert.is_false(is_run)
  end)
end)
