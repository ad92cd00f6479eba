-- SPDX-License-Identifier: Apache-2.0
local fake_vt = require "spec.support.vt"
local run_action = require "spec.support.run_action"

local REPORT = { positives = 5, total = 60 }
local HASH = ("a"):rep(32)

local function scan(comments, ctx)
  return run_action("scan_hash", {
    answers = { file_report = { { REPORT } }, comments = comments },
    params = { threshold = 3 }, entity = { identifier = HASH }, ctx = ctx,
  })
end

describe("comments", function()
  for _, code in ipairs { "limited", "forbidden", "server", "bad_answer", "timeout" } do
    it(("that end in %s are one warning, and no more are asked for"):format(code), function()
      local outcome, entity, _, ctx = scan { { nil, "this is why", code } }
      assert.same({ outcome = "reported", report = REPORT }, outcome)
      assert.is_true(entity.suspicious)
      assert.equal(1, #ctx.warnings)
      assert.matches("this is why", ctx.warnings[1])

      local _, _, vt = scan({}, ctx)
      assert.same({ "file_report" }, fake_vt.names(vt))
      assert.equal(1, #ctx.warnings)
    end)
  end

  it("that fail without a word are told by their code", function()
    local _, _, _, ctx = scan { { nil, nil, "server" } }
    assert.same({ "no comments are shown from here on: server" }, ctx.warnings)
  end)

  for _, code in ipairs { "denied", "deadline", "canceled" } do
    it(("that end in %s are no warning"):format(code), function()
      local _, _, _, ctx = scan { { nil, "off", code } }
      assert.same({}, ctx.warnings)
    end)
  end

  it("make no table when there are none", function()
    local _, entity = scan { { {} } }
    assert.same({}, entity.tables)
  end)

  it("survive rows that are no comments", function()
    local _, entity = scan { { { "text", { comment = "fine" }, { date = {}, comment = 7 } } } }
    assert.same({ { "", "fine" }, { "", "" } }, entity.tables["VirusTotal comments"].rows)
  end)
end)
