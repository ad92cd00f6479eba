-- The files of a new playbook. @ID@ and @NAME@ are filled in.
-- SPDX-License-Identifier: Apache-2.0
return {
  { name = "@ID@.lua", text = [[
local playbook = require "apogee.playbook"

local function give_verdict(case)
  local suspicious = case:suspicious()
  if #suspicious == 0 then return end
  case:tag "malicious"
  case:insight {
    severity = "warn",
    title = "Suspicious indicators: " .. #suspicious,
    body = "Look at them first.",
  }
end

return playbook {
  name = "@NAME@",
  doc = "Looks up the hashes and the URLs of a case, and tags it when one is malicious.",
  params = {
    { "threshold", type = "integer", min = 1, default = 3,
      doc = "As many engines, or more, make a hash or a URL suspicious." },
  },
  steps = {
    { "hashes", action = "scan_hash", on = "filehash", with = { threshold = "$threshold" } },
    { "urls", action = "scan_url", on = function(case) return case:of("url"):external() end,
      with = { threshold = "$threshold", submit_unknown = false } },
    { "verdict", run = give_verdict },
  },
}
]] },
  { name = "@ID@_spec.lua", text = [[
local testing = require "apogee.testing"

-- The simulator knows all of them.
local MALICIOUS_HASH = "44d88612fea8a8f36de82e1278abb02f"
local CLEAN_HASH = "d41d8cd98f00b204e9800998ecf8427e"
local MALICIOUS_URL = "http://malware.example.com/"

local function run(entities, params)
  return testing.playbook("@ID@.lua", { entities = entities, params = params })
end

describe("@ID@", function()
  it("tags a case with something malicious", function()
    local ran = run { "filehash:" .. MALICIOUS_HASH, "url:" .. MALICIOUS_URL }
    assert.same({ "malicious" }, ran.document.tags)
    assert.suspicious(ran, MALICIOUS_HASH)
    assert.suspicious(ran, MALICIOUS_URL)
    assert.insight(ran, nil, "Suspicious indicators: 2")
  end)

  it("leaves a clean case alone", function()
    local ran = run { "filehash:" .. CLEAN_HASH }
    assert.outcome(ran, CLEAN_HASH, "reported")
    assert.same({}, ran.document.tags)
  end)

  it("goes by the threshold", function()
    local ran = run({ "filehash:" .. MALICIOUS_HASH }, { threshold = 1000 })
    assert.is_not.suspicious(ran, MALICIOUS_HASH)
  end)
end)
]] },
  { name = "@ID@-indicators.txt", text = [[
# One indicator a line; they may be defanged.
44d88612fea8a8f36de82e1278abb02f
hxxp://malware[.]example[.]com/
]] },
  { name = "README.md", text = [[
# @NAME@

Looks up the hashes and the URLs of a case, and tags it when one is malicious.

| parameter | |
|---|---|
| `threshold` | as many engines, or more, make a hash or a URL suspicious (3) |

    apogee check @ID@.lua
    apogee test
    apogee plan ./@ID@.lua --entities @ID@-indicators.txt
    apogee run ./@ID@.lua --simulate --entities @ID@-indicators.txt

What a playbook can do: Apogee's docs/playbooks.md; its spec: docs/testing.md.
]] },
}
