-- SPDX-License-Identifier: Apache-2.0
local engines = require "apogee.engines"

local SCANS = {
  beta = { detected = true, result = "X", version = 7, update = "20240301" },
  Alpha = { detected = true }, Gamma = { detected = false, result = false },
  odd = "no verdict", [7] = { detected = true }, word = { detected = "true" },
}

describe("engines", function()
  setup(function() require("spec.support.vt").install(_G) end)

  it("that detect are named bytewise; what is no verdict is left out", function()
    assert.same({ "Alpha", "beta" }, engines.detecting { scans = SCANS })
    assert.equal("Alpha, beta", engines.detecting_text { scans = SCANS })
    local detecting, asked = engines.count { scans = SCANS }
    assert.equal(2, detecting)
    assert.equal(4, asked)
  end)

  it("that all stay silent are an empty text", function()
    assert.equal("", engines.detecting_text { scans = {} })
  end)

  it("are unknown without scans", function()
    for _, report in ipairs { {}, { scans = "none" } } do
      assert.is_nil(engines.detecting(report))
      assert.is_nil(engines.detecting_text(report))
      assert.is_nil(engines.table(report, "T"))
      local detecting, asked = engines.count(report)
      assert.equal(0, detecting)
      assert.is_nil(asked)
    end
  end)

  it("stand in a table, those that detect first, without holes", function()
    assert.same({
      title = "T", columns = { "Engine", "Detected", "Result", "Version", "Updated" },
      rows = {
        { "Alpha", true, "", "", "" }, { "beta", true, "X", "7", "20240301" },
        { "Gamma", false, "", "", "" }, { "word", false, "", "", "" },
      },
    }, engines.table({ scans = SCANS }, "T"))
  end)

  it("make a table of one, and none of nothing", function()
    assert.equal(1, #engines.table({ scans = { A = {} } }, "T").rows)
    assert.is_nil(engines.table({ scans = {} }, "T"))
  end)
end)
