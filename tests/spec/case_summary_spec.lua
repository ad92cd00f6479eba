-- SPDX-License-Identifier: Apache-2.0
local case_summary = require "apogee.case_summary"
local fake = require "spec.support.engine"

local function summary(entities, steps)
  local engine = fake.new { entities = entities }
  return case_summary.of { engine = engine, steps = steps, name = "Triage" }
end

local function found(fields)
  local all = { status = "completed", message = "Done.", is_risky = false, checked = 1, of = 1 }
  for key, value in pairs(fields or {}) do all[key] = value end
  return all
end

describe("the summary of a case", function()
  it("names what is suspicious, defanged, and what each step said", function()
    local made = summary({
      { identifier = "http://evil.example/a", type = "url", suspicious = true },
      { identifier = "www.example.com", type = "hostname" },
    }, {
      { name = "urls", action = { id = "scan_url" },
        found = found { message = "Look at http://evil.example/a.", is_risky = true } },
      { name = "later" },
    })
    assert.equal("Triage: 1 of 2 entities suspicious: hxxp://evil[.]example/a\n"
      .. "urls: Look at hxxp://evil[.]example/a.", made.text:gsub("example%.$", "example."))
    assert.same({ { identifier = "http://evil.example/a", type = "url" } }, made.risky.entities)
    assert.equal("scan_url", made.steps[1].action)
    assert.equal(1, #made.steps)
    assert.is_true(made.is_complete)
  end)

  it("names 20 at most and counts the rest", function()
    local entities = {}
    for number = 1, 23 do
      entities[number] = { identifier = "h" .. number, type = "hostname", suspicious = true }
    end
    local made = summary(entities, {})
    assert.equal(20, #made.risky.entities)
    assert.equal(23, made.risky.count)
    assert.matches("h20, and 3 more$", made.text)
  end)

  it("counts what must not leave, and does not name it", function()
    local entities = {}
    for _, tlp in ipairs { "red", "amber", "amber+strict", "green" } do
      table.insert(entities,
        { identifier = "h-" .. tlp, type = "hostname", suspicious = true, tlp = tlp })
    end
    local made = summary(entities,
      { { name = "s", found = found { message = "h-red failed.", of = 2 } } })
    assert.equal("completed, 1 of 2 checked", made.steps[1].message)
    assert.is_nil(made.text:find("h-red", 1, true))
    made = summary(entities, {})
    assert.equal("Triage: 4 of 4 entities suspicious: h-green, and 3 more", made.text)
  end)

  for name, fields in pairs {
    ["a step failed"] = { status = "failed" },
    ["a step has no answer for some"] = { checked = 1, of = 2 },
  } do
    it("is not complete when " .. name, function()
      assert.is_false(summary({}, { { name = "s", found = found(fields) } }).is_complete)
    end)
  end
end)
