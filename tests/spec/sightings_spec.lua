-- SPDX-License-Identifier: Apache-2.0
local sightings = require "apogee.sightings"

local NULL = coroutine.create(print) -- as null is: neither a table nor a text, and without fields

describe("sightings", function()
  for _, case in ipairs { { {}, 0 }, { { key = NULL }, 0 }, { { key = { 1, 2 } }, 2 } } do
    it(("has a list of %d"):format(case[2]), function()
      assert.equal(case[2], #sightings.list(case[1], "key"))
    end)
  end

  for _, case in ipairs { { "a", "a" }, { "", nil }, { 7, nil }, { NULL, nil } } do
    it("takes as a text: " .. tostring(case[2]), function()
      assert.equal(case[2], sightings.text(case[1]))
    end)
  end

  for _, case in ipairs { { 7, 7 }, { "7", 7 }, { 7.0, 7 }, { 7.5, nil }, { NULL, nil } } do
    it("takes as a whole number: " .. tostring(case[2]), function()
      local integer = sightings.integer(case[1])
      assert.equal(case[2], integer)
      if integer then assert.equal("integer", math.type(integer)) end
    end)
  end

  it("tells no resolutions from an empty list of them", function()
    assert.is_nil(sightings.resolutions({}, "hostname"))
    assert.is_nil(sightings.resolutions({ resolutions = NULL }, "hostname"))
    assert.same({}, sightings.resolutions({ resolutions = {} }, "hostname"))
    assert.is_nil(sightings.resolutions_table({}, "hostname", "Host"))
    assert.is_nil(sightings.resolutions_table({ resolutions = {} }, "hostname", "Host"))
  end)

  it("has resolutions by the field that is asked for", function()
    local report = { resolutions = {
      { hostname = "a", ip_address = "192.0.2.1", last_resolved = "2019-01-13 03:31:09" },
      { hostname = NULL, last_resolved = NULL }, NULL,
    } }
    assert.same({ { hostname = "a", last_resolved = "2019-01-13 03:31:09" }, {} },
      sightings.resolutions(report, "hostname"))
    assert.same({
      title = "Resolutions", columns = { "Address", "Last resolved" },
      rows = { { "192.0.2.1", "2019-01-13 03:31:09" }, { "", "" } },
    }, sightings.resolutions_table(report, "ip_address", "Address"))
  end)

  it("has a table of detected URLs, or none", function()
    assert.is_nil(sightings.detected_urls_table { detected_urls = { NULL, {}, { url = "" } } })
    assert.same({
      title = "Detected URLs", columns = { "URL", "Detections", "Scanned" },
      rows = { { "http://a/", "0/67", "2019-01-13 03:31:09" }, { "http://b/", "", "" } },
    }, sightings.detected_urls_table { detected_urls = {
      { url = "http://a/", positives = 0, total = 67, scan_date = "2019-01-13 03:31:09" },
      { url = "http://b/", total = 67 },
    } })
  end)
end)
