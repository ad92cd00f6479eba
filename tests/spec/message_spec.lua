-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local message = require "apogee.message"

local ACTION = { name = "Scan Hash", provider = "VirusTotal", accepts = { "filehash" },
  needs = { "vt" } }

--- @param ends table[] { identifier, outcome, reason, risky } each
local function message_of(ends, about, make)
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
  return (make or message.of_step)(engine, number, all)
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

  for _, case in ipairs {
    { "reported", "has a report", "have a report" },
    { "scanned", "was scanned anew", "were scanned anew" },
    { "pending", "is still being scanned", "are still being scanned" },
    { "not_found", "is not known to VirusTotal", "are not known to VirusTotal" },
    { "limited", "could not be checked: the quota is spent",
      "could not be checked: the quota is spent" },
    { "forbidden", "was refused by VirusTotal", "were refused by VirusTotal" },
    { "denied", "was denied by the local policy", "were denied by the local policy" },
    { "failed", "failed", "failed" }, { "skipped", "was skipped", "were skipped" },
    { "not_asked", "was not answered before the run ended",
      "were not answered before the run ended" },
  } do
    it(("speaks of one and of two that ended %s"):format(case[1]), function()
      local is_checked = ({ reported = 1, scanned = 1, not_found = 1 })[case[1]] ~= nil
      assert.equal(("%d of 1 file hash was checked. 1 %s: a.")
        :format(is_checked and 1 or 0, case[2]), message_of { { "a", case[1] } })
      assert.equal(("%d of 2 file hashes were checked. 2 %s: a, b.")
        :format(is_checked and 2 or 0, case[3]), message_of { { "a", case[1] }, { "b", case[1] } })
    end)
  end

  it("adds up what was checked, and speaks of one of them as of one", function()
    assert.matches("^3 of 3 file hashes were checked%.", message_of {
      { "a", "reported" }, { "b", "scanned" }, { "c", "not_found" },
    })
    assert.matches("^1 of 2 file hashes was checked%.", message_of {
      { "a", "reported" }, { "b", "failed" },
    })
  end)

  for _, case in ipairs { { { "filehash" }, "file hash" }, { { "filehash", "url" }, "entity" } } do
    it("calls what an action accepts: " .. case[2], function()
      local about = { action = { accepts = case[1], provider = "VirusTotal" } }
      assert.matches("^1 of 1 " .. case[2] .. " was checked%.",
        message_of({ { "a", "reported" } }, about))
    end)
  end

  for _, case in ipairs { { 1, "1 reaches the threshold" }, { 2, "2 reach the threshold" } } do
    it("says how many meet it: " .. case[2], function()
      local ends = { { "a", "reported", nil, true }, { "b", "reported", nil, case[1] == 2 } }
      assert.truthy(message_of(ends, { threshold = 3 }):find(case[2] .. " of 3: a", 1, true))
    end)
  end

  it("says that one is risky where there is no threshold", function()
    assert.matches("1 is risky: a%.", message_of { { "a", "reported", nil, true } })
  end)

  it("names ten without counting a rest", function()
    local ends = {}
    for i = 1, 10 do ends[i] = { "h" .. i, "failed" } end
    assert.matches("10 failed: h1, .*, h10%.$", message_of(ends))
  end)

  for _, case in ipairs { { "a", "a." }, { "a.", "a." }, { "a. .\n", "a." }, { "a?", "a?." } } do
    it("ends in one full stop: " .. case[2], function()
      assert.equal(case[2], message.sentence(case[1]))
    end)
  end

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
    assert.matches("x…x", text)
    assert.is_nil(text:find(("x"):rep(51), 1, true))
    assert.truthy(text:find(("x"):rep(50), 1, true))
  end)

  it("shortens a long reason", function()
    local text = message_of { { "a", "failed", ("x"):rep(5000) } }
    assert.matches("%(x+…x+%)%.$", text)
    local head = ("x"):rep(150)
    assert.truthy(text:find(head .. "…", 1, true))
    assert.is_nil(text:find(head .. "x…", 1, true))
  end)
end)

describe("the trouble of a step", function()
  it("leaves out what went well", function()
    assert.equal("4 of 5 file hashes were checked. 1 failed: e (boom).", message_of({
      { "a", "reported", nil, true }, { "b", "not_found" }, { "c", "reported" },
      { "d", "reported" }, { "e", "failed", "boom" },
    }, nil, message.of_trouble))
  end)

  it("has the reports that are not as wished", function()
    assert.equal("1 of 1 file hash was checked. 1 has a report: a (not rescanned).",
      message_of({ { "a", "reported", "not rescanned" } }, nil, message.of_trouble))
  end)

  it("says where the quota can be seen when that is what is missing", function()
    assert.matches("spent: a %(later%)%. `apogee quota` says what is left",
      message_of({ { "a", "limited", "later" } }, nil, message.of_trouble))
  end)

  it("says nothing of our quota when it is another service's", function()
    local action = { name = "Score", provider = "Other", accepts = { "filehash" },
      needs = { "http" } }
    assert.equal("0 of 1 file hash was checked. "
      .. "1 could not be checked: the quota is spent: a (later).",
      message_of({ { "a", "limited", "later" } }, { action = action }, message.of_trouble))
  end)

  it("begins with why the step failed as a whole", function()
    assert.equal("VirusTotal never answered: no route. 0 of 1 file hash was checked. "
      .. "1 failed: a (no route).",
      message_of({ { "a", "failed", "no route" } },
        { status = "failed", failure = "never answered: no route" }, message.of_trouble))
  end)
end)

describe("a message without what is no indicator", function()
  for _, case in ipairs {
    { "2 of 3 file hashes were checked. 1 was skipped: x (no).", 1,
      "2 of 2 file hashes were checked. 1 was skipped: x (no)." },
    { "A signal ended the run. 1 of 3 IP addresses was checked.", 2,
      "A signal ended the run. 1 of 1 IP address was checked." },
    { "0 of 1 entity was checked.", 1, "Nothing to do: there are no entities to work on." },
    { "1 of 2 entities was checked.", 0, "1 of 2 entities was checked." },
    { "VirusTotal answers.", 3, "VirusTotal answers." },
  } do
    it("is: " .. case[3], function()
      assert.equal(case[3], message.without(case[1], case[2]))
    end)
  end
end)
