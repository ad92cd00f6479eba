-- SPDX-License-Identifier: Apache-2.0
local plain = require "apogee.plain"

describe("plain.copy", function()
  it("copies values and functions, and shares no table", function()
    local given = { "a", b = { c = 1.5, d = print, e = false } }
    local copy = plain.copy(given)
    assert.same(given, copy)
    assert.not_equal(given.b, copy.b)
  end)

  it("takes as many values, and as deep, as there may be", function()
    local many = {}
    for i = 1, 10000 do many[i] = i end
    assert.equal(10000, #plain.copy(many))
    local deep = { 1 }
    for _ = 1, 7 do deep = { deep } end
    assert.same(deep, plain.copy(deep))
    assert.is_nil(plain.copy { deep })
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
    { "userdata", { io.stdout }, "^a userdata is no data$" },
    { "a coroutine", { coroutine.create(print) }, "^a thread is no data$" },
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
