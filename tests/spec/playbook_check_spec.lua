-- SPDX-License-Identifier: Apache-2.0
local play = require "spec.support.play"

local function message_of(source)
  local exit, engine, message = play.run(source)
  assert.equal(2, exit)
  assert.same({}, engine.steps)
  return message
end

local function steps(text) return "steps = { " .. text .. " }" end

describe("a playbook is refused, with file, field and nearest, for", function()
  for _, case in ipairs {
    { "no steps", "", "1: steps: is missing" },
    { "a name that is no line", 'name = "a\\nb", ' .. steps '{ "a", action = "look" }',
      "1: name: must be one line of text" },
    { "an action that is no text", steps '{ "a", action = 7 }',
      "1: steps.a.action: must be a string, not a number" },
    { "types that are no list", steps '{ "a", action = "look", on = { x = "url" } }',
      '1: steps.a.on: must be a list of types: { "filehash" }' },
    { "entities for an action of items", steps '{ "a", action = "items", on = "url" }',
      "1: steps.a.on: items does not run on entities of the case" },
    { "a step that is no table, in a group", steps '{ { "a", action = "look" }, 7 }',
      '1: steps.1.2: must be a step: { "name", action = "..." }' },
    { "a parameter that no name is near", steps '{ "a", action = "look", with = { zzzzzz = 3 } }',
      "1: steps.a.with.zzzzzz: look has no such parameter" },
    { "a parameter without a name", steps '{ "a", action = "look", with = { 3 } }',
      "1: steps.a.with.1: look has no such parameter" },
    { "values for a function", steps '{ "a", run = function() end, with = { n = 1 } }',
      "1: steps.a.run: works on the case alone: on and with go with an action" },
    { "a step with the name of one in a group before",
      steps '{ { "a", action = "look" }, { "b", action = "look" } }, { "b", action = "look" }',
      "1: steps.b: two steps have this name" },
    { "a when that names itself", steps '{ "a", action = "look", when = "a" }',
      '1: steps.a.when: there is no step "a" before this one: it is this step itself' },
    { "a when that names a later step",
      steps '{ "a", action = "look", when = "b" }, { "b", action = "look" }',
      '1: steps.a.when: there is no step "b" before this one: it comes later: move it up' },
    { "an empty list of steps", steps "", "1: steps: there are none" },
    { "an unknown key", "stepps = {}, " .. steps '{ "a", action = "look" }',
      '1: stepps: unknown key; did you mean "steps"?' },
    { "steps by name", steps 'a = { action = "look" }',
      '1: steps.a: steps is a list: { { "a", action = ... } }' },
    { "a step that is no table", steps '"look"',
      '1: steps.1: must be a step: { "name", action = "..." }' },
    { "a step without a name", steps '{ action = "look" }',
      "1: steps.1: the name is missing: it comes first" },
    { "an unknown key of a step", steps '{ "a", action = "look", whn = "x" }',
      '1: steps.a.whn: unknown key; did you mean "when"?' },
    { "a name that is no name", steps '{ "a b", action = "look" }',
      "1: steps.a b: the name must be letters, digits and _" },
    { "a name that is a method", steps '{ "score", action = "look" }',
      "1: steps.score: case:score is a method: choose another name" },
    { "a name twice", steps '{ "a", action = "look" }, { "a", action = "look" }',
      "1: steps.a: two steps have this name" },
    { "a name twice in a group", steps '{ { "a", action = "look" }, { "a", action = "look" } }',
      "1: steps.a: two steps have this name" },
    { "a group in a group", steps '{ { { "a", action = "look" } } }',
      "1: steps.1.1: a group holds steps, not groups" },
    { "neither action nor run", steps '{ "a" }',
      "1: steps.a.action: a step has an action or a function run" },
    { "both action and run", steps '{ "a", action = "look", run = function() end }',
      "1: steps.a.action: a step has an action or a function run" },
    { "an action that there is not", steps '{ "a", action = "lok" }',
      '1: steps.a.action: there is no action "lok"; did you mean "look"?' },
    { "entities for a function", steps '{ "a", run = function() end, on = "url" }',
      "1: steps.a.run: works on the case alone: on and with go with an action" },
    { "an unknown type", steps '{ "a", action = "look", on = "ulr" }',
      '1: steps.a.on: unknown type "ulr"; there are: filehash, ip_address, url, hostname, user, '
        .. "file" },
    { "a type that the action does not accept", steps '{ "a", action = "look", on = "user" }',
      "1: steps.a.on: look does not run on user, only on filehash, url" },
    { "entities for an action of the whole case",
      steps '{ "a", action = "whole", on = "url", with = { how = "fine" } }',
      "1: steps.a.on: whole does not run on entities of the case" },
    { "an unknown parameter", steps '{ "a", action = "look", with = { treshold = 3 } }',
      '1: steps.a.with.treshold: look has no such parameter; did you mean "threshold"?' },
    { "a parameter by id and by label",
      steps '{ "a", action = "look", with = { note = "x", ["A note"] = "y" } }',
      "1: steps.a.with.note: is given twice" },
    { "a value that the action refuses", steps '{ "a", action = "look", with = { threshold = 0 } }',
      "1: steps.a.with.threshold: 0 is too small: it must be 1 or more" },
    { "a required parameter that is not given", steps '{ "a", action = "strict" }',
      "1: steps.a.with: threshold is required by strict" },
    { "a $parameter that there is not",
      'params = { { "limit", type = "integer" } }, '
        .. steps '{ "a", action = "look", with = { threshold = "$limt" } }',
      '1: steps.a.with.threshold: there is no parameter $limt; did you mean "limit"?' },
    { "a when that names no step before",
      steps '{ "first", action = "look" }, { "b", action = "look", when = "frst" }',
      '1: steps.b.when: there is no step "frst" before this one; did you mean "first"?' },
    { "a when that names a step of its own group",
      steps '{ { "a", action = "look" }, { "b", action = "look", when = "a" } }',
      '1: steps.b.when: there is no step "a" before this one: it runs at the same time: take it '
        .. "out of this group" },
    { "another on_error", steps '{ "a", action = "look", on_error = "continu" }',
      '1: steps.a.on_error: must be stop or continue; did you mean "continue"?' },
    { "tags that are no list", steps '{ "a", action = "look", tags = { x = 1 } }',
      "1: steps.a.tags: must be a list of texts" },
    { "a parameter of an unknown type",
      'params = { { "n", type = "strng" } }, ' .. steps '{ "a", action = "look" }',
      '1: params.n.type: unknown type; did you mean "string"?' },
  } do
    it(case[1], function()
      local message = message_of(case[2])
      local first = "/playbooks/p.lua:" .. case[3]
      assert.equal(first, message:sub(1, #first))
    end)
  end

  for _, name in ipairs(require "apogee.case".METHODS) do
    it("a step that is called as the case's method " .. name, function()
      assert.equal(("/playbooks/p.lua:1: steps.%s: case:%s is a method: choose another name")
        :format(name, name), message_of(steps(('{ "%s", action = "look" }'):format(name))))
    end)
  end

  it("everything that is wrong, a line each", function()
    local message = message_of('doc = "x", ' .. steps [[
      { "a", action = "lok" }, { "b", action = "look", with = { treshold = 3 } } ]])
    assert.matches("steps%.a%.action: there is no action .*\n.*steps%.b%.with%.treshold: ", message)
  end)

  for _, case in ipairs {
    { "return 7", " is no playbook: it does not return playbook { ... }" },
    { 'return require "apogee.action" {}', " is no playbook: it does not return playbook { ... }" },
    { 'return require "apogee.playbook" { steps = {} }', "1: name: is missing" },
  } do
    it("a file that holds none: " .. case[1], function()
      local exit, _, message = play.run("", { setup = function(engine)
        engine.files["/playbooks/p.lua"] = case[1]
      end })
      assert.equal(2, exit)
      assert.equal("/playbooks/p.lua:" .. case[2], message)
    end)
  end

  it("an action whose file is broken, with what is wrong with it", function()
    local _, _, message = play.run(steps '{ "a", action = "bad" }', {
      setup = function(engine) engine.files["/actions/bad.lua"] = "return 7" end,
    })
    assert.matches("steps.a.action: /actions/bad.lua: is no action", message)
  end)
end)

describe("a playbook may name", function()
  it("types and parameters as the platform does", function()
    local exit = play.run(
      steps '{ "a", action = "look", on = { "FILEHASH" }, with = { ["A NOTE"] = "x" } }')
    assert.equal(0, exit)
  end)
end)
