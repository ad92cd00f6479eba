-- Eight processes share one key: none gets an answer of 204, each moves, and no minute is wasted.
-- APOGEE_TEST_CROWD=full: a thousand hashes in minutes of ten seconds.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local PROCESSES = 8
local PER_MINUTE = 60
local MINUTE_MS = 60000

local IS_FULL = os.getenv "APOGEE_TEST_CROWD" == "full"
-- Under sanitizers, beside other tests: everything is late by more.
local IS_SLOW = os.getenv "APOGEE_TEST_SLOW" ~= nil
-- How many times as fast the clocks run: what a loaded machine is late by grows as much, and the
-- ledger allows for a second.
local SCALE = IS_SLOW and 2 or 6
local HASHES = IS_FULL and 1000 or IS_SLOW and 70 or 170

-- What the ledger and the packing may leave of a window.
local LEAST = 0.97

local function list_of(process)
  local hashes = {}
  for i = process, HASHES, PROCESSES do table.insert(hashes, ("%032x"):format(i)) end
  return table.concat(hashes, "\n") .. "\n"
end

local function start_all(w)
  local processes = {}
  for i = 1, PROCESSES do
    local list = w:write("hashes-" .. i, list_of(i))
    processes[i] = program.start({ "action", "scan_hash", "--param", "threshold=3", "--format",
      "json", "--entities", list, "--max-wait", "1d" }, w:environment())
  end
  return processes
end

-- A window begins with the first request after the one before has ended: what is used of it does
-- not depend on how long this machine needs for anything.
local function windows_of(requests)
  local windows = {}
  local window
  for _, request in ipairs(requests) do
    if not window or request.t_ms >= window.from + MINUTE_MS + 1000 then
      window = { from = request.t_ms, count = 0 }
      table.insert(windows, window)
    end
    window.count = window.count + #request.resources
  end
  return windows
end

-- Minutes one after the other from the first request on: pauses between them count too.
local function minutes_of(requests)
  local minutes = {}
  for _, request in ipairs(requests) do
    local minute = (request.t_ms - requests[1].t_ms) // MINUTE_MS + 1
    for i = #minutes + 1, minute do minutes[i] = { count = 0 } end
    minutes[minute].count = minutes[minute].count + #request.resources
  end
  return minutes
end

-- What stands on the border of two may count for either: the sum is judged after each of them.
local function expect_full(windows, what)
  local sum = 0
  for i = 1, #windows - 1 do -- the last one need not be full
    sum = sum + windows[i].count
    assert.is_true(sum >= LEAST * PER_MINUTE * i,
      ("after %s %d of %d: %d of %d"):format(what, i, #windows, sum, PER_MINUTE * i))
  end
  assert.is_true(#windows >= HASHES // PER_MINUTE)
end

describe("a key that eight processes share", function()
  it("is used to the full and never beyond", function()
    local origin = os.time()
    workspace.simulated({
      args = {},
      scenario = ("return { keys = { ['%s'] = "
        .. "{ tier = 'public', per_minute = %d, per_day = 0, per_month = 0 } } }")
        :format(simulator.KEY, PER_MINUTE),
      env = { APOGEE_CLOCK = SCALE .. "@" .. origin },
      settings = {
        virustotal = {
          tier = {
            per_minute = PER_MINUTE, per_day = 0, per_month = 0, list = 4, premium = false,
          },
        },
      },
    }, function(w)
      local checked = 0
      for i, process in ipairs(start_all(w)) do
        local ran = process:wait(IS_FULL and 300 or 120)
        assert.equal(0, ran.exit, ran.err)
        local document = cjson.decode(ran.out)
        assert.is_true(document.coverage.checked > 0, "process " .. i .. " made no progress")
        checked = checked + document.coverage.checked
      end
      assert.equal(HASHES, checked)
      local requests = w:requests()
      for _, request in ipairs(requests) do assert.equal(200, request.status) end
      expect_full(windows_of(requests), "window")
      if IS_FULL then expect_full(minutes_of(requests), "minute") end
    end)
  end)
end)
