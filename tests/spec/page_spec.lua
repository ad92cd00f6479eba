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
local EACH = action [[ id = "each", name = "Each", doc = "Items.", outputs = { "A", "B b" },
  returns = "is_risky", each = function() end, run = function() end ]]

local TAKEN = { "timeout", "format" }

local function printed(args, files)
  local engine = fake.new { files = files }
  args.taken = TAKEN
  local exit = main.run(engine, args)
  return table.concat(engine.printed), exit
end

local function show(source)
  return (printed({ command = "show", target = "/a.lua" }, { ["/a.lua"] = source }))
end

describe("show", function()
  it("prints all of an action that needs little", function()
    assert.equal([[
NAME
    go - Go

SYNOPSIS
    apogee action /a.lua [--entities FILE|-]... [--entity TYPE:VALUE]...
        [OPTION]...

DESCRIPTION
    Goes.

PROVIDER
    Go

RUNS ON
    url

OUTPUTS
    is_success: true unless the step failed as a whole, or no entity was
    answered
    Of each entity: its outcome, whether it is suspicious, insights, and a link
    where there is one.

NEEDS
    nothing

FILE
    /a.lua

EXAMPLES
    apogee action /a.lua --entity url:http://example.com/
    apogee action /a.lua --entity url:http://example.com/ --simulate

SEE ALSO
    apogee action --help has the options that all take; apogee plan /a.lua says
    what a run would cost.
]], show(GO))
  end)

  it("promises what the action gives: a threshold, an answer", function()
    local page = show(action [[ id = "go", name = "Go", doc = "Goes.", accepts = { "url" },
      needs = { "vt" }, params = { { "threshold", type = "integer" } }, returns = "is_risky",
      run = function() end ]])
    assert.matches("is_risky: true when at least one entity met the threshold\n", page, 1, true)
    assert.matches("the report, and VirusTotal's answer as it came.", page, 1, true)
    page = show(action [[ id = "go", name = "Go", doc = "Goes.", accepts = { "url" },
      returns = "is_risky", run = function() end ]])
    assert.matches("is_risky: true when at least one entity is risky\n", page, 1, true)
    assert.is_nil(page:find("answer as it came", 1, true))
  end)

  it("has an example that says what other services answer", function()
    local page = show(action [[ id = "go", name = "Go", doc = "Goes.", accepts = { "url" },
      needs = { http = { "api.example.com" } }, returns = "is_risky", run = function() end ]])
    assert.matches(" --simulate --scenario answers.lua\n    answers.lua says what services answer",
      page, 1, true)
  end)

  it("names an action by its id where it was found by a name", function()
    local page = printed({ command = "show", target = "Go" }, { ["/actions/go.lua"] = GO })
    assert.matches("\nEXAMPLES\n    apogee action go --entity ", page, 1, true)
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
    { '"n", type = "integer", max = 9', "--n N (integer, 9 or less; optional)" },
    { '"n", type = "integer", min = 1, max = 9', "--n N (integer, 1 to 9; optional)" },
    { '"n", type = "boolean", default = false', "--n (boolean; default false)" },
    { '"timeout", type = "integer"', "--param timeout=N (integer; optional)" },
    { '"two_words", type = "path"', "--two-words PATH (path; optional)" },
    { '"n", type = "list", default = { "a", "b" }', "--n A,B,... (list; default a,b)" },
    { '"n", type = "secret", default = "hunter2"', "--n SOURCE (secret; has a default)" },
    { '"n", type = "integer", enum = { 1, 2 }, required = true',
      "--n 1|2 (integer, one of 1, 2; required)" },
  } do
    it("describes a parameter: " .. case[2], function()
      local page = with_params("{ " .. case[1] .. " }")
      assert.truthy(page:find("\nPARAMETERS\n    " .. case[2] .. "\n", 1, true), page)
      assert.is_nil(page:find "hunter2")
    end)
  end

  for _, case in ipairs {
    { 'type = "integer", example = 7, default = 3, min = 1', "--n 7" },
    { 'type = "integer", default = 3, min = 1', "--n 3" },
    { 'type = "string", enum = { "a", "b" }', "--n a" },
    { 'type = "integer", min = 2', "--n 2" },
    { 'type = "path"', "--n PATH" },
    { 'type = "secret", example = "hunter2"', "--n env:NAME" },
    { [[type = "string", example = "it's mine"]], [[--n 'it'\''s mine']] },
  } do
    it("gives an example that can be typed: " .. case[2], function()
      local page = with_params('{ "n", required = true, ' .. case[1] .. " }")
      local line = "\nEXAMPLES\n    apogee action /a.lua " .. case[2]
        .. " --entity hostname:example.com\n"
      assert.truthy(page:find(line, 1, true), page)
    end)
  end

  it("has no entity in the example of an action that runs on none", function()
    assert.matches("\nEXAMPLES\n    apogee action /a.lua\n", show(WHOLE))
    assert.matches("\nEXAMPLES\n    apogee action /a.lua\n", show(EACH))
    assert.matches("Its enrichment by Each, as far as it is known: A, B b%.", show(EACH))
  end)

  it("prints all of a playbook", function()
    local page = printed({ command = "show", target = "/play book.lua" }, {
      ["/actions/each.lua"] = EACH, ["/actions/go.lua"] = GO, ["/actions/whole.lua"] = WHOLE,
      ["/play book.lua"] = [[return require "apogee.playbook" {
        name = "P", params = { { "n", type = "integer", required = true, min = 1 } },
        steps = {
          { { "a", action = "go" }, { "b", action = "whole" } },
          { "c", action = "go", on = function() end, when = "a" },
          { "d", action = "each", when = function() end },
          { "e", run = function() end },
        },
      }]],
    })
    assert.equal([[
NAME
    P

SYNOPSIS
    apogee run '/play book.lua' --n N [--entities FILE|-]...
        [--entity TYPE:VALUE]... [OPTION]...

PARAMETERS
    --n N (integer, 1 or more; required)

    Each may also be given as --param NAME=VALUE, with _ for - in its name.

STEPS
    at the same time:
        a: go on url
        b: whole
    c: go on entities that a function chooses, only if a is a success
    d: each, only if its condition holds
    e: a function of the playbook

OUTPUTS
    A document of the run: status, coverage, tags, score, insights, and the
    document of each step.

FILE
    /play book.lua

EXAMPLES
    apogee run '/play book.lua' --n 1 --entities FILE
    apogee run '/play book.lua' --n 1 --entities FILE --simulate

SEE ALSO
    apogee run --help has the options that all take; apogee plan '/play
    book.lua' says what a run would cost.
]], page)
  end)

  it("exits with 2 and says what is wrong with a playbook", function()
    local engine = fake.new { files = {
      ["/playbooks/p.lua"] = 'return require "apogee.playbook" { name = "P" }',
    } }
    local exit, message = main.run(engine, { command = "show", target = "p" })
    assert.equal(2, exit)
    assert.equal("/playbooks/p.lua:1: steps: is missing", message)
    assert.same({}, engine.printed)
  end)
end)
