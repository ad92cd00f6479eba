-- SPDX-License-Identifier: Apache-2.0
local fake_vt = require "spec.support.vt"
local run_action = require "spec.support.run_action"

local MD5 = "44d88612fea8a8f36de82e1278abb02f"

local function report(fields)
  local result = {
    permalink = "https://www.virustotal.com/gui/file/275a/detection",
    sha1 = "3395", sha256 = "275a", md5 = MD5, resource = MD5, scan_date = "2024-03-01 10:00:00",
    scan_id = "275a-1709287200",
    verbose_msg = "Scan finished, information embedded", total = 60, positives = 54,
    scans = {
      Bkav = { detected = true, result = "W32.Eicar", version = "2.0", update = "20240301" },
      ["Dr.Web"] = { detected = false, version = "7.0", update = "20240301" },
      AVG = { detected = true, result = "EICAR", version = "23.9", update = "20240229" },
    },
  }
  for key, value in pairs(fields or {}) do result[key] = value end
  return result
end

local OLD = report()
local FRESH = report { scan_date = "2024-03-10 11:59:00", positives = 55 }
local RECEIPT = { scan_id = "275a-1710072000", resource = MD5 }

local function run(given)
  given.params = given.params or { threshold = 3 }
  given.entity = given.entity or { identifier = MD5, type = "filehash" }
  return run_action("scan_hash", given)
end

local function found(fields)
  return run { answers = { file_report = { { report(fields) } } } }
end

describe("scan_hash", function()
  describe("asks for", function()
    for _, case in ipairs {
      { "an MD5", MD5, MD5 },
      { "a hash in upper case", MD5:upper(), MD5 },
      { "a hash with blanks around it", " " .. MD5 .. "\t", MD5 },
      { "a SHA-1", ("ab"):rep(20), ("ab"):rep(20) },
      { "a SHA-256", ("CD"):rep(32), ("cd"):rep(32) },
    } do
      it(case[1] .. ", trimmed and in lower case", function()
        local _, _, vt = run {
          answers = { file_report = { { report() } } },
          entity = { identifier = case[2], type = "filehash" },
        }
        assert.same({ "file_report", case[3] }, vt.calls[1])
      end)
    end

    for _, text in ipairs { "", "abc", ("g"):rep(32), ("a"):rep(33), ("a"):rep(63), MD5 .. " x" } do
      it('nothing, and skips, for "' .. text .. '"', function()
        local outcome, _, vt = run {
          answers = {}, entity = { identifier = text, type = "filehash" },
        }
        assert.equal("skipped", outcome.outcome)
        assert.matches("32, 40 or 64", outcome.reason)
        assert.same({}, vt.calls)
      end)
    end
  end)

  describe("enriches", function()
    it("with the fields of the contract, numbers as integers", function()
      local outcome, entity = found()
      assert.same({ outcome = "reported", report = report() }, outcome)
      assert.same({
        permalink = "https://www.virustotal.com/gui/file/275a/detection", sha1 = "3395",
        resource = MD5, ["Scan date"] = "2024-03-01 10:00:00", ["Scan ID"] = "275a-1709287200",
        verbose_msg = "Scan finished, information embedded", total = 60, positives = 54,
        sha256 = "275a", md5 = MD5, ["Detecting Engines"] = "AVG, Bkav",
      }, entity.enrichment)
      assert.equal("integer", math.type(entity.enrichment.positives))
    end)

    it("with nothing that the answer does not have", function()
      local _, entity = run { answers = { file_report = { { { positives = 1, total = 2 } } } } }
      assert.same({ positives = 1, total = 2 }, entity.enrichment)
    end)

    it("with an empty list of engines when none detects", function()
      local _, entity = found { positives = 0, scans = { AVG = { detected = false } } }
      assert.equal("", entity.enrichment["Detecting Engines"])
    end)

    it("with the engines' table and the link", function()
      local _, entity = found()
      assert.same({
        { "AVG", true, "EICAR", "23.9", "20240229" },
        { "Bkav", true, "W32.Eicar", "2.0", "20240301" },
        { "Dr.Web", false, "", "7.0", "20240301" },
      }, entity.tables["VirusTotal engines"].rows)
      assert.equal("https://www.virustotal.com/gui/file/275a/detection", entity.url)
    end)

    it("with the comments of the hash", function()
      local _, entity, vt = run { answers = {
        file_report = { { report() } },
        comments = { { { { date = "20240301100000", comment = "seen in a mail" } } } },
      } }
      assert.same({ "comments", MD5, { risky = true } }, vt.calls[2])
      assert.same({ { "20240301100000", "seen in a mail" } },
        entity.tables["VirusTotal comments"].rows)
    end)
  end)

  describe("threshold", function()
    for _, case in ipairs { { 54, true }, { 53, true }, { 55, false } } do
      it(("of %d is %smet by 54"):format(case[1], case[2] and "" or "not "), function()
        local _, entity = run {
          answers = { file_report = { { report() } } }, params = { threshold = case[1] },
        }
        assert.equal(case[2], entity.suspicious)
        assert.same({ detections = 54, total = 60, threshold = case[1], risky = case[2] },
          entity.found)
        assert.equal(case[2] and 1 or 0, #entity.insights)
      end)
    end

    it("says count, total, threshold and engines in a warning", function()
      local _, entity = found()
      local insight = entity.insights[1]
      assert.equal("warn", insight.severity)
      assert.matches("54 of 60", insight.body)
      assert.matches("threshold is 3", insight.body)
      assert.matches("AVG, Bkav", insight.body)
    end)

    it("does not unmark what something else has marked", function()
      local _, entity = run {
        answers = { file_report = { { report { positives = 0 } } } },
        entity = { identifier = MD5, type = "filehash", suspicious = true },
      }
      assert.is_true(entity.suspicious)
      assert.same({}, entity.insights)
    end)
  end)

  describe("when the look-up fails", function()
    for _, case in ipairs {
      { "not_found", "not_found" },
      { "limited", "limited" },
      { "forbidden", "forbidden" },
      { "unauthorized", "forbidden" },
      { "denied", "denied" },
      { "rejected", "failed" },
      { "server", "failed" },
      { "network", "failed" },
      { "timeout", "failed" },
      { "tls", "failed" },
      { "bad_answer", "failed" },
      { "too_large", "failed" },
      { "deadline", "not_asked" },
      { "canceled", "not_asked" },
    } do
      it(case[1] .. " is " .. case[2] .. ", and no rescan is tried", function()
        local outcome, entity, vt = run {
          answers = { file_report = { { nil, "this is why", case[1] } } },
          params = { threshold = 3, rescan_after_days = 0 },
        }
        assert.equal(case[2], outcome.outcome)
        assert.equal(case[2] ~= "not_found" and "this is why" or nil, outcome.reason)
        assert.same({}, entity.enrichment)
        assert.same({ "file_report" }, fake_vt.names(vt))
      end)
    end
  end)

  describe("rescans", function()
    for _, case in ipairs {
      { "never when it is not set", nil, "2010-01-01 00:00:00", false },
      { "always at 0", 0, "2024-03-10 11:59:59", true },
      { "always at 0, even a report of the future", 0, "2030-01-01 00:00:00", true },
      { "after exactly as many days", 9, "2024-03-01 12:00:00", true },
      { "not a second before", 9, "2024-03-01 12:00:01", false },
      { "a report whose date cannot be read", 9, "yesterday", true },
    } do
      it(case[1], function()
        local before = report { scan_date = case[3] }
        local outcome, entity, vt = run {
          answers = {
            file_report = { { before } }, file_rescan = { { RECEIPT } }, await = { { FRESH } },
          },
          params = { threshold = 3, rescan_after_days = case[2] },
        }
        assert.equal(case[4] and "scanned" or "reported", outcome.outcome)
        assert.equal(case[4] and 55 or 54, entity.enrichment.positives)
        if not case[4] then return end
        assert.same({ "file_rescan", MD5, { report = before } }, vt.calls[2])
        assert.same({ "await", "file", RECEIPT, { resource = MD5 } }, vt.calls[3])
      end)
    end

    for _, code in ipairs {
      "forbidden", "limited", "unauthorized", "server", "network", "bad_answer", "rejected",
      "not_found", "denied", "deadline",
    } do
      it("keeps the report in hand when the rescan ends in " .. code, function()
        local outcome, entity = run {
          answers = {
            file_report = { { OLD } }, file_rescan = { { nil, "this is why", code } },
          },
          params = { threshold = 3, rescan_after_days = 1 },
        }
        assert.equal("reported", outcome.outcome)
        assert.equal(OLD, outcome.report)
        assert.equal("not rescanned (this is why); this is the report of 2024-03-01 10:00:00 UTC",
          outcome.reason)
        assert.equal(54, entity.enrichment.positives)
        assert.is_true(entity.suspicious)
      end)
    end

    for _, case in ipairs {
      { "queued", "pending" },
      { "limited", "pending" },
      { "unauthorized", "pending" },
      { "server", "pending" },
      { "deadline", "pending" },
      { "canceled", "pending" },
      { "rejected", "reported" },
      { "not_found", "reported" },
    } do
      it(("is %s with the older report when waiting ends in %s"):format(case[2], case[1]),
        function()
          local outcome, entity = run {
            answers = {
              file_report = { { OLD } }, file_rescan = { { RECEIPT } },
              await = { { nil, "this is why", case[1] } },
            },
            params = { threshold = 3, rescan_after_days = 1 },
          }
          assert.equal(case[2], outcome.outcome)
          assert.equal(OLD, outcome.report)
          local what = case[2] == "pending" and "is not finished" or "was lost"
          assert.equal("the new scan " .. what
            .. " (this is why); this is the report of 2024-03-01 10:00:00 UTC", outcome.reason)
          assert.equal(54, entity.enrichment.positives)
          assert.equal(1, #entity.insights)
        end)
    end
  end)

  it("is pending with the report in hand when a rescan is queued already", function()
    local outcome, entity, vt = run {
      answers = { file_report = { { OLD } }, file_rescan = { { nil, "queued", "queued" } } },
      params = { threshold = 3, rescan_after_days = 1 },
    }
    assert.same({
      outcome = "pending", report = OLD,
      reason = "the new scan is not finished (queued); "
        .. "this is the report of 2024-03-01 10:00:00 UTC",
    }, outcome)
    assert.equal(54, entity.enrichment.positives)
    assert.equal(2, #vt.calls)
  end)

  it("says of a report without a date that it is older", function()
    local undated = report { scan_date = 7 }
    local outcome = run {
      answers = { file_report = { { undated } }, file_rescan = { { nil, "why", "server" } } },
      params = { threshold = 3, rescan_after_days = 1 },
    }
    assert.equal("not rescanned (why); this is an older report", outcome.reason)
  end)

  describe("finds the hash queued already", function()
    local queued = { { nil, "queued for analysis", "queued", "275a-17" } }

    it("and waits by the answer's scan id, without another submission", function()
      local outcome, entity, vt = run {
        answers = { file_report = queued, await = { { FRESH } } },
        params = { threshold = 3, rescan_after_days = 0 },
      }
      assert.equal("reported", outcome.outcome)
      assert.equal(55, entity.enrichment.positives)
      assert.same({ "await", "file", "275a-17", { resource = MD5 } }, vt.calls[2])
    end)

    it("and waits by the hash when the answer had no scan id", function()
      local _, _, vt = run { answers = {
        file_report = { { nil, "queued for analysis", "queued" } }, await = { { FRESH } },
      } }
      assert.equal(MD5, vt.calls[2][3])
    end)

    for _, case in ipairs {
      { "queued", "pending" }, { "deadline", "pending" }, { "server", "pending" },
      { "rejected", "failed" }, { "not_found", "failed" },
    } do
      it(("is %s when waiting ends in %s"):format(case[2], case[1]), function()
        local outcome, entity = run { answers = {
          file_report = queued, await = { { nil, "this is why", case[1] } },
        } }
        assert.same({ outcome = case[2], reason = "this is why" }, outcome)
        assert.same({}, entity.enrichment)
      end)
    end
  end)
end)
