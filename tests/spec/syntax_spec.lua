-- SPDX-License-Identifier: Apache-2.0
local syntax = require "apogee.syntax"

describe("what Lua's parser says is explained:", function()
  for source, hint in pairs {
    ["return { a = 1 b = 2 }"] = "is a comma missing before it?",
    ['f("a" "b")'] = "is a comma or a bracket missing before it?",
    ["if x = 1 then end"] = "a comparison is written ==",
    ["while x = 1 do end"] = "a comparison is written ==",
    ["if !x then end"] = "not is written `not`, and unequal ~=",
    ["return a != b"] = "not is written `not`, and unequal ~=",
    ["return a && b"] = "both is written `and`",
    ["return a || b"] = "either is written `or`",
    ["x += 1"] = "write x = x + 1",
    ["x++"] = "write x = x + 1",
    ["if x then"] = "an `end` is missing; `elseif` is one word",
    ["if x then else if y then end"] = "an `end` is missing; `elseif` is one word",
    ["print x"] = "is it a call without its brackets, or `local` misspelt?",
    ["loca x = 1"] = "is it a call without its brackets, or `local` misspelt?",
    ["x = 'a\n"] = "its closing quote is missing",
    ["x = [[a"] = "its closing ]] is missing",
  } do
    it(source, function()
      local _, message = load(source, "@f.lua")
      assert.equal(message .. ": " .. hint, syntax.explained(message))
    end)
  end

  for _, message in ipairs { "f.lua: no such file", "f.lua:1: boom", "f.lua: returns nothing" } do
    it("but not " .. message, function() assert.equal(message, syntax.explained(message)) end)
  end
end)
