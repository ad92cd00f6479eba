-- SPDX-License-Identifier: Apache-2.0
local testing = require "apogee.testing"

local URL = "https://api.abuseipdb.com/api/v2/check"
local ADDRESS = "198.51.100.7"

local function answer(score)
  return { url = URL, json = { data = {
    ipAddress = ADDRESS, abuseConfidenceScore = score, totalReports = 12, countryCode = "NL",
    isp = "Example Hosting",
  } } }
end

local function ask(http, options)
  options = options or {}
  options.entities = options.entities or { "ip_address:" .. ADDRESS }
  options.secrets = { "abuseipdb_key" }
  options.http = http
  return testing.action("abuse_score.lua", options)
end

describe("abuse_score", function()
  it("marks an address whose score meets the threshold", function()
    local run = ask { answer(50) }
    assert.outcome(run, ADDRESS, "reported")
    assert.suspicious(run, ADDRESS)
    assert.insight(run, ADDRESS, "12 reports in 90 days")
    assert.enriched(run, ADDRESS,
      { score = 50, reports = 12, country = "NL", provider = "Example Hosting" })
  end)

  it("leaves one below it alone", function()
    local run = ask({ answer(50) }, { params = { threshold = 51 } })
    assert.outcome(run, ADDRESS, "reported")
    assert.is_not.suspicious(run, ADDRESS)
    assert.is_not.insight(run, ADDRESS, "Reported")
  end)

  it("asks with the key, for so many days", function()
    local run = ask({ answer(1) }, { params = { days = 7 } })
    assert.requests(run, { {
      method = "GET", url = URL .. "?ipAddress=" .. ADDRESS .. "&maxAgeInDays=7",
      headers = { Key = "***", Accept = "application/json" },
    } })
  end)

  it("asks nothing about internal addresses", function()
    local run = ask({}, { entities = { "ip_address:10.0.0.1" } })
    assert.outcome(run, "10.0.0.1", "skipped")
    assert.requests(run, {})
  end)

  it("tells what went wrong apart", function()
    for status, outcome in pairs { [429] = "limited", [401] = "forbidden", [422] = "failed" } do
      assert.outcome(ask { { url = URL, status = status } }, ADDRESS, outcome)
    end
    assert.outcome(ask { { url = URL, body = "<html>" } }, ADDRESS, "failed", "answered 200")
    assert.outcome(ask { { url = URL, fails = "tls" } }, ADDRESS, "failed")
  end)

  it("understands an answer as the service gives it", function()
    local run = ask(testing.cassette "abuse_score_cassette.lua",
      { entities = { "ip_address:203.0.113.9" } })
    assert.outcome(run, "203.0.113.9", "reported")
    assert.suspicious(run, "203.0.113.9")
    assert.enriched(run, "203.0.113.9", { score = 73, reports = 41, country = "NL" })
  end)

  it("tries again when the service is busy", function()
    assert.outcome(ask { { url = URL, status = 503 }, answer(1) }, ADDRESS, "reported")
  end)
end)
