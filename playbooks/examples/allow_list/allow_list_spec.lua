-- SPDX-License-Identifier: Apache-2.0
local testing = require "apogee.testing"

local RISKY, EMPTY = "44d88612fea8a8f36de82e1278abb02f", "d41d8cd98f00b204e9800998ecf8427e"

local function run(entities)
  return testing.playbook("allow_listed.lua", {
    entities = entities, config = { virustotal = { comments = "none" } },
  })
end

describe("the allow list", function()
  it("keeps what is on it from being asked", function()
    local ran = run { "filehash:" .. RISKY, "filehash:" .. EMPTY, "hostname:www.example.org",
      "hostname:www.virustotal.com", "ip_address:203.0.113.10", "ip_address:8.8.8.8" }
    assert.equal(0, ran.exit)
    assert.vt_requests(ran, { "file/report " .. RISKY, "domain/report virustotal.com",
      "ip-address/report 8.8.8.8" })
    assert.insight(ran, nil, "On the allow list: 3")
    assert.suspicious(ran, RISKY)
  end)

  it("says nothing where it left nothing out", function()
    assert.is_not.insight(run { "filehash:" .. RISKY }, nil, "On the allow list")
  end)

  for url, is_asked in pairs {
    ["http://example.org/"] = false, ["https://a.b.EXAMPLE.org:8443/x?y"] = false,
    ["http://ana@cdn.example.net/"] = false, ["http://203.0.113.10/x"] = false,
    ["http://badexample.org/"] = true, ["http://example.org.evil.example.com/"] = true,
    ["http://example.org@evil.example.com/"] = true,
    ["http://evil.example.com/#example.org"] = true,
    ["http://evil.example.com/?x=http://example.org/"] = true,
    ["http://example.net/"] = true,
  } do
    it((is_asked and "does not take " or "takes ") .. url, function()
      local ran = run { "url:" .. url }
      if is_asked then
        assert.vt_requests(ran, { "url/report " .. url })
      else
        assert.vt_requests(ran, {})
      end
    end)
  end
end)
