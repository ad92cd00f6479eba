-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local problems_of = require "apogee.problems"
local schema = require "apogee.schema"

describe("schema.sorted_keys", function()
  it("has positions first, then names", function()
    assert.same({ 1, 2, 10, "a", "b" }, schema.sorted_keys {
      b = 1, "x", "y", [10] = 1, a = 1,
    })
  end)
end)

describe("schema.check", function()
  local FIELDS = {
    [1] = { "string", required = true }, word = { "string", "number" }, flag = { "boolean" },
  }

  for _, case in ipairs {
    { { "a", word = 7, flag = false }, "" },
    { { "a", word = {} }, "f: s.word: must be a string or number, not a table" },
    { { 7 }, "f: s.1: must be a string, not a number" },
    { { "a", 7 }, "f: s.2: only named keys are known here" },
    { { "a", flg = 7 }, 'f: s.flg: unknown key; did you mean "flag"?' },
    { {}, "f: s: the name is missing: it comes first" },
  } do
    it("says: " .. case[2], function()
      local problems = problems_of.new(fake.new(), "f")
      schema.check(problems, "s.", case[1], FIELDS)
      assert.equal(case[2], problems:text())
      assert.equal(case[2] == "", problems:is_empty())
    end)
  end
end)

describe("schema.is_line", function()
  for _, case in ipairs {
    { "a b", true }, { "é", true }, { "", false }, { "a\nb", false }, { 7, false }, { nil, false },
  } do
    it(("is %s"):format(case[2]), function() assert.equal(case[2], schema.is_line(case[1])) end)
  end
end)

describe("schema.is_string_list", function()
  for _, case in ipairs {
    { {}, true }, { { "a", "b" }, true }, { { "a", 7 }, false }, { { 7 }, false },
    { { "a", x = "b" }, false }, { { [2] = "a" }, false }, { "a", false },
  } do
    it(("is %s"):format(case[2]), function()
      assert.equal(case[2], schema.is_string_list(case[1]))
    end)
  end
end)
