-- SPDX-License-Identifier: Apache-2.0
local run_action = require "spec.support.run_action"
local scripts = require "spec.support.scripts"

local NULL = coroutine.create(print) -- as null is: neither a table nor a text, and without fields

local REPORT = {
  country = "US", verbose_msg = "IP address in dataset", response_code = 1,
  detected_urls = {
    { url = "http://a/", positives = 2, total = 67, scan_date = "2023-05-20 07:16:45" },
  },
  detected_downloaded_samples = {
    { date = "2023-05-20 08:38:00", positives = 30, total = 57, sha256 = "9c" },
    { positives = 1, total = 57, sha256 = "9d" },
  },
  detected_referrer_samples = {},
  undetected_urls = { { "http://b/", "2e", 0, 66, "2023-11-23 06:51:49" } },
  resolutions = {
    { hostname = "b.example", last_resolved = "2023-05-13 00:00:00" },
    { hostname = "a.example", last_resolved = NULL },
    { hostname = "b.example" },
    NULL,
  },
}

local function run(answer, threshold, entity)
  return run_action("scan_ip", {
    answers = { ip_report = answer and { answer } },
    params = { threshold = threshold or 25 },
    entity = entity or { identifier = "192.0.2.1", type = "ip_address" },
  })
end

describe("scan_ip", function()
  it("has a threshold of 25 unless told otherwise", function()
    local param = scripts.action "scan_ip".params[1]
    assert.equal("threshold", param[1])
    assert.equal(25, param.default)
    assert.is_nil(param.required)
  end)

  it("enriches with the fields of the contract", function()
    local outcome, entity = run { REPORT }
    assert.same({ outcome = "reported", report = REPORT }, outcome)
    assert.same({
      Country = "US", verbose_msg = "IP address in dataset",
      ["Related Domains"] = "b.example, a.example", ["Last Scan Date"] = "2023-11-23 06:51:49",
      Resolutions = {
        { hostname = "b.example", last_resolved = "2023-05-13 00:00:00" },
        { hostname = "a.example" },
        { hostname = "b.example" },
      },
    }, entity.enrichment)
    assert.equal("https://www.virustotal.com/gui/ip-address/192.0.2.1", entity.url)
    assert.same({ "b.example", "2023-05-13 00:00:00" }, entity.tables.Resolutions.rows[1])
  end)

  it("writes no field for what is missing or null", function()
    local _, entity = run { { verbose_msg = "x", resolutions = NULL, detected_urls = NULL } }
    assert.same({ verbose_msg = "x" }, entity.enrichment)
    assert.same({ detections = 0, threshold = 25, risky = false }, entity.found)
    assert.same({}, entity.tables)
  end)

  for _, case in ipairs { { 30, true }, { 31, false } } do
    it("compares the highest detections with " .. case[1], function()
      local _, entity = run({ REPORT }, case[1])
      assert.same({ detections = 30, total = 57, threshold = case[1], risky = case[2] },
        entity.found)
      assert.equal(case[2], entity.suspicious)
      assert.equal(case[2] and 1 or 0, #entity.insights)
    end)
  end

  it("takes the newest date of any list, and the first that has the highest detections", function()
    local _, entity = run({ {
      detected_urls = { { scan_date = "2020-01-01 00:00:00", positives = 3, total = 60 }, NULL },
      detected_referrer_samples = {
        { date = "2021-01-01 00:00:00", positives = 3, total = 70 }, { date = "yesterday" },
      },
      undetected_urls = { { "http://b/", "2e", 0, 66, "2019-01-01 00:00:00" }, NULL },
    } }, 3)
    assert.equal("2021-01-01 00:00:00", entity.enrichment["Last Scan Date"])
    assert.same({ detections = 3, total = 60, threshold = 3, risky = true }, entity.found)
  end)

  it("names a single domain, and does without totals and a country", function()
    local _, entity = run({ {
      country = "", detected_urls = { { positives = 3 } }, resolutions = { { hostname = "a" } },
    } }, 3)
    assert.equal("a", entity.enrichment["Related Domains"])
    assert.matches("^Country: unknown\n", entity.insights[1].body)
    assert.matches("\nHighest detections: 3 %(threshold 3%)$", entity.insights[1].body)
  end)

  it("says country and lengths in the insight", function()
    local _, entity = run { REPORT }
    assert.equal("Entity Insight", entity.insights[1].title)
    assert.equal("Country: US\nMalicious Referrer Samples: 0\nMalicious Downloaded Samples: 2\n"
      .. "Malicious Communicating Samples: 0\nMalicious URLs: 1\n"
      .. "Highest detections: 30 of 57 (threshold 25)", entity.insights[1].body)
  end)

  for _, case in ipairs {
    { "an internal address", { identifier = "10.0.0.5", internal = true }, "internal" },
    { "IPv6", { identifier = "2001:db8::1" }, "IPv6" },
  } do
    it("skips " .. case[1] .. " and sends nothing", function()
      local outcome, _, vt = run(nil, nil, case[2])
      assert.equal("skipped", outcome.outcome)
      assert.matches(case[3], outcome.reason)
      assert.same({}, vt.calls)
    end)
  end

  for _, case in ipairs {
    { "not_found", "not_found" }, { "rejected", "failed" }, { "limited", "limited" },
    { "unauthorized", "forbidden" }, { "server", "failed" }, { "deadline", "not_asked" },
  } do
    it(case[1] .. " is " .. case[2], function()
      local outcome, entity = run { nil, "this is why", case[1] }
      assert.equal(case[2], outcome.outcome)
      assert.same({}, entity.enrichment)
    end)
  end
end)
