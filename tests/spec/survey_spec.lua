-- SPDX-License-Identifier: Apache-2.0
local paper = require "report.paper"
local prose = require "report.prose"
local record = require "spec.support.record"
local standing = require "report.standing"
local survey = require "report.survey"

local function taken(given, most)
  local seen
  for _ in paper.pieces(function(sheet)
    seen = survey.take(record.new(given), most or 1000, sheet)
  end) do assert(true) end
  return seen
end

local function entity(name, fields)
  local all = { identifier = name }
  for key, value in pairs(fields or {}) do all[key] = value end
  return all
end

local RISKY = { verdict = { risky = true, detections = 9, total = 10 } }
local CLEAN = { verdict = { risky = false, detections = 0, total = 10 } }
local LOW = { verdict = { risky = false, detections = 1, total = 10 } }

describe("a standing", function()
  for _, case in ipairs {
    { "risky", "reported", true, 9 }, { "risky", "pending", true, 9 },
    { "clean", "reported", false, 0 }, { "clean", "scanned", false, 0 },
    { "below_threshold", "reported", false, 2 }, { "unknown", "reported", false, nil },
    { "unknown", "reported", false, 0, true }, { "unknown", "not_found", false, nil },
    { "not_checked", "pending", false, 0 }, { "not_checked", "limited", false, nil },
    { "not_checked", "forbidden", false, nil }, { "not_checked", "denied", false, nil },
    { "not_checked", "failed", false, nil }, { "not_checked", "skipped", false, nil },
    { "not_checked", "not_asked", false, nil },
  } do
    it(("is %s when %s with %s"):format(case[1], case[2], tostring(case[4])), function()
      assert.equal(case[1], standing.of(case[2], case[3], case[4], case[5]))
      assert.is_not_nil(standing.LABELS[case[1]] and standing.MEANINGS[case[1]])
    end)
  end

  for _, case in ipairs {
    { "clean", "risky", "risky" }, { "risky", "not_checked", "risky" },
    { "clean", "not_checked", "not_checked" }, { "unknown", "clean", "clean" },
    { "below_threshold", "clean", "below_threshold" },
  } do
    it(("of %s and %s is %s"):format(table.unpack(case)), function()
      assert.equal(case[3], standing.worse(case[1], case[2]))
      assert.equal(case[3], standing.worse(case[2], case[1]))
    end)
  end
end)

describe("a survey", function()
  it("counts an indicator once, by the worst of its steps", function()
    local seen = taken { steps = {
      { "a", entities = { entity("x", CLEAN), entity("y", CLEAN), entity("z", RISKY) } },
      { "b", entities = { entity("x", RISKY), entity("y", { outcome = "failed" }) } },
    } }
    assert.equal(3, seen.count)
    assert.same({ risky = 2, not_checked = 1, clean = 0, unknown = 0, below_threshold = 0 },
      seen.counts)
    assert.equal(5, seen.checks)
    assert.equal(4, seen.checked)
    assert.equal(2, seen.cost.requests)
  end)

  it("shows what is risky first, by detections, then what may be anything", function()
    local seen = taken { steps = { { "a", entities = {
      entity("c", CLEAN), entity("u", { outcome = "not_found" }),
      entity("f", { outcome = "failed" }),
      entity("r1", RISKY), entity("l", LOW),
      entity("r2", { verdict = { risky = true, detections = 50, total = 60 } }),
    } } } }
    local order = {}
    for _, found in ipairs(survey.first(seen, 10)) do table.insert(order, found.entity) end
    assert.same({ 6, 4, 3, 5, 2, 1 }, order)
    assert.equal(2, #survey.first(seen, 2))
    assert.same({ 50, 9, 1 }, { seen.bars[1].detections, seen.bars[2].detections,
      seen.bars[3].detections })
    assert.equal(3, #seen.bars)
  end)

  it("groups what was not checked by outcome and reason, a bad line once for all steps", function()
    local bad = entity("bad line", { outcome = "skipped", reason = "no indicator" })
    local seen = taken { unasked = { { identifier = "10.0.0.5" } }, steps = {
      { "a", entities = { bad, entity("x", { outcome = "failed", reason = "timed out" }),
        entity("y", { outcome = "failed", reason = "timed out" }) } },
      { "b", entities = { bad, entity("x", { outcome = "limited" }) } },
    } }
    assert.equal(3, #seen.missed)
    assert.same({ 1, 2, 1 }, { seen.missed[1].count, seen.missed[2].count, seen.missed[3].count })
    assert.same({ "skipped", "no indicator" }, { seen.missed[1].outcome, seen.missed[1].reason })
    assert.equal(1, seen.unasked.count)
    assert.equal("10.0.0.5", seen.unasked.examples[1].identifier)
  end)

  it("keeps little of much", function()
    local entities = {}
    for number = 1, 3000 do
      entities[number] = entity("r" .. number, { outcome = "failed", reason = "why " .. number })
    end
    for number = 3001, 6000 do entities[number] = entity("r" .. number, RISKY) end
    local seen = taken({ steps = { { "a", entities = entities } } }, 50)
    assert.same({ 3000, 3000 }, { seen.counts.risky, seen.counts.not_checked })
    assert.same({ 50, 50, 20 }, { #seen.kept.risky, #seen.kept.not_checked, #seen.bars })
    assert.same({ 100, 2900 }, { #seen.missed, seen.other.count })
  end)
end)

describe("the sentence on top", function()
  local function many(...)
    local entities = {}
    for index, fields in ipairs { ... } do entities[index] = entity("e" .. index, fields) end
    return { { "a", entities = entities } }
  end
  local FAILED, UNKNOWN = { outcome = "failed" }, { outcome = "not_found" }
  for _, case in ipairs {
    { "1 of 2 indicators is risky; all 2 were checked; 2 more are in no step.", 2,
      many(RISKY, CLEAN) },
    { "The one indicator is risky; it was checked; 1 more is in no step.", 1, many(RISKY) },
    { "There was nothing to check.", 1, many() },
  } do
    it("is: " .. case[1], function()
      local given = { unasked = {}, steps = case[3] }
      for number = 1, case[2] do given.unasked[number] = { identifier = "u" .. number } end
      assert.equal(case[1], prose.headline(record.new(given), taken(given)))
    end)
  end

  for _, case in ipairs {
    { "1 of 2 indicators is risky; all 2 were checked.", many(RISKY, CLEAN) },
    { "2 of 3 indicators are risky; 1 of 3 was not checked.", many(RISKY, RISKY, FAILED) },
    { "None of the 2 indicators is risky; all 2 were checked.", many(CLEAN, UNKNOWN) },
    { "Of what was checked nothing is risky, but 2 of 3 were not checked.",
      many(CLEAN, FAILED, FAILED) },
    { "None of the 2 indicators was checked.", many(FAILED, FAILED) },
    { "The one indicator was not checked.", many(FAILED) },
    { "The one indicator is risky; it was checked.", many(RISKY) },
    { "The one indicator is not risky; it was checked.", many(CLEAN) },
    { "All 2 indicators were checked; there is no verdict on any of them.",
      many(UNKNOWN, UNKNOWN) },
    { "The one indicator was checked; there is no verdict on it.", many(UNKNOWN) },
    { "There was nothing to check.", many() },
  } do
    it("is: " .. case[1], function()
      assert.equal(case[1], prose.headline(record.new { steps = case[2] }, taken {
        steps = case[2],
      }))
    end)
  end

  it("says how a run ended that did not go through", function()
    for _, status in ipairs { "in_progress", "failed", "timed_out", "interrupted" } do
      local given = { steps = many(CLEAN), run = { status = status } }
      assert.matches("checked%. .+%.$", prose.headline(record.new(given), taken(given)))
    end
  end)

  it("is an action's own message where it works on no indicators", function()
    local given = { run = false, steps = { { "ping", message = "VirusTotal answers." } } }
    assert.equal("VirusTotal answers.", prose.headline(record.new(given), taken(given)))
  end)
end)
