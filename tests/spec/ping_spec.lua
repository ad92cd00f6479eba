-- SPDX-License-Identifier: Apache-2.0
local run_action = require "spec.support.run_action"

local function ping(answer)
  return run_action("ping", { answers = { ip_report = { answer } }, params = {}, entity = {} })
end

describe("ping", function()
  it("asks anew, and does not wait for quota", function()
    local _, _, vt = ping { {} }
    assert.equal(1, #vt.calls)
    assert.same({ cache = false, on_limit = "stop" }, vt.calls[1][3])
  end)

  for _, answer in ipairs {
    { { response_code = 1 } }, { nil, "unknown", "not_found" }, { nil, "invalid", "rejected" },
  } do
    it("is fine with any answer: " .. (answer[3] or "a report"), function()
      local result = ping(answer)
      assert.same({ success = true, message = "VirusTotal answers, and the key works." }, result)
    end)
  end

  for _, case in ipairs {
    { "unauthorized", true, "refused the key", "virustotal.api_key" },
    { "forbidden", true, "refused the key", "virustotal.api_key" },
    { "limited", false, "key works, but its quota is spent", "until 00:00 UTC.*`apogee quota`" },
    { "tls", true, "TLS", "virustotal.ca_file" },
    { "network", true, "could not be reached", "virustotal.proxy" },
    { "timeout", true, "in time", "virustotal.timeout" },
    { "server", true, "of no use", "few minutes" },
    { "bad_answer", true, "of no use", "few minutes" },
    { "too_large", true, "of no use", "few minutes" },
    { "denied", false, "policy", "configuration" },
    { "deadline", false, "deadline", "%-%-deadline" },
    { "canceled", false, "ended", "again" },
    { "something_new", true, "failed", "%-v" },
  } do
    local code, is_failure, says, advice = table.unpack(case)
    it(("tells %s apart and says what to do"):format(code), function()
      local result = ping { nil, "the detail", code }
      assert.is_false(result.success)
      assert.equal(is_failure, result.failed == true)
      for _, part in ipairs { says, advice, "the detail" } do
        assert.matches(part, result.message)
      end
    end)
  end
end)
