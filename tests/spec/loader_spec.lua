-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local loader = require "apogee.loader"

local function source(id, name)
  return ([[return require "apogee.action" { id = "%s", name = "%s", doc = "Does it.",
    accepts = { "url" }, returns = "is_success", run = function() end }]]):format(id, name or id)
end

local function index(files)
  return loader.index(fake.new { files = files })
end

describe("the index of actions", function()
  it("has those that work, in order, with where they come from", function()
    local found = index { ["/actions/b.lua"] = source "b", ["/actions/a.lua"] = source "a" }
    assert.equal("a", found.actions[1].id)
    assert.equal("b", found.actions[2].id)
    assert.equal("packaged", found.actions[1].origin)
    assert.equal("/actions/a.lua", found.by_id.a.path)
    assert.is_table(found.by_id.a.env)
    assert.same({}, found.broken)
  end)

  it("has the broken ones apart, each with its file", function()
    local found = index { ["/actions/a.lua"] = "return 7", ["/actions/b.lua"] = source "b" }
    assert.equal(1, #found.actions)
    assert.same({ {
      path = "/actions/a.lua",
      message = "/actions/a.lua: is no action: it does not return action { ... }",
    } }, found.broken)
  end)

  it("passes over playbooks and cassettes, which may lie beside their actions", function()
    local found = index { ["/actions/a.lua"] = source "a", ["/actions/p.lua"] =
      'return require "apogee.playbook" { name = "P", steps = {} }',
      ["/actions/c.lua"] = 'return { { url = "https://a.example/", body = "" } }',
      ["/actions/d.lua"] = 'return { http = { { url = "https://a.example/", body = "" } } }' }
    assert.equal(1, #found.actions)
    assert.same({}, found.broken)
  end)

  it("names the first two of three files with one id", function()
    local found = index {
      ["/actions/1.lua"] = source "a", ["/actions/2.lua"] = source "a",
      ["/actions/3.lua"] = source "a",
    }
    local conflict = 'two files have the action "a": /actions/1.lua and /actions/2.lua'
    assert.equal(1, #found.actions)
    assert.same({
      { path = "/actions/2.lua", message = conflict },
      { path = "/actions/3.lua", message = conflict },
    }, found.broken)
    local action, message = loader.find(found, "a")
    assert.is_nil(action)
    assert.equal(conflict, message)
  end)
end)

describe("an action", function()
  local FILES = {
    ["/actions/bad.lua"] = "return {", ["/actions/go.lua"] = source("go", "Go there"),
    ["/actions/there.lua"] = source("there", "go"),
  }

  it("is found by its id before another's name", function()
    assert.equal("go", assert(loader.find(index(FILES), "go")).id)
    assert.equal("go", assert(loader.find(index(FILES), "GO THERE")).id)
    assert.equal("there", assert(loader.find(index(FILES), "GO")).id)
  end)

  for _, case in ipairs {
    { "bad", "/actions/bad.lua:1: " }, { "goo", 'there is no action "goo"; did you mean "go"?' },
    { "zzzzzz", 'there is no action "zzzzzz"' },
  } do
    it("that cannot be had is refused with why: " .. case[1], function()
      local action, message = loader.find(index(FILES), case[1])
      assert.is_nil(action)
      assert.equal(case[2], message:sub(1, #case[2]))
      if case[1] == "zzzzzz" then assert.equal(case[2], message) end
    end)
  end

  for word, expected in pairs {
    ["/a/b.lua"] = true, ["b.lua"] = true, ["./b"] = true, ["a/b"] = true, b = false,
    ["Scan Hash"] = false, ["b.lua.txt"] = false,
  } do
    it(("is %s path: %s"):format(expected and "a" or "no", word), function()
      assert.equal(expected, loader.is_path(word))
    end)
  end
end)
