-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local main = require "apogee.main"

local function action(fields)
  return ('return require "apogee.action" { %s }'):format(fields)
end

local GO = action [[ id = "go", name = "Go", doc = "Goes.", accepts = { "url" },
  returns = "is_success", run = function() end ]]
local WHOLE = action [[ id = "whole", name = "Whole", doc = "Works on the case.",
  returns = "is_success", run_case = function() end ]]
local EACH = action [[ id = "each", name = "Each", doc = "Works on items.",
  returns = "is_risky", each = function() end, run = function() end ]]

local function printed(args, files)
  local engine = fake.new { files = files }
  local exit = main.run(engine, args)
  return table.concat(engine.printed), exit
end

local function show(source)
  return (printed({ command = "show", target = "/a.lua" }, { ["/a.lua"] = source }))
end

describe("list", function()
  it("says what an action runs on, in columns", function()
    assert.equal("ACTION  NAME   RUNS ON         RESULT      FROM\n"
      .. "each    Each   its parameters  is_risky    packaged\n"
      .. "go      Go     url             is_success  packaged\n"
      .. "whole   Whole  the case        is_success  packaged\n",
      printed({ command = "list" }, {
        ["/actions/each.lua"] = EACH, ["/actions/go.lua"] = GO, ["/actions/whole.lua"] = WHOLE,
      }))
  end)

  it("says below which file is broken", function()
    assert.equal("ACTION  NAME  RUNS ON  RESULT      FROM\n"
      .. "go      Go    url      is_success  packaged\n\n"
      .. "Broken, and left out:\n"
      .. "  /actions/x.lua: is no action: it does not return action { ... }\n",
      printed({ command = "list" }, { ["/actions/go.lua"] = GO, ["/actions/x.lua"] = "return 1" }))
  end)
end)

describe("show", function()
  it("prints all of an action that needs little", function()
    assert.equal([[
go - Go

    Goes.

PROVIDER
    Go

RUNS ON
    url

RETURNS
    is_success

NEEDS
    nothing

FILE
    /a.lua

EXAMPLE
    apogee action go --entity url:http://example.com/
]], show(GO))
  end)

  it("breaks lines at 80 columns", function()
    local words = ("123456789 "):rep(7)
    local function page_of(last)
      return show(action(([[ id = "go", name = "Go", doc = "%s", accepts = { "url" },
        returns = "is_success", run = function() end ]]):format(words .. last)))
    end
    assert.matches("\n    " .. words .. "123456\n", page_of "123456")
    assert.matches("\n    " .. words:sub(1, -2) .. "\n    1234567\n", page_of "1234567")
  end)

  local function with_params(params)
    return show(action([[ id = "go", name = "Go", doc = "Goes.", accepts = { "hostname" },
      returns = "is_success", run = function() end, params = { ]] .. params .. " }"))
  end

  for _, case in ipairs {
    { '"n", type = "integer", max = 9', "n (integer, 9 or less; optional)" },
    { '"n", type = "integer", min = 1, max = 9', "n (integer, 1 to 9; optional)" },
    { '"n", type = "boolean", default = false', "n (boolean; default false)" },
    { '"n", type = "list", default = { "a", "b" }', "n (list; default a,b)" },
    { '"n", type = "secret", default = "hunter2"', "n (secret; has a default)" },
    { '"n", type = "integer", enum = { 1, 2 }, required = true',
      "n (integer, one of 1, 2; required)" },
  } do
    it("describes a parameter: " .. case[2], function()
      local page = with_params("{ " .. case[1] .. " }")
      assert.truthy(page:find("\nPARAMETERS\n    " .. case[2] .. "\n", 1, true), page)
      assert.is_nil(page:find "hunter2")
    end)
  end

  for _, case in ipairs {
    { 'type = "integer", example = 7, default = 3, min = 1', "n=7" },
    { 'type = "integer", default = 3, min = 1', "n=3" },
    { 'type = "string", enum = { "a", "b" }', "n=a" },
    { 'type = "integer", min = 2', "n=2" },
    { 'type = "path"', "n=PATH" },
    { 'type = "secret", example = "hunter2"', "n=env:NAME" },
    { [[type = "string", example = "it's mine"]], [['n=it'\''s mine']] },
  } do
    it("gives an example that can be typed: " .. case[2], function()
      local page = with_params('{ "n", required = true, ' .. case[1] .. " }")
      local line = "\nEXAMPLE\n    apogee action go --param " .. case[2]
        .. " --entity hostname:example.com\n"
      assert.equal(line, page:sub(-#line))
    end)
  end

  it("has no entity in the example of an action that runs on none", function()
    assert.matches("EXAMPLE\n    apogee action whole\n$", show(WHOLE))
    assert.matches("EXAMPLE\n    apogee action each\n$", show(EACH))
  end)

  it("prints all of a playbook", function()
    local page = printed({ command = "show", target = "/play book.lua" }, {
      ["/actions/each.lua"] = EACH, ["/actions/go.lua"] = GO, ["/actions/whole.lua"] = WHOLE,
      ["/play book.lua"] = [[return require "apogee.playbook" {
        name = "P", params = { { "n", type = "integer", required = true, min = 1 } },
        steps = {
          { { "a", action = "go" }, { "b", action = "whole" } },
          { "c", action = "go", on = function() end },
          { "d", action = "each" },
          { "e", run = function() end },
        },
      }]],
    })
    assert.equal([[
P

PARAMETERS
    n (integer, 1 or more; required)

STEPS
    at the same time:
        a: go on url
        b: whole
    c: go on entities that a function chooses
    d: each
    e: a function of the playbook

FILE
    /play book.lua

EXAMPLE
    apogee run '/play book.lua' --param n=1 --entities FILE
]], page)
  end)

  it("exits with 2 and says what is wrong with a playbook", function()
    local engine = fake.new { files = {
      ["/playbooks/p.lua"] = 'return require "apogee.playbook" { name = "P" }',
    } }
    local exit, message = main.run(engine, { command = "show", target = "p" })
    assert.equal(2, exit)
    assert.equal("/playbooks/p.lua: steps: is missing", message)
    assert.same({}, engine.printed)
  end)
end)

describe("check", function()
  it("exits with 2 for a file that there is not", function()
    local page, exit = printed({ command = "check", targets = { "/none.lua" } })
    assert.equal("/none.lua: no such file\n", page)
    assert.equal(2, exit)
  end)
end)
