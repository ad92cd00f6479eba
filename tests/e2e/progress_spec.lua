-- What a person sees who sits before a run: one line that says how far it is.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local terminal = require "e2e.support.terminal"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"

local function scan(count, more)
  local args = { "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR }
  for i = 2, count do
    table.insert(args, "--entity")
    table.insert(args, ("%032x"):format(i))
  end
  return table.move(more or {}, 1, #(more or {}), #args + 1, args)
end

-- Four look-ups a minute, which takes a second: time enough to see it pass.
local function with_small_quota(use)
  workspace.simulated({
    env = { APOGEE_CLOCK = "60@" .. os.time(), TZ = "UTC" },
    settings = { virustotal = { tier = {
      per_minute = 4, per_day = 500, per_month = 0, list = 4, premium = false,
    } } },
  }, use)
end

local function assert_rises(frames)
  local last, first = 0, nil
  for _, frame in ipairs(frames) do
    local done, of = frame:match "^(%d+)/(%d+)"
    if done then
      done = tonumber(done)
      first = first or done
      assert.is_true(done >= last, "it went back: " .. frame)
      assert.equal("9", of)
      last = done
    end
  end
  assert.is_true(first and first < last, "it never rose")
end

--- In each wait, which is as long as the same number is done.
local function assert_counts_down(frames)
  local done, left, falls = nil, nil, 0
  for _, frame in ipairs(frames) do
    local now_done, minutes, seconds = frame:match "^(%d+)/.*quota in (%d+):(%d%d)"
    if seconds then
      local now_left = minutes * 60 + seconds
      assert.is_true(now_left >= 1 and now_left <= 90, frame)
      if now_done == done then
        assert.is_true(now_left <= left, "it went up: " .. frame)
        if now_left < left then falls = falls + 1 end
      end
      done, left = now_done, now_left
    end
  end
  assert.is_true(falls > 0, "no countdown was seen: " .. table.concat(frames, "\n"))
end

local function assert_fits(frames, columns)
  for _, frame in ipairs(frames) do
    assert.is_true(assert(utf8.len(frame), "no UTF-8: " .. frame) < columns, frame)
    assert.is_nil(frame:find "%c", frame)
  end
end

describe("the progress line", function()
  it("counts what is done, and down to when quota returns", function()
    with_small_quota(function(w)
      local ran = terminal.run(80, scan(9), w:environment(), ">" .. w:path "out")
      local frames, rest = terminal.frames(ran.text)
      assert.equal(0, ran.exit, rest)
      assert_fits(frames, 80)
      assert_rises(frames)
      assert_counts_down(frames)
      assert.matches("left 0/min 496/day", table.concat(frames, "\n"), 1, true)
      assert.matches("\n4/9 · %d risky · 1 request · ", "\n" .. table.concat(frames, "\n"))
      assert.matches(" · ends %d%d:%d%d", table.concat(frames, "\n"))
      assert.equal("", frames[#frames])
      assert.is_nil(rest:find "\27")
    end)
  end)

  it("says less in fewer columns and in ASCII where the locale has no more", function()
    with_small_quota(function(w)
      local env = w:environment()
      env.LC_ALL = "C"
      local ran = terminal.run(40, scan(9), env, ">" .. w:path "out")
      local frames = terminal.frames(ran.text)
      assert_fits(frames, 40)
      assert_rises(frames)
      assert_counts_down(frames)
      for _, frame in ipairs(frames) do assert.is_nil(frame:find "[\128-\255]", frame) end
      assert.equal("", frames[#frames])
    end)
  end)

  it("is shown on a terminal only, and not when nobody wants it", function()
    workspace.simulated({ scenario = "return { latency_ms = 300 }" }, function(w)
      local function shown(more, change)
        w:forget()
        local env = w:environment()
        for name, value in pairs(change or {}) do env[name] = value end
        local ran = terminal.run(80, scan(1, more), env, ">" .. w:path "out")
        return #terminal.frames(ran.text) > 0
      end
      assert.is_true(shown {})
      assert.is_true(shown({}, { NO_COLOR = "1" }))
      assert.is_false(shown { "--quiet" })
      assert.is_false(shown { "--log-format", "json" })
      assert.is_false(shown({}, { TERM = "dumb" }))
      w:forget()
      assert.is_nil(w:run(scan(1)).err:find "\r")
    end)
  end)

  it("is taken off the terminal before anything else is written there", function()
    with_small_quota(function(w)
      local ran = terminal.run(80, scan(9, { "--format", "ndjson", "-v" }), w:environment())
      local frames, rest = terminal.frames(ran.text)
      assert_rises(frames)
      -- What stands on a line, as a terminal shows it.
      local documents = 0
      for line in ran.text:gmatch "([^\n]*)\n" do
        local seen = line:gsub("\r$", ""):match "([^\r]*)$":gsub("^.*\27%[K", "")
        if seen:find '"schema"' then
          assert.equal("table", type(cjson.decode(seen)))
          documents = documents + 1
        else
          assert.matches("^apogee: ", seen)
        end
      end
      assert.equal(10, documents)
      assert.is_nil(rest:find "\27")
      assert.equal("", frames[#frames])
    end)
  end)
end)
