-- SPDX-License-Identifier: Apache-2.0
local json = require "dkjson"
local testing = require "apogee.testing"

local URL = "https://thehive.example.com/api/v1/alert"
local RISKY, CLEAN = "44d88612fea8a8f36de82e1278abb02f", "d41d8cd98f00b204e9800998ecf8427e"

local CREATED = { url = URL, method = "POST", status = 201, json = { _id = "~4096" } }

local function run(entities, http)
  return testing.playbook("triage_to_ticket.lua", {
    entities = entities, http = http, secrets = { "thehive_key" },
    params = { reference = "case-17" },
  })
end

describe("open_ticket", function()
  it("opens one ticket with what is risky", function()
    local ran = run({ "filehash:" .. RISKY, "filehash:" .. CLEAN }, { CREATED })
    assert.equal(0, ran.exit)
    assert.equal("Ticket ~4096.", ran.steps.ticket.message)
    assert.requests(ran, { { method = "POST", url = URL,
      headers = { Authorization = "Bearer ***", ["Content-Type"] = "application/json" } } })
    local ticket = json.decode(ran.requests[1].body)
    assert.equal("case-17", ticket.sourceRef)
    assert.equal("Triage to ticket: 1 suspicious", ticket.title)
    assert.equal(2, ticket.severity)
    assert.same({ "apogee" }, ticket.tags)
    assert.equal(1, #ticket.observables)
    assert.equal("hash", ticket.observables[1].dataType)
    assert.equal(RISKY, ticket.observables[1].data)
  end)

  it("opens none when nothing is risky", function()
    local ran = run({ "filehash:" .. CLEAN }, {})
    assert.equal(0, ran.exit)
    assert.requests(ran, {})
    assert.equal("Nothing is risky: no ticket.", ran.steps.ticket.message)
  end)

  it("says what the server answered", function()
    local ran = run({ "filehash:" .. RISKY }, { { url = URL, status = 400 } })
    assert.equal(1, ran.exit)
    assert.equal("The ticket system answered 400.", ran.steps.ticket.message)
  end)

  it("wants a reference that a server can take", function()
    local ran = testing.playbook("triage_to_ticket.lua", {
      entities = { "filehash:" .. RISKY }, secrets = { "thehive_key" }, exit = 2,
    })
    assert.matches("reference", ran.err)
  end)
end)
