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

describe("check", function()
  it("exits with 2 for a file that there is not", function()
    local page, exit = printed({ command = "check", targets = { "/none.lua" } })
    assert.equal("/none.lua: no such file\n", page)
    assert.equal(2, exit)
  end)
end)
