-- SPDX-License-Identifier: Apache-2.0
local testing = require "apogee.testing"

local HOOK = "https://hooks.slack.com/services/T000/B000/made-up"
local RISKY, CLEAN = "44d88612fea8a8f36de82e1278abb02f", "d41d8cd98f00b204e9800998ecf8427e"

-- The whole URL is a secret: in requests it reads ***.
local function run(entities, http, options)
  options = options or {}
  options.entities, options.http = entities, http
  options.secrets = { chat_hook = HOOK }
  return testing.playbook("look_up_and_tell.lua", options)
end

describe("tell_chat", function()
  it("tells what is risky, in one message", function()
    local ran = run({ "filehash:" .. RISKY, "filehash:" .. CLEAN }, { { url = "***" } })
    assert.equal(0, ran.exit)
    assert.requests(ran, { { method = "POST", url = "***" } })
    local body = ran.requests[1].body
    assert.matches("1 of 2 entities suspicious: " .. RISKY, body, 1, true)
    assert.is_nil(body:find("may not be all", 1, true))
  end)

  it("tells nothing when nothing is risky", function()
    local ran = run({ "filehash:" .. CLEAN }, {})
    assert.equal(0, ran.exit)
    assert.requests(ran, {})
    assert.equal("Nothing to tell.", ran.steps.tell.message)
  end)

  it("tells that something could not be checked", function()
    local scenario = { answers = { ["file/report *"] = { { status = 403 } } } }
    local ran = run({ "filehash:" .. CLEAN }, { { url = "***" } },
      { scenario = scenario, config = { virustotal = { retries = 0 } } })
    assert.matches("may not be all", (ran.requests[1] or {}).body or "none", 1, true)
  end)

  it("has the run done in part when the chat refuses", function()
    local ran = run({ "filehash:" .. RISKY },
      { { url = "***", status = 404, body = "no_service" } })
    assert.equal(1, ran.exit)
    assert.equal("The chat answered 404.", ran.steps.tell.message)
  end)

  it("does not send again what may have arrived", function()
    local ran = run({ "filehash:" .. RISKY }, { { url = "***", fails = "timeout" } })
    assert.equal(1, ran.exit)
    assert.equal(1, #ran.requests)
  end)

  it("does not name what must not leave", function()
    local secret_one = { identifier = CLEAN, type = "filehash", tlp = "red" }
    local ran = run({ "filehash:" .. RISKY, secret_one }, { { url = "***" } })
    assert.is_truthy(ran.requests[1].body:find(RISKY, 1, true))
    assert.is_nil(ran.requests[1].body:find(CLEAN, 1, true))
  end)
end)
