-- SPDX-License-Identifier: Apache-2.0
local run_action = require "spec.support.run_action"

local NULL = coroutine.create(print) -- as null is: neither a table nor a text, and without fields

local REPORT = {
  response_code = 1, verbose_msg = "Domain found in dataset",
  categories = { "searchengines", NULL, "search engines and portals" },
  whois = "Domain Name: EXAMPLE.COM\n", whois_timestamp = 1455469311.98739, ["Alexa rank"] = 10,
  ["Forcepoint ThreatSeeker category"] = "search engines",
  ["BitDefender domain info"] = "was seen to host badware", ["BitDefender category"] = "search",
  ["Alexa category"] = "google", ["Alexa domain info"] = "one of the top 10 sites",
  ["Websense ThreatSeeker category"] = "portals", ["TrendMicro category"] = "engines portals",
  ["Opera domain info"] = "badware",
  ["Webutation domain info"] = {
    ["Safety score"] = 100, ["Adult content"] = "no", ["Verdict"] = "safe",
  },
  ["WOT domain info"] = { Privacy = "Good", ["Child safety"] = "Excellent" },
  ["Dr.Web category"] = "chats", [" category"] = "nobody's", ["sophos category"] = { "a", "b" },
  subdomains = { "www.example.com" },
  detected_urls = {
    { url = "http://example.com/a", positives = 2, total = 67, scan_date = "2019-02-05 13:20:39" },
    { url = "http://example.com/b", positives = 1 }, { url = "http://example.com/c" }, NULL, {},
  },
  resolutions = {
    { ip_address = "192.0.2.1", last_resolved = "2019-01-13 03:31:09" },
    { ip_address = "192.0.2.2", last_resolved = NULL }, NULL,
  },
}

local HOST = {
  identifier = "www.example.com", type = "hostname",
  domains = { registrable = "example.com", exact = "www.example.com" },
}

local function run(answer, entity, exact_host)
  return run_action("get_domain_report", {
    answers = { domain_report = answer and { answer } },
    params = { exact_host = exact_host or false }, entity = entity or HOST,
  })
end

describe("get_domain_report", function()
  it("enriches with the fields of the contract, and what other vendors say", function()
    local outcome, entity = run { REPORT }
    assert.same({ outcome = "reported", report = REPORT }, outcome)
    assert.same({
      ["Forcepoint ThreatSeeker category"] = "search engines",
      ["BitDefender domain info"] = "was seen to host badware",
      Categories = "searchengines, search engines and portals",
      ["BitDefender Category"] = "search", ["Alexa Category"] = "google",
      ["Alexa domain info"] = "one of the top 10 sites",
      ["Websense ThreatSeeker category"] = "portals", ["TrendMicro category"] = "engines portals",
      ["Opera domain info"] = "badware",
      ["Webutation domain info"] = "Verdict: safe, Safety score: 100, Adult content: no",
      verbose_msg = "Domain found in dataset", whois = "Domain Name: EXAMPLE.COM\n",
      ["WOT domain info"] = "Child safety: Excellent, Privacy: Good",
      ["Dr.Web category"] = "chats", ["sophos category"] = "a, b",
    }, entity.enrichment)
  end)

  it("writes the fields in one order, whatever the order of the answer", function()
    local _, entity = run { REPORT }
    assert.equal("Categories, BitDefender Category, Alexa Category, verbose_msg, whois, "
      .. "Alexa domain info, BitDefender domain info, Dr.Web category, "
      .. "Forcepoint ThreatSeeker category, Opera domain info, TrendMicro category, "
      .. "WOT domain info, Websense ThreatSeeker category, Webutation domain info, "
      .. "sophos category", table.concat(entity.written, ", "))
  end)

  it("links to the web report, and judges nothing", function()
    local _, entity = run { REPORT }
    assert.equal("https://www.virustotal.com/gui/domain/example.com", entity.url)
    assert.is_nil(entity.found)
    assert.is_false(entity.suspicious)
    assert.same({}, entity.insights)
  end)

  it("shows the detected URLs and the resolutions", function()
    local _, entity = run { REPORT }
    assert.same({
      { "http://example.com/a", "2/67", "2019-02-05 13:20:39" }, { "http://example.com/b", 1, "" },
      { "http://example.com/c", "", "" },
    }, entity.tables["Detected URLs"].rows)
    assert.same({ "IP address", "Last resolved" }, entity.tables.Resolutions.columns)
    assert.same({ { "192.0.2.1", "2019-01-13 03:31:09" }, { "192.0.2.2", "" } },
      entity.tables.Resolutions.rows)
  end)

  it("writes no field and no table for what is missing, null or empty", function()
    local _, entity = run { {
      verbose_msg = "x", categories = {}, resolutions = {}, detected_urls = NULL,
      ["Webutation domain info"] = {}, ["Opera domain info"] = NULL,
    } }
    assert.same({ verbose_msg = "x" }, entity.enrichment)
    assert.same({}, entity.tables)
  end)

  for _, case in ipairs {
    { "parked", "parked" }, { "", nil }, { { NULL }, nil }, { { "parked" }, "parked" },
  } do
    it("takes categories as a list or a text: " .. tostring(case[2]), function()
      local _, entity = run { { categories = case[1] } }
      assert.equal(case[2], entity.enrichment.Categories)
    end)
  end

  for _, case in ipairs {
    { { ["Safety score"] = 40.0 }, "Safety score: 40" },
    { { ["Safety score"] = 0.5 }, "Safety score: 0.5" },
    { { ["Safety score"] = "007" }, "Safety score: 007" },
    { { Zeal = true, Verdict = "unsure", Age = 3, Rows = {} },
      "Verdict: unsure, Age: 3, Zeal: true" },
    { { AAA = 3, ["Adult content"] = "no", ["Safety score"] = 9 },
      "Safety score: 9, Adult content: no, AAA: 3" },
    { "malicious", "malicious" },
  } do
    it("makes one line of a verdict: " .. case[2], function()
      local _, entity = run { { ["Webutation domain info"] = case[1] } }
      assert.equal(case[2], entity.enrichment["Webutation domain info"])
    end)
  end

  for _, case in ipairs { { false, "example.com" }, { true, "www.example.com" } } do
    it(("asks for %s when exact_host is %s"):format(case[2], case[1]), function()
      local _, entity, vt = run({ REPORT }, HOST, case[1])
      assert.same({ { "domain_report", case[2] } }, vt.calls)
      assert.equal("https://www.virustotal.com/gui/domain/" .. case[2], entity.url)
    end)
  end

  it("skips what has no domain, says why, and sends nothing", function()
    local outcome, entity, vt = run(nil, {
      identifier = "ana", type = "user", no_domain = "a user without a domain",
    })
    assert.same({ outcome = "skipped", reason = "a user without a domain" }, outcome)
    assert.same({}, vt.calls)
    assert.same({}, entity.enrichment)
    assert.is_nil(entity.url)
  end)

  for _, case in ipairs {
    { "not_found", "not_found" }, { "rejected", "failed" }, { "limited", "limited" },
    { "unauthorized", "forbidden" }, { "server", "failed" }, { "deadline", "not_asked" },
  } do
    it(case[1] .. " is " .. case[2], function()
      local outcome, entity = run { nil, "Invalid domain", case[1] }
      assert.equal(case[2], outcome.outcome)
      assert.equal(case[2] ~= "not_found" and "Invalid domain" or nil, outcome.reason)
      assert.same({}, entity.enrichment)
      assert.is_nil(entity.url)
    end)
  end
end)
