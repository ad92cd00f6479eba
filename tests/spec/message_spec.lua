-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local message = require "apogee.message"

local ACTION = { name = "Scan Hash", provider = "VirusTotal", accepts = { "filehash" } }

--- @param ends table[] { identifier, outcome, reason, risky } each
local function message_of(ends, about)
  local engine = fake.new()
  for _, ended in ipairs(ends) do
    table.insert(engine.entities, {
      identifier = ended[1], type = "filehash", found = { risky = ended[4] == true },
    })
  end
  local number = engine.step { name = "a" }
  engine.select(number, engine.set_of(nil))
  local position = 0
  engine.run_entities(number, {}, function()
    position = position + 1
    return { outcome = ends[position][2], reason = ends[position][3], report = {} }
  end)
  local all = { action = ACTION, counts = engine.counts(number), status = "completed" }
  for key, value in pairs(about or {}) do all[key] = value end
  return message.of_step(engine, number, all)
end

describe("the message of a step", function()
  for _, case in ipairs {
    { { "filehash" }, "file hashes" },
    { { "url", "hostname" }, "URLs and host names" },
    { { "user", "hostname", "ip_address" }, "users, host names and IP addresses" },
  } do
    it("says which types it looked for: " .. case[2], function()
      assert.equal("Nothing to do: there are no " .. case[2] .. " to work on.",
        message_of({}, { action = { accepts = case[1], provider = "VirusTotal" } }))
    end)
  end

  it("counts first, and names entities by outcome", function()
    assert.equal("2 of 4 file hashes were checked. 1 reaches the threshold of 3: a. "
      .. "1 has a report: a. 1 is not known to VirusTotal: b. "
      .. "1 failed: c (the server answered 503). 1 was skipped: d (no hash).",
      message_of({
        { "a", "reported", nil, true }, { "b", "not_found" },
        { "c", "failed", "the server answered 503" }, { "d", "skipped", "no hash" },
      }, { threshold = 3 }))
  end)

  it("speaks of several", function()
    assert.equal("2 of 2 file hashes were checked. 2 are risky: a, b. 2 have a report: a, b.",
      message_of { { "a", "reported", nil, true }, { "b", "reported", nil, true } })
  end)

  it("says a reason once for those that share it", function()
    assert.matches("3 failed: a, c %(timed out%); b %(cut off%)%.$", message_of {
      { "a", "failed", "timed out" }, { "b", "failed", "cut off" }, { "c", "failed", "timed out" },
    })
  end)

  it("names ten and counts the rest", function()
    local ends = {}
    for i = 1, 12 do ends[i] = { "h" .. i, "limited", "stopped" } end
    local text = message_of(ends)
    assert.matches("12 could not be checked: the quota is spent: h1, .*h10 %(stopped%); and 2 more",
      text)
    assert.not_matches("h11", text)
  end)

  for _, outcome in ipairs {
    "reported", "scanned", "pending", "not_found", "limited", "forbidden", "denied", "failed",
    "skipped", "not_asked",
  } do
    it("never loses an entity that ended " .. outcome, function()
      assert.matches("the%-one", message_of { { "the-one", outcome, "because" } })
    end)
  end

  it("says why the step failed as a whole, or what ended it", function()
    assert.matches("^VirusTotal refused the key: HTTP 403%. 0 of 1",
      message_of({ { "a", "forbidden", "x" } }, {
        status = "failed", failure = "refused the key: HTTP 403.",
      }))
    assert.matches("^The deadline ended the run%.",
      message_of({ { "a", "not_asked", "x" } }, { status = "timed_out" }))
    assert.matches("^A signal ended the run%.",
      message_of({ { "a", "not_asked", "x" } }, { status = "interrupted" }))
  end)

  it("shows what cannot be seen, and shortens what is too long", function()
    local text = message_of { { "a\27[2J\n", "reported" }, { ("x"):rep(5000), "reported" } }
    assert.matches("a\\u{1b}%[2J\\u{a}", text)
    assert.is_true(#text < 400)
  end)
end)
