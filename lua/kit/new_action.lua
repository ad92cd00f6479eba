-- The files of a new action. @ID@ and @NAME@ are filled in.
-- SPDX-License-Identifier: Apache-2.0
return {
  { name = "@ID@.lua", text = [[
local action = require "apogee.action"

return action {
  id = "@ID@",
  name = "@NAME@",
  provider = "@NAME@",
  doc = "Looks a file hash up at VirusTotal and marks it when enough engines call it malicious.",
  accepts = { "filehash" },
  needs = { "vt" },
  params = {
    { "threshold", type = "integer", min = 1, default = 3,
      doc = "As many engines, or more, make a file suspicious." },
  },
  returns = "is_risky",
  outputs = { "positives", "total" },

  run = function(ctx, entity)
    local report, message, code = vt.file_report(entity.identifier)
    if not report then return ctx.from_error(message, code) end

    local is_risky = report.positives >= ctx.params.threshold
    entity:enrich("positives", report.positives)
    entity:enrich("total", report.total)
    entity:result { detections = report.positives, total = report.total, risky = is_risky }
    if is_risky then
      entity:mark_suspicious()
      entity:insight {
        severity = "warn",
        title = "Called malicious",
        body = report.positives .. " of " .. report.total .. " engines call it malicious.",
      }
    end
    return ctx.reported(report)
  end,
}
]] },
  { name = "@ID@_spec.lua", text = [[
local testing = require "apogee.testing"

-- The simulator knows both; one is malicious, one is clean.
local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local EMPTY = "d41d8cd98f00b204e9800998ecf8427e"

local function run(hash, options)
  options = options or {}
  options.entities = { "filehash:" .. hash }
  return testing.action("@ID@.lua", options)
end

describe("@ID@", function()
  it("marks a file that many engines call malicious", function()
    local ran = run(EICAR)
    assert.outcome(ran, EICAR, "reported")
    assert.suspicious(ran, EICAR)
    assert.insight(ran, EICAR, "Called malicious")
  end)

  it("leaves a clean file alone", function()
    local ran = run(EMPTY)
    assert.outcome(ran, EMPTY, "reported")
    assert.enriched(ran, EMPTY, { positives = 0 })
    assert.is_not.suspicious(ran, EMPTY)
  end)

  it("goes by the threshold", function()
    assert.is_not.suspicious(run(EICAR, { params = { threshold = 1000 } }), EICAR)
  end)

  it("says so when VirusTotal does not know the file", function()
    local ran = run(EICAR, {
      scenario = { answers = { ["file/report " .. EICAR] = { { code = 0 } } } },
    })
    assert.outcome(ran, EICAR, "not_found")
  end)
end)
]] },
  { name = "README.md", text = [[
# @NAME@

Looks a file hash up at VirusTotal and marks it when enough engines call it malicious.

| parameter | |
|---|---|
| `threshold` | as many engines, or more, make a file suspicious (3) |

    apogee check @ID@.lua
    apogee test
    apogee action ./@ID@.lua --simulate --entity 44d88612fea8a8f36de82e1278abb02f

To have it found by its name, name this folder in `actions_path` of the configuration, or in
`APOGEE_ACTIONS_PATH`. What an action can do: Apogee's docs/actions.md; its spec: docs/testing.md.
]] },
}
