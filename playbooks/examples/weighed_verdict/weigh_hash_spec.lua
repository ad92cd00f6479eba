-- SPDX-License-Identifier: Apache-2.0
local json = require "dkjson"
local testing = require "apogee.testing"
local weights = require "policy.weights"

local HASH = "44d88612fea8a8f36de82e1278abb02f"

--- A report in which these engines detect, and three others do not.
local function report_of(names)
  local scans = {}
  for _, name in ipairs { "ClamAV", "Avast", "McAfee" } do
    scans[name] = { detected = false, version = "1", update = "20260101" }
  end
  for _, name in ipairs(names) do
    scans[name] = { detected = true, result = "Trojan", version = "1", update = "20260101" }
  end
  return json.encode {
    response_code = 1, resource = HASH, md5 = HASH, scan_date = "2026-01-01 00:00:00",
    positives = #names, total = #names + 3, verbose_msg = "Scan finished", scans = scans,
  }
end

local function weigh(names, params)
  return testing.action("weigh_hash.lua", {
    entities = { "filehash:" .. HASH }, params = params,
    scenario = { answers = { ["file/report " .. HASH] = { { body = report_of(names) } } } },
  })
end

describe("weights", function()
  it("are those of majors, noisy engines and others", function()
    assert.equal(weights.MAJOR, weights.of "Kaspersky")
    assert.equal(weights.NOISY, weights.of "Bkav")
    assert.equal(weights.USUAL, weights.of "An engine of tomorrow")
  end)

  it("are summed", function()
    local sum, majors = weights.sum { "Bkav", "Microsoft", "GData" }
    assert.equal(4.25, sum)
    assert.same({ "Microsoft" }, majors)
  end)
end)

describe("weigh_hash", function()
  for _, case in ipairs {
    { "two majors", { "Kaspersky", "Microsoft" }, 6, true },
    { "a major and two others", { "Kaspersky", "F-Secure", "GData" }, 5, true },
    { "a major and a noisy engine", { "Kaspersky", "Bkav" }, 3.25, false },
    { "four noisy engines", { "Bkav", "Cylance", "Jiangmin", "Zillya" }, 1, false },
    { "six others without a major", { "A", "B", "C", "D", "E", "F" }, 6, false },
    { "none", {}, 0, false },
  } do
    local what, names, weight, is_risky = table.unpack(case)
    it(("makes of %s: %g"):format(what, weight), function()
      local run = weigh(names)
      assert.outcome(run, HASH, "reported")
      assert.enriched(run, HASH, { weight = weight })
      assert.equal(is_risky, run.entities[HASH].suspicious)
      assert.equal(is_risky, run.document.result.value)
    end)
  end

  it("names the majors, and says why it is not enough", function()
    assert.insight(weigh { "Kaspersky", "Microsoft" }, HASH, "majors of them: Kaspersky, Microsoft")
    assert.insight(weigh { "Bkav" }, HASH, "Weighs 0.25 only")
    assert.is_not.insight(weigh {}, HASH, "Weighs")
  end)

  it("goes by its parameters", function()
    local others = { "A", "B", "C", "D", "E", "F" }
    assert.suspicious(weigh(others, { majors = 0 }), HASH)
    assert.is_not.suspicious(weigh(others, { majors = 0, weight = 6.5 }), HASH)
  end)
end)
