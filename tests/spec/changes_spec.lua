-- SPDX-License-Identifier: Apache-2.0
local changes = require "report.changes"
local record = require "spec.support.record"
local report_table = require "report.table"

local function counts(fields)
  local all = {}
  for _, kind in ipairs(changes.KINDS) do all[kind] = 0 end
  for kind, count in pairs(fields) do all[kind] = count end
  return all
end

local function news(fields)
  local all = {
    since = { run = "r1", started = "2024-03-09T12:00:00Z", finished = "2024-03-09T12:04:59Z" },
    counts = counts {}, entities = {}, left_out = 0,
  }
  for key, value in pairs(fields) do all[key] = value end
  return all
end

local function item(fields)
  local all = {
    identifier = "http://a.example/", type = "url", step = "urls", changes = { "newly_risky" },
    before = { outcome = "reported", verdict = "below_threshold", detections = 2 },
    now = { outcome = "reported", verdict = "risky", detections = 7 },
  }
  for key, value in pairs(fields or {}) do all[key] = value ~= "none" and value or nil end
  return all
end

describe("what is new", function()
  for _, case in ipairs {
    { news { since = "none" }, "There is no earlier run to compare with." },
    { news {}, "Nothing has changed since the run of 2024-03-09 12:04 UTC." },
    { news { counts = counts { newly_risky = 1, new = 2, gone = 3 } },
      "Since the run of 2024-03-09 12:04 UTC: 1 newly risky, 2 new, 3 gone." },
    { news { counts = counts { engines_added = 4 } },
      "Since the run of 2024-03-09 12:04 UTC: engines added on 4." },
  } do
    it("is said: " .. case[2], function()
      if case[1].since == "none" then case[1].since = nil end
      assert.equal(case[2], changes.sentence(case[1]))
    end)
  end

  it("is said of an entity", function()
    assert.equal("below threshold (2), now risky (7)", changes.detail(item()))
    assert.equal("risky (7)", changes.detail(item { before = "none" }))
    assert.equal("was below threshold (2)", changes.detail(item { now = "none" }))
    assert.equal("risky (7); added: A, B; removed: C", changes.detail(item {
      before = { verdict = "risky", detections = 7 }, engines_added = { "A", "B" },
      engines_removed = { "C" },
    }))
    local many = {}
    for number = 1, 12 do many[number] = "E" .. number end
    assert.matches("E10 and 2 more$", changes.detail(item { engines_added = many }))
    assert.equal("newly risky, engines added",
      changes.words { changes = { "newly_risky", "engines_added" } })
  end)

  it("is found again by step, identifier and type", function()
    local of = changes.lookup { run = { changes = news { entities = {
      item { changes = { "newly_risky", "new" } }, item { step = "other", changes = { "gone" } },
    } } }, steps = {} }
    assert.equal("newly_risky new", of("urls", "http://a.example/", "url"))
    assert.equal("gone", of("other", "http://a.example/", "url"))
    assert.is_nil(of("urls", "http://a.example/", "hostname"))
    assert.is_nil(changes.lookup { steps = {} }("urls", "http://a.example/", "url"))
  end)

  for _, words in ipairs(record.PAYLOADS) do
    it("is only text in each report: " .. words:sub(1, 20), function()
      local given = { run = { changes = news { counts = counts { new = 1 }, left_out = 3,
        entities = { item { identifier = words, step = words, engines_added = { words } } } } },
        steps = { { "urls", entities = { { identifier = "b" } } } } }
      assert.is_nil(record.render(report_table, given, { width = 80 }):find "[\0-\9\11-\31\127]")
      local page = record.render(require "report.html", given)
      assert.is_nil(page:find("<img", 1, true))
      assert.is_nil(page:find("alert(1)</script><", 1, true))
      record.render(require "report.markdown", given)
      record.render(require "report.csv", given)
    end)
  end
end)
