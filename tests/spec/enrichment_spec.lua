-- SPDX-License-Identifier: Apache-2.0
local enrichment = require "apogee.enrichment"
local entity_of = require "spec.support.entity"

describe("enrichment", function()
  it("takes scalars as they are, and what functions make of the report", function()
    local entity = entity_of {}
    enrichment.apply(entity, { text = "a", number = 54, no = false, empty = "", list = { 1 } }, {
      { "Text", "text" }, { "Number", "number" }, { "No", "no" }, { "Empty", "empty" },
      { "List", "list" }, { "Missing", "missing" },
      { "Made", function(report) return report.text .. report.number end },
      { "Nothing", function() end },
    })
    assert.same({ Text = "a", Number = 54, No = false, Empty = "", Made = "a54" },
      entity.enrichment)
    assert.equal("integer", math.type(entity.enrichment.Number))
  end)
end)
