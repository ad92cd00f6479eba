-- What a run from cron needs: one at a time, silence when all is well, figures for an alert.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local prometheus = require "e2e.support.prometheus"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local HELLO = "22596363b3de40b06f981fb85d82312e8c0ed511"
local STUCK = ([[return { answers = { ["file/report %s"] = { { delay_ms = 30000 } } } }]])
  :format(HELLO)

local function look_up(...)
  return { "action", "scan_hash", "--param", "threshold=3", "--format", "json", ... }
end

local function mode(path)
  local pipe = assert(io.popen("stat -c %a " .. program.quote(path)))
  local text = pipe:read "l"
  pipe:close()
  return text
end

--- Starts a run that holds a lock and waits for an answer; `use` runs meanwhile, and then the
--- signal is sent.
local function while_held(w, args, signal, use)
  local _, before = (program.read(w:path "requests") or ""):gsub(HELLO, "")
  local process = program.start(look_up("--lock", "nightly", "--no-cache", "--entity", HELLO,
    table.unpack(args)), w:environment())
  assert(simulator.wait(("test $(grep -c %s %s) -gt %d"):format(HELLO, w:path "requests", before),
    10))
  local good, why = pcall(use, process)
  process:signal(signal)
  local ran = process:wait(10)
  assert(good, why)
  return ran
end

describe("--lock", function()
  it("lets one run go on and ends the next with 5, who has it, and nothing sent", function()
    workspace.simulated({ scenario = STUCK }, function(w)
      while_held(w, {}, "TERM", function(process)
        for _, extra in ipairs { "--no-cache", "--no-state", "--quiet" } do
          local ran = w:run(look_up("--lock", "nightly", "--entity", EICAR,
            "--entities", w:path "missing", extra))
          assert.equal(5, ran.exit)
          assert.equal("", ran.out)
          assert.matches(('the lock "nightly" is held by process %d since %%d%%d%%d%%d%%-%%d%%d%%-'
            .. '%%d%%dT%%d%%d:%%d%%d:%%d%%dZ'):format(process.pid), ran.err)
          assert.matches("nothing was sent", ran.err)
        end
        assert.is_nil((program.read(w:path "requests") or ""):find(EICAR, 1, true))
        assert.equal(0, w:run(look_up("--lock", "other", "--entity", EICAR)).exit)
        assert.equal(0, w:run(look_up("--entity", EICAR)).exit)
      end)
      assert.equal("600", mode(w:path "state/locks/nightly"))
      assert.equal("700", mode(w:path "state/locks"))
      assert.equal(0, w:run(look_up("--lock", "nightly", "--entity", EICAR)).exit)
    end)
  end)

  it("is held with --no-state too, and free after a kill", function()
    workspace.simulated({ scenario = STUCK }, function(w)
      while_held(w, { "--no-state" }, "KILL", function()
        assert.equal(5, w:run(look_up("--lock", "nightly", "--entity", EICAR)).exit)
      end)
      assert.equal(0, w:run(look_up("--lock", "nightly", "--entity", EICAR)).exit)
    end)
  end)

  it("takes names that are file names only", function()
    for _, name in ipairs { "", ".", "..", ".x", "a/b", "a b", "ü", ("x"):rep(65) } do
      local ran = program.run(look_up("--simulate", "--entity", EICAR, "--lock", name))
      assert.equal(2, ran.exit)
      assert.matches("%-%-lock", ran.err)
    end
  end)

  it("that cannot be taken says why before anything is sent", function()
    workspace.simulated({}, function(w)
      assert(os.execute("mkdir -p " .. w:path "state/locks" .. " && ln -s /dev/null "
        .. w:path "state/locks/nightly"))
      local ran = w:run(look_up("--lock", "nightly", "--entity", EICAR))
      assert.equal(2, ran.exit)
      assert.matches("nothing was sent: .*locks/nightly", ran.err)
      assert.equal(0, #w:requests())
    end)
  end)
end)

describe("--quiet", function()
  it("says nothing at all of a run that is fine", function()
    workspace.simulated({}, function(w)
      local args = look_up("--quiet", "--output", w:path "out.json", "--metrics",
        w:path "apogee.prom", "--lock", "a", "--entities", "-")
      for _, input in ipairs { EICAR .. "\n" .. EICAR .. "\nhttp://www.example.com/\n", "" } do
        local ran = w:run(args, input)
        assert.equal(0, ran.exit)
        assert.equal("", ran.out)
        assert.equal("", ran.err)
        assert.is_string(program.read(w:path "out.json"))
      end
    end)
  end)

  it("says what went wrong, also where a step was done in part", function()
    local tier = { per_minute = 1, per_day = 1, per_month = 0, list = 1, premium = false }
    workspace.simulated({ settings = { virustotal = { tier = tier } } }, function(w)
      local ran = w:run(look_up("--quiet", "--output", w:path "out.json", "--on-limit", "stop",
        "--entity", EICAR, "--entity", HELLO))
      assert.equal(1, ran.exit)
      assert.equal("", ran.out)
      assert.matches("Scan Hash: 1 of 2 file hashes was checked.*the quota is spent", ran.err)
    end)
  end)
end)

describe("--metrics", function()
  local function read(w, name)
    local samples = prometheus.read(assert(program.read(w:path(name or "apogee.prom"))))
    return function(metric, labels)
      return prometheus.value(samples, "apogee_" .. metric, labels)
    end
  end

  local function measured(w, ...)
    return look_up("--metrics", w:path "apogee.prom", ...)
  end

  it("tells how the run ended, step by step", function()
    workspace.simulated({}, function(w)
      local before = os.time()
      local document, ran = w:json(measured(w, "--entity", EICAR, "--entity", HELLO, "--entity",
        "f" .. HELLO:sub(2)))
      assert.equal(0, ran.exit)
      local value, cost = read(w), document.cost
      assert.equal(1, value("run_info", { command = "action", target = "scan_hash" }))
      assert.is_true(value "run_start_timestamp_seconds" >= before - 1)
      assert.is_true(value "run_end_timestamp_seconds" >= value "run_start_timestamp_seconds")
      assert.is_true(value "run_duration_seconds" >= 0)
      assert.equal(0, value "run_exit_code")
      assert.equal(1, value("run_status", { status = "completed" }))
      assert.equal(0, value("run_status", { status = "failed" }))
      assert.equal(3, value("run_entities", { step = "scan_hash", outcome = "reported" })
        + value("run_entities", { step = "scan_hash", outcome = "not_found" }))
      assert.equal(0, value("run_entities", { outcome = "limited" }))
      assert.is_true(value("run_risky_entities", { step = "scan_hash" }) >= 1)
      assert.is_true(cost.requests > 0)
      assert.equal(cost.requests, value("run_requests", { step = "scan_hash" }))
      assert.equal(cost.quota, value("run_quota_lookups", { step = "scan_hash" }))
      assert.equal(cost.cached, value "run_cached_lookups")
      assert.equal(cost.shared, value "run_shared_lookups")
      assert.equal(0, value "run_sent_bytes")
      assert.equal(value "run_end_timestamp_seconds", value "run_last_success_timestamp_seconds")
    end)
  end)

  it("is written whatever the end, and keeps the last success", function()
    workspace.simulated({ scenario = STUCK }, function(w)
      assert.equal(0, w:run(measured(w, "--entity", EICAR)).exit)
      local success = read(w) "run_last_success_timestamp_seconds"
      local function ends(exit, status, ...)
        local ran = w:run(measured(w, ...))
        assert.equal(exit, ran.exit)
        assert.equal(exit, read(w) "run_exit_code")
        assert.equal(status and 1, status and read(w)("run_status", { status = status }))
        assert.equal(success, read(w) "run_last_success_timestamp_seconds")
      end
      ends(2, nil, "--entities", w:path "missing")
      ends(2, nil, "--entity", EICAR, "--no-such-option")
      ends(1, "timed_out", "--entity", HELLO, "--deadline", "100ms")
      ends(3, "failed", "--entity", HELLO, "--retries", "0", "--url", "http://127.0.0.1:1/")
      while_held(w, { "--metrics", w:path "apogee.prom" }, "TERM", function()
        local ran = w:run(measured(w, "--lock", "nightly", "--entity", EICAR))
        assert.equal(5, ran.exit)
        assert.equal(3, read(w) "run_exit_code") -- the run that holds it will tell
      end)
      assert.equal(1, read(w) "run_exit_code")
      assert.equal(1, read(w)("run_status", { status = "interrupted" }))
      assert.equal(1, read(w)("run_entities", { outcome = "not_asked" }))
    end)
  end)

  it("can be read by others as the umask says, and escapes what stands in it", function()
    workspace.simulated({}, function(w)
      local path = w:write('a "b" \\c.lua', [[return require "apogee.playbook" {
        name = "P", steps = { { "mark", run = function(case) case:tag "x" end } } }]])
      local args = { "run", path, "--entity", EICAR, "--metrics", w:path "apogee.prom" }
      for umask, expected in pairs { ["022"] = "644", ["077"] = "600" } do
        local command = program.command(args, w:environment())
        os.execute(("umask %s; %s >/dev/null"):format(umask, command))
        assert.equal(expected, mode(w:path "apogee.prom"))
      end
      assert.equal(1, read(w)("run_info", { target = path }))
      assert.equal(0, read(w)("run_requests", { step = "mark" }))
      assert.equal("", w:left_over())
    end)
  end)

  it("that cannot be written is exit 7, after the result", function()
    workspace.simulated({}, function(w)
      local document, ran = w:json(look_up("--metrics", w:path "missing/apogee.prom",
        "--entity", EICAR))
      assert.equal(7, ran.exit)
      assert.equal("completed", document.status)
      assert.matches("%-%-metrics: .*missing/apogee.prom: cannot be written", ran.err)
    end)
  end)
end)
