-- A look at files that are written so that it would not end, or take all memory.
-- SPDX-License-Identifier: Apache-2.0
local check = require "apogee.check"
local fake = require "spec.support.engine"
local loader = require "apogee.loader"

local MANIFEST = [[
return require "apogee.action" {
  id = "go", name = "Go", %s = "Goes.", accepts = { "url" }, returns = "is_success",
  run = function(ctx) return ctx.not_found() end,
}
]]

-- Each of ten variables may be the next one, forty times.
local function of_many_meanings()
  local lines = { "local x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10" }
  for n = 0, 9 do table.insert(lines, (("x%d = x%d "):format(n, n + 1):rep(40))) end
  table.insert(lines, "if nil then x0() end")
  return table.concat(lines, "\n") .. "\n"
end

local function of_many_values()
  return "local a\n" .. ("a = 1 "):rep(9000) .. "\n" .. ("if nil then a() end "):rep(9000) .. "\n"
end

local function of_long_names()
  return "local function f()\nlocal a = string" .. (".x"):rep(20000) .. "\n" .. ("a.z() "):rep(9000)
    .. "\nend\n"
end

local function checked(before, field)
  local path = "/a/go.lua"
  local engine = fake.new { files = { [path] = before .. MANIFEST:format(field or "doc") } }
  return check.file(engine, path)
end

local GIVEN_UP = "/a/go.lua: warning: it was not looked into: its names may stand for too many "
  .. "others\n/a/go.lua: OK, the action go\n"

describe("a look at a script", function()
  for name, source in pairs {
    ["whose names may be too many others"] = of_many_meanings(),
    ["whose variable is given too many values"] = of_many_values(),
  } do
    it("is given up where there is no end to it: " .. name, function()
      local ok, lines = checked(source)
      assert.is_true(ok)
      assert.equal(GIVEN_UP, lines)
    end)
  end

  it("does not follow fields of fields without end", function()
    local _, lines = checked(of_long_names())
    assert.equal("/a/go.lua: OK, the action go\n", lines)
  end)

  it("that is given up still finds the line of what is wrong", function()
    local ok, lines = checked(of_many_meanings(), "dic")
    assert.is_false(ok)
    assert.matches('/a/go.lua:14: dic: unknown key; did you mean "doc"?', lines, 1, true)
  end)

  it("is in nobody else's way", function()
    local good = MANIFEST:format "doc"
    local index = loader.index(fake.new { files = {
      ["/actions/bad.lua"] = of_many_meanings() .. MANIFEST:format "dic",
      ["/actions/go.lua"] = good,
    } })
    assert.equal("/actions/go.lua", index.by_id.go.path)
    assert.equal(1, #index.broken)
  end)
end)
