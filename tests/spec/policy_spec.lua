-- SPDX-License-Identifier: Apache-2.0
local engine_of = require "spec.support.engine"
local play = require "spec.support.play"

local policy = require "apogee.policy"
local problems_of = require "apogee.problems"

local STEPS = 'steps = { { "a", action = "look" } }'

local function check(given)
  local engine = engine_of.new()
  local problems = problems_of.new(engine, "p.lua")
  return policy.check(problems, given), problems:text(), engine
end

describe("the policy of a playbook", function()
  it("is its rules, in order, and applies them", function()
    local settings, wrong, engine = check {
      upload = "unknown-only",
      never_send = { networks = { "10.0.0.0/8" }, domains = { "a.test", "b.test" } },
    }
    assert.equal("", wrong)
    assert.same({}, engine.tightened)
    policy.apply(engine, settings)
    assert.same({
      { "never_send.domains", "a.test" }, { "never_send.domains", "b.test" },
      { "never_send.networks", "10.0.0.0/8" }, { "upload", "unknown-only" },
    }, engine.tightened)
  end)

  it("is none where none is given", function()
    assert.same({}, (check(nil)))
    assert.same({}, (check {}))
  end)

  for _, case in ipairs {
    { { uplaod = "deny" }, 'policy.uplaod: unknown key; did you mean "upload"?' },
    { { "deny" }, "policy.1: unknown key" },
    { { upload = true }, "policy.upload: must be a text" },
    { { upload = "wrong" }, 'policy.upload: "wrong" must be right' },
    { { never_send = "a.test" }, "policy.never_send: must be a table" },
    { { never_send = { domain = {} } },
      'policy.never_send.domain: unknown key; did you mean "domains"?' },
    { { never_send = { paths = "/srv" } }, "policy.never_send.paths: must be a list of texts" },
    { { never_send = { paths = { "/srv", 7 } } }, "policy.never_send.paths: must be a list" },
    { { internal_domains = { "a.test", "wrong" } }, 'policy.internal_domains: "wrong" must be' },
  } do
    it("is refused: " .. case[2], function()
      local settings, wrong = check(case[1])
      assert.matches(case[2], wrong, 1, true)
      for _, setting in ipairs(settings) do assert.is_not.equal("wrong", setting.value) end
    end)
  end

  it("is in force before anything is asked", function()
    local exit, engine = play.run('policy = { submit = "deny" }, ' .. STEPS)
    assert.equal(0, exit)
    assert.same({ { "submit", "deny" } }, engine.tightened)
  end)

  it("is not, where the playbook is refused", function()
    local exit, engine, message = play.run('policy = { submit = "deny", lokup = "x" }, ' .. STEPS)
    assert.equal(2, exit)
    assert.matches("policy.lokup: unknown key", message, 1, true)
    assert.same({}, engine.tightened)
  end)
end)
