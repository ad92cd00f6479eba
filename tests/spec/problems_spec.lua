-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local problems_of = require "apogee.problems"

local function line(source, field, word)
  local problems = problems_of.new(fake.new { files = { ["/f.lua"] = source } }, "/f.lua")
  problems:add(field, "wrong", word)
  return problems:text()
end

describe("a problem's line", function()
  for _, case in ipairs {
    { "is that of the key before a word like it", "return {\n names,\n n = 7", "a.n", 3 },
    { "is that of the text before a word like it", 'return {\nn7, "n"', "a.n", 2 },
    { "may have no blank in front of the key", "nn,\nn = 7", "n", 2 },
    { "may have no blanks around the =", "nn,\nn=7", "n", 2 },
    { "is the word's where it is no key", "x,\nn", "n", 2 },
  } do
    it(case[1], function()
      assert.equal(("/f.lua:%d: %s: wrong"):format(case[4], case[3]), line(case[2], case[3]))
    end)
  end

  it("may be that of another word", function()
    assert.equal("/f.lua:2: a: wrong", line("a = 1\nb = 2", "a", "b"))
  end)

  it("is not said when it is not known", function()
    assert.equal("/f.lua: a: wrong", line("b = 2", "a"))
    assert.equal("/f.lua: wrong", line("b = 2", nil))
  end)
end)

describe("problems", function()
  it("are a line each, with the nearest that is known", function()
    local problems = problems_of.new(fake.new(), "f")
    assert.is_true(problems:is_empty())
    problems:add_unknown("x", "unknown", "treshold", { "threshold" })
    problems:add_unknown("x", "unknown", "zzzzzz", { "threshold" })
    assert.is_false(problems:is_empty())
    assert.equal('f: x: unknown; did you mean "threshold"?\nf: x: unknown', problems:text())
  end)

  it("are counted where there are very many, and the first are said", function()
    local engine, looks = fake.new { files = { ["/f.lua"] = "x" } }, 0
    function engine.read_manifest_line() looks = looks + 1 end
    local problems = problems_of.new(engine, "/f.lua")
    for n = 1, 5000 do problems:add_unknown("k" .. n, "unknown key", "k" .. n, { "a" }) end
    local _, lines = problems:text():gsub("\n", "\n")
    assert.equal(100, lines)
    assert.matches("/f.lua: k100: unknown key\n/f.lua: and 4900 more$", problems:text())
    assert.equal(500, looks)
  end)
end)
