-- SPDX-License-Identifier: Apache-2.0
local assertions = require "kit.assertions"

local checks = assertions.checks

local RUN = {
  document = { steps = {
    { step = "first", entities = { { identifier = "b", outcome = "reported",
      enrichment = { One = { n = 1 } } } } },
    { step = "second", entities = { { identifier = "b", outcome = "denied", reason = "a rule",
      enrichment = { Two = { m = 2 } } } } },
    { step = "third" },
  }, insights = { { entity = "a", title = "Title", body = "Body" },
    { title = "Of the case", body = "" } } },
  entities = {
    a = { outcome = "failed", reason = "it broke", suspicious = true,
      enrichment = { One = { x = 1 }, Two = { y = "z" } } },
    b = { identifier = "b", steps = { first = "reported", second = "denied" } },
    c = { identifier = "c", steps = {} },
  },
  vt = {
    { endpoint = "file/report", resources = { "b", "a" } },
    { endpoint = "url/report", resources = { "c" } },
  },
  requests = {
    { method = "GET", url = "https://a.example/", headers = { key = "***" } },
    { method = "POST", url = "https://b.example/", headers = {}, body = "{}", status = 200 },
  },
}

describe("an assertion of apogee.testing", function()
  for _, case in ipairs {
    { true, "outcome", "a", "failed" }, { true, "outcome", "a", "failed", "broke" },
    { false, "outcome", "a", "failed", "br.ke" }, { false, "outcome", "a", "reported" },
    { true, "outcome", "b", "denied" }, { true, "outcome", "b", "reported" },
    { false, "outcome", "b", "failed" }, { false, "outcome", "d", "failed" },
    { true, "outcome", "b", "denied", "rule" }, { false, "outcome", "b", "reported", "rule" },
    { false, "outcome", "c", "reported" }, { true, "enriched", "b", { n = 1, m = 2 } },
    { true, "enriched", "a", { x = 1, y = "z" } }, { false, "enriched", "a", { x = 2 } },
    { false, "enriched", "a", { z = 1 } }, { false, "enriched", "b", { x = 1 } },
    { true, "suspicious", "a" }, { false, "suspicious", "b" }, { false, "suspicious", "d" },
    { true, "insight", "a", "Tit" }, { true, "insight", "a", "Body" },
    { false, "insight", "b", "Title" }, { true, "insight", nil, "Of the case" },
    { false, "insight", nil, "T.tle" },
    { true, "requests", { "GET https://a.example/", "POST https://b.example/" } },
    { false, "requests", { "POST https://b.example/", "GET https://a.example/" } },
    { false, "requests", { "GET https://a.example/" } },
    { true, "requests", { { headers = { Key = "***" } }, { body = "{}", status = 200 } } },
    { false, "requests", { { headers = { Key = "x" } }, {} } },
    { false, "requests", { {}, { body = "[]" } } },
    { true, "vt_requests", { "url/report c", "file/report a", "file/report b" } },
    { false, "vt_requests", { "file/report a", "file/report b" } },
    { false, "vt_requests", { "url/report c", "file/report a", "file/report a" } },
  } do
    it(("%s of %s is %s"):format(case[2], tostring(case[3]), case[1]), function()
      local is_it, message = checks[case[2]](RUN, table.unpack(case, 3, 5))
      assert.equal(case[1], is_it, message)
      assert.is_string(message)
    end)
  end

  it("is of one step where it is given a step", function()
    local first, third = RUN.document.steps[1], RUN.document.steps[3]
    assert.outcome(first, "b", "reported")
    assert.is_not.outcome(first, "b", "denied")
    assert.enriched(first, "b", { n = 1 })
    assert.is_not.enriched(first, "b", { m = 2 })
    assert.is_not.suspicious(first, "b")
    local is_it, message = checks.outcome(third, "b", "reported")
    assert.is_false(is_it)
    assert.equal('there is no entity "b"; there are: none', message)
  end)

  it("is one of luassert's", function()
    assert.outcome(RUN, "a", "failed")
    assert.is_not.outcome(RUN, "a", "reported")
    local _, message = pcall(assert.outcome, RUN, "a", "reported")
    assert.matches('Expected outcome "a", "reported",\nbut a is failed (it broke)',
      tostring(message), 1, true)
    _, message = pcall(assert.outcome, {}, "a", "reported")
    assert.matches("what testing.action or testing.playbook returned", tostring(message), 1, true)
  end)
end)
