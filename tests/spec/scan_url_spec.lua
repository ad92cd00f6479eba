-- SPDX-License-Identifier: Apache-2.0
local fake_vt = require "spec.support.vt"
local run_action = require "spec.support.run_action"

local URL = "http://Example.com/Path"

local REPORT = {
  permalink = "https://www.virustotal.com/gui/url/aa/detection", resource = URL,
  url = "http://example.com/Path", scan_date = "2024-03-01 10:00:00", scan_id = "aa-17",
  verbose_msg = "Scan finished", filescan_id = "bb-17", positives = 5, total = 67,
  scans = { DNS8 = { detected = true, result = "malware site" } },
}
local RECEIPT = { scan_id = "aa-18" }

local function run(answers, params, entity)
  return run_action("scan_url", {
    answers = answers,
    params = params or { threshold = 3, submit_unknown = true },
    entity = entity or { identifier = URL, type = "url" },
  })
end

local function unknown(url_scan, await, entity)
  return run({
    url_report = { { nil, "unknown", "not_found" } }, url_scan = url_scan, await = await,
  }, nil, entity)
end

describe("scan_url", function()
  it("enriches with the fields of the contract", function()
    local outcome, entity = run { url_report = { { REPORT } } }
    assert.same({ outcome = "reported", report = REPORT }, outcome)
    assert.same({
      ["Scan date"] = "2024-03-01 10:00:00", ["Last Scan Date"] = "2024-03-01 10:00:00",
      ["Scan ID"] = "aa-17", risk_score = 5, ["Risk Score"] = "5/67", Total = 67,
      ["Online Link"] = "https://www.virustotal.com/gui/url/aa/detection",
      ["Scanned Url"] = "http://example.com/Path", resource = URL, verbose_msg = "Scan finished",
      ["Detecting Engines"] = "DNS8", ["File Scan ID"] = "bb-17",
    }, entity.enrichment)
  end)

  it("leaves out the fields that the answer does not have", function()
    local _, entity = run { url_report = { { { positives = 0 } } } }
    assert.same({ risk_score = 0 }, entity.enrichment)
  end)

  for _, case in ipairs {
    { "as it is", { identifier = URL } },
    { "as first written", { identifier = URL:upper(), original_identifier = URL } },
    { "from the property OriginalIdentifier",
      { identifier = URL:upper(), properties = { OriginalIdentifier = URL } } },
  } do
    it("asks for the URL " .. case[1], function()
      local _, _, vt = run({ url_report = { { REPORT } } }, nil, case[2])
      assert.same({ "url_report", URL }, vt.calls[1])
    end)
  end

  it("submits a URL that is not known, and waits for it", function()
    local outcome, entity, vt = unknown({ { RECEIPT } }, { { REPORT } })
    assert.same({ outcome = "scanned", report = REPORT }, outcome)
    assert.equal(5, entity.enrichment.risk_score)
    assert.same({ "url_scan", URL }, vt.calls[2])
    assert.same({ "await", "url", RECEIPT, { resource = URL } }, vt.calls[3])
  end)

  for _, case in ipairs {
    { "not when submit_unknown is false", { threshold = 3, submit_unknown = false }, false },
    { "not when it is internal", { threshold = 3, submit_unknown = true }, true },
  } do
    it("submits " .. case[1], function()
      local outcome, _, vt = run({ url_report = { { nil, "unknown", "not_found" } } }, case[2],
        { identifier = URL, internal = case[3] })
      assert.same({ outcome = "not_found" }, outcome)
      assert.same({ "url_report" }, fake_vt.names(vt))
    end)
  end

  for _, case in ipairs {
    { "forbidden", "forbidden" }, { "unauthorized", "forbidden" }, { "limited", "limited" },
    { "rejected", "failed" }, { "not_found", "failed" }, { "server", "failed" },
    { "denied", "denied" }, { "deadline", "not_asked" },
  } do
    it(("is %s when its submission ends in %s"):format(case[2], case[1]), function()
      local outcome = unknown { { nil, "this is why", case[1] } }
      assert.same({ outcome = case[2], reason = "this is why" }, outcome)
    end)
  end

  for _, case in ipairs {
    { "queued", "pending" }, { "deadline", "pending" }, { "rejected", "failed" },
    { "not_found", "failed" },
  } do
    it(("is %s when waiting for its submission ends in %s"):format(case[2], case[1]), function()
      local outcome = unknown({ { RECEIPT } }, { { nil, "this is why", case[1] } })
      assert.same({ outcome = case[2], reason = "this is why" }, outcome)
    end)
  end

  it("scans a known URL again with url_scan and the report in hand", function()
    local outcome, _, vt = run({
      url_report = { { REPORT } }, url_scan = { { nil, "HTTP 403", "forbidden" } },
    }, { threshold = 3, rescan_after_days = 1 })
    assert.same({ "url_scan", URL, { report = REPORT } }, vt.calls[2])
    assert.equal("reported", outcome.outcome)
    assert.matches("not rescanned %(HTTP 403%)", outcome.reason)
  end)
end)
