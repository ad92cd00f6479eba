-- SPDX-License-Identifier: Apache-2.0
local context = require "apogee.context"

local function new()
  return context.new {
    action = { id = "a", name = "A", provider = "P", env = {} }, params = { n = 1 }, warn = print,
  }
end

describe("ctx", function()
  it("tells the action's names and parameters, and nothing else of it", function()
    local ctx = new()
    assert.same({ id = "a", name = "A", provider = "P" }, ctx.action)
    assert.same({ n = 1 }, ctx.params)
  end)

  local report = { positives = 1 }

  for _, case in ipairs {
    { "reported", { report }, { outcome = "reported", report = report } },
    { "reported", { report, "why" }, { outcome = "reported", report = report, reason = "why" } },
    { "scanned", { report }, { outcome = "scanned", report = report } },
    { "pending", { "why", report }, { outcome = "pending", report = report, reason = "why" } },
    { "pending", {}, { outcome = "pending", reason = "the scan is not finished" } },
    { "not_found", {}, { outcome = "not_found" } },
    { "limited", { "why" }, { outcome = "limited", reason = "why" } },
    { "skipped", {}, { outcome = "skipped", reason = "no reason was given" } },
    { "done", { { success = true, message = "m", other = 1 } }, { success = true, message = "m" } },
  } do
    it("makes the outcome " .. case[1], function()
      assert.same(case[3], new()[case[1]](table.unpack(case[2])))
    end)
  end

  for _, case in ipairs {
    { "why", "server", "why" }, { nil, "server", "server" }, { nil, nil, "no reason was given" },
  } do
    it("has a reason for every failure: " .. case[3], function()
      assert.same({ outcome = "failed", reason = case[3] },
        new().from_error(case[1], case[2]))
    end)
  end

  it("refuses a reason that is no text", function()
    assert.error_matches(function() new().failed {} end, "a reason is a text, not a table")
  end)

  for code, expected in pairs {
    not_found = "not_found", queued = "pending", rejected = "failed", limited = "limited",
    forbidden = "forbidden", unauthorized = "forbidden", timeout = "failed", network = "failed",
    tls = "failed", server = "failed", too_large = "failed", denied = "denied",
    bad_answer = "failed", deadline = "not_asked", canceled = "not_asked", unheard_of = "failed",
  } do
    it(("turns %s into %s"):format(code, expected), function()
      assert.equal(expected, new().from_error("why", code).outcome)
    end)
  end
end)
