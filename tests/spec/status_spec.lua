-- SPDX-License-Identifier: Apache-2.0
local status = require "apogee.status"

local function counts_of(fields)
  local counts = {
    reported = 0, scanned = 0, pending = 0, not_found = 0, limited = 0, forbidden = 0, denied = 0,
    failed = 0, skipped = 0, not_asked = 0, of = 0, done = 0, risky = 0, partial = 0,
  }
  for key, value in pairs(fields) do counts[key] = value end
  if not fields.of then
    for key, value in pairs(fields) do
      if key ~= "risky" and key ~= "partial" then counts.of = counts.of + value end
    end
  end
  return counts
end

local REFUSED = { refused = "HTTP 403" }
local UNREACHABLE = { unreachable = "no such host" }
local DEADLINE, SIGNAL = { stopped = "deadline" }, { stopped = "signal" }
local LATE_AND_UNREACHABLE = { unreachable = "timed out", stopped = "deadline" }

describe("a step", function()
  for _, case in ipairs {
    { "nothing to do", {}, {}, "completed", 0, true },
    { "all reported", { reported = 2 }, {}, "completed", 0, true },
    { "scanned and not found", { scanned = 1, not_found = 1 }, {}, "completed", 0, true },
    { "only skipped", { skipped = 2 }, {}, "completed", 0, true },
    { "one failed", { reported = 1, failed = 1 }, {}, "completed", 1, true },
    { "all failed", { failed = 2 }, {}, "completed", 1, false },
    { "all limited", { limited = 2 }, {}, "completed", 1, false },
    { "one limited", { reported = 1, limited = 1 }, {}, "completed", 1, true },
    { "forbidden, key not refused", { reported = 1, forbidden = 1 }, {}, "completed", 1, true },
    { "denied", { reported = 1, denied = 1 }, {}, "completed", 1, true },
    { "not rescanned as wished", { reported = 2, partial = 1 }, {}, "completed", 1, true },
    { "pending", { pending = 1 }, {}, "in_progress", 4, true },
    { "pending and failed", { pending = 1, failed = 1 }, {}, "in_progress", 4, true },
    { "each way without an answer", { failed = 1, limited = 1, forbidden = 1, denied = 1 }, {},
      "completed", 1, false },
    { "the same and one answer",
      { failed = 1, limited = 1, forbidden = 1, denied = 1, reported = 1 }, {}, "completed", 1,
      true },
    { "refused key, and one not rescanned", { pending = 1, partial = 1, of = 2 }, REFUSED, "failed",
      3, false },
    { "never answered, and one submitted before", { failed = 1, pending = 1 }, UNREACHABLE,
      "failed", 3, false },
    { "refused key", { reported = 1, forbidden = 1 }, REFUSED, "failed", 3, false },
    { "refused key, submitted before", { pending = 1 }, REFUSED, "failed", 3, false },
    { "refused key, after the step was done", { reported = 1 }, REFUSED, "completed", 0, true },
    { "never answered", { failed = 2 }, UNREACHABLE, "failed", 3, false },
    { "never answered, all from the cache", { reported = 2 }, UNREACHABLE, "completed", 0, true },
    { "never answered, rescans failed", { reported = 1, partial = 1 }, UNREACHABLE, "failed", 3,
      false },
    { "deadline", { reported = 1, not_asked = 1 }, DEADLINE, "timed_out", 1, true },
    { "deadline before any answer", { not_asked = 2 }, DEADLINE, "timed_out", 1, false },
    { "deadline, something submitted", { not_asked = 1, pending = 1 }, DEADLINE, "timed_out", 4,
      true },
    { "deadline, all submitted", { pending = 2 }, DEADLINE, "in_progress", 4, true },
    { "deadline, after the step was done", { reported = 1 }, DEADLINE, "completed", 0, true },
    { "signal", { not_asked = 1 }, SIGNAL, "interrupted", 1, false },
    { "deadline while unreachable", { failed = 1, not_asked = 1 }, LATE_AND_UNREACHABLE,
      "timed_out", 1, false },
    { "unreachable, then a deadline with nothing left", { failed = 2 }, LATE_AND_UNREACHABLE,
      "failed", 3, false },
  } do
    local name, fields, state, expected, exit, is_success = table.unpack(case)
    it(("with %s is %s, exit %d, is_success %s"):format(name, expected, exit, is_success),
      function()
        local counts = counts_of(fields)
        local found = status.of_step(counts, state)
        assert.equal(expected, found)
        assert.equal(exit, status.exit_of_step(counts, found))
        assert.equal(is_success, status.result("is_success", counts, found))
      end)
  end

  for _, risky in ipairs { 0, 1 } do
    it(("with %d risky entities is%s risky"):format(risky, risky == 0 and " not" or ""), function()
      local counts = counts_of { reported = 2, risky = risky }
      assert.equal(risky == 1, status.result("is_risky", counts, "completed"))
    end)
  end
end)

describe("exit codes", function()
  it("are 3 before 4 before 1 before 0", function()
    local order = { 3, 4, 1, 0 }
    for i, worse in ipairs(order) do
      for j = i, #order do
        assert.equal(worse, status.worse_exit(worse, order[j]))
        assert.equal(worse, status.worse_exit(order[j], worse))
      end
    end
  end)

  it("go with a status whose worst is failed", function()
    local order = { "failed", "interrupted", "timed_out", "in_progress", "completed" }
    for i, worse in ipairs(order) do
      for j = i, #order do
        assert.equal(worse, status.worse_status(worse, order[j]))
        assert.equal(worse, status.worse_status(order[j], worse))
      end
    end
  end)

  for exit, expected in pairs { [0] = 10, [1] = 11, [4] = 12, [3] = 3 } do
    it(("%d becomes %d when something is risky"):format(exit, expected), function()
      assert.equal(expected, status.with_risk(exit, true))
      assert.equal(exit, status.with_risk(exit, false))
    end)
  end
end)
