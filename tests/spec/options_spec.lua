-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local options = require "apogee.options"

local DEFS = {
  { id = "threshold", type = "integer" }, { id = "rescan_after_days", type = "integer" },
  { id = "deep", type = "boolean" }, { id = "timeout", type = "integer" },
  { id = "mode", type = "string", enum = { "all", "none" } },
}
local TAKEN = { "timeout", "format" }

local function take(...)
  return options.take(fake.new {}, DEFS, { ... }, TAKEN)
end

describe("parameters as options", function()
  for _, case in ipairs {
    { { name = "threshold", value = "5" }, { "threshold", "5" } },
    { { name = "rescan-after-days", value = "7" }, { "rescan_after_days", "7" } },
    { { name = "rescan_after_days", value = "7" }, { "rescan_after_days", "7" } },
    { { name = "Threshold", value = "5" }, { "threshold", "5" } },
    { { name = "deep" }, { "deep", "true" } },
    { { name = "deep", value = "no", is_apart = true }, { "deep", "no" } },
    { { name = "deep", value = "perhaps" }, { "deep", "perhaps" } }, -- params says what is wrong
    { { name = "mode", value = "all", is_apart = true }, { "mode", "all" } },
  } do
    it("are taken: --" .. case[1].name .. " " .. tostring(case[1].value), function()
      assert.same({ case[2] }, take(case[1]))
    end)
  end

  for _, case in ipairs {
    { { name = "treshold", value = "5" }, "unknown option --treshold: did you mean --threshold?" },
    { { name = "sim", near = "simulate" }, "unknown option --sim: did you mean --simulate?" },
    { { name = "rescan" }, "unknown option --rescan; the parameters are --threshold, "
      .. "--rescan-after-days, --deep, --mode" },
    { { name = "threshold" }, "--threshold needs a value: --threshold N" },
    { { name = "mode" }, "--mode needs a value: --mode all|none" },
    { { name = "deep", value = "hashes.txt", is_apart = true },
      '"hashes.txt" is one too many: --deep needs no value, or true or false' },
  } do
    it("are refused: " .. case[2], function()
      local given, message = take(case[1])
      assert.is_nil(given)
      assert.equal(case[2], message)
    end)
  end

  it("says so where there are none", function()
    local _, message = options.take(fake.new {}, {}, { { name = "x" } }, TAKEN)
    assert.equal("unknown option --x: there are no parameters", message)
  end)

  it("never shows a value in a message", function()
    local _, message = take { name = "pasword", value = "hunter2" }
    assert.is_nil(message:find "hunter2")
  end)
end)
