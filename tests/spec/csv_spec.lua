-- SPDX-License-Identifier: Apache-2.0
local clock = require "spec.support.clock"
local csv = require "spec.support.csv"
local record = require "spec.support.record"
local report = require "report.csv"

local COLUMNS = "run step action provider identifier type original_identifier internal suspicious "
  .. "verdict detections engines threshold outcome reason scan_date age_days detecting_engines "
  .. "insights link change"

describe("csv", function()
  setup(function() _G.clock = clock end)
  teardown(function() _G.clock = nil end)

  it("has a row for each entity in each step, and columns that stay", function()
    local risky = {
      identifier = "http://a.example/", suspicious = true, link = "https://vt.example/x",
      verdict = { risky = true, detections = 9, total = 10, threshold = 3 },
      enrichment = { VirusTotal = {
        ["Scan date"] = "2024-03-01 12:00:00", ["Detecting Engines"] = "A, B",
      } },
      insights = { { severity = "warn", title = "Bad", body = "one\ntwo" } },
    }
    local rows, columns = csv.objects(record.render(report, {
      unasked = { { identifier = "10.0.0.5" } },
      steps = {
        { "urls", entities = { risky, { identifier = "b", outcome = "failed", reason = "late" } } },
        { "more", entities = { { identifier = "b", outcome = "not_found" } } },
      },
    }))
    assert.equal(COLUMNS, table.concat(columns, " "))
    assert.same({
      run = "20240310T120000Z-0001", step = "urls", action = "scan_hash", provider = "VirusTotal",
      identifier = "http://a.example/", type = "url", original_identifier = "", internal = "false",
      suspicious = "true", verdict = "risky", detections = "9", engines = "10", threshold = "3",
      outcome = "reported", reason = "", scan_date = "2024-03-01 12:00:00", age_days = "9",
      detecting_engines = "A, B", insights = "warn: Bad: one; two", link = "https://vt.example/x",
      change = "",
    }, rows[1])
    assert.same({ "urls", "b", "not_checked", "failed", "late" },
      { rows[2].step, rows[2].identifier, rows[2].verdict, rows[2].outcome, rows[2].reason })
    assert.same({ "more", "b", "unknown" }, { rows[3].step, rows[3].identifier, rows[3].verdict })
    assert.equal(3, #rows)
  end)

  it("is its columns alone where there is nothing", function()
    assert.equal(1, #csv.parse(record.render(report, { run = false, steps = { { "a" } } })))
  end)

  for _, words in ipairs(record.PAYLOADS) do
    it("is only text with " .. ("%q"):format(words):sub(1, 40), function()
      local rows, columns = csv.objects(record.render(report, record.poisoned(words)))
      assert.equal(6, #rows)
      for _, row in ipairs(rows) do
        for _, name in ipairs(columns) do
          assert.is_nil(row[name]:find "^[=+%-@]", name)
          assert.is_nil(row[name]:find "%c", name)
          assert.is_not_nil(utf8.len(row[name]), name)
        end
      end
    end)
  end
end)
