-- How a run ends before its work is done: signals, and scripts that do not end.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local SLOW = "22596363b3de40b06f981fb85d82312e8c0ed511"
local URL = "http://unknown.example.com/"

local LISTS_OF_ONE = { virustotal = {
  tier = { per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = true },
} }

local PLAYBOOK = [[
  return require "apogee.playbook" {
    name = "P",
    steps = {
      { { "hashes", action = "scan_hash", on = "filehash", with = { threshold = 3 } },
        { "urls", action = "scan_url", on = "url", with = { threshold = 3 } } },
      { "later", action = "scan_hash", on = "filehash", with = { threshold = 3 } },
    },
  }]]

--- Waits until the simulator has had a request of an endpoint.
local function asked(w, endpoint)
  return simulator.wait(("grep -q '\"%s\"' %s"):format(endpoint, w:path "requests"), 10)
end

--- Waits until a script has said that it runs.
local function begun(process)
  return simulator.wait("grep -q 'it runs' " .. process.err_path, 10)
end

for _, name in ipairs { "TERM", "INT" } do
  describe("SIG" .. name, function()
    it("ends a run in order, within 5 s: what is found is written", function()
      workspace.simulated({
        settings = LISTS_OF_ONE,
        scenario = ([[return { scan_ms = 3600000, answers = {
          ["file/report %s"] = { { delay_ms = 30000 } }, ["url/report %s"] = { { code = 0 } } } }]])
          :format(SLOW, URL),
      }, function(w)
        local process = program.start({
          "run", w:write("p.lua", PLAYBOOK), "--entity", EICAR, "--entity", SLOW, "--entity", URL,
          "--format", "ndjson",
        }, w:environment())
        assert(asked(w, "url/scan"))
        assert(simulator.wait("grep -q " .. EICAR .. " " .. process.out_path, 10))
        process:signal(name)
        local ran = process:wait(5)
        local outcomes, last = {}, nil
        for line in ran.out:gmatch "[^\n]+" do
          last = cjson.decode(line)
          if last.identifier then
            outcomes[last.step .. " " .. last.identifier] = last.outcome
            if last.outcome ~= "reported" then assert.is_string(last.reason) end
          end
        end
        assert.equal(4, ran.exit)
        assert.equal("interrupted", last.status)
        assert.same({
          ["hashes " .. EICAR] = "reported", ["hashes " .. SLOW] = "not_asked",
          ["urls " .. URL] = "pending", ["later " .. EICAR] = "not_asked",
          ["later " .. SLOW] = "not_asked",
        }, outcomes)
      end)
    end)
  end)
end

describe("a reader that does not read", function()
  -- In the loop a signal ends the run in order, which fails on the reader; behind it, at once.
  for format, exit in pairs { json = 128 + 15, ndjson = 7 } do
    it("does not keep the program from ending by a signal: " .. format, function()
      workspace.simulated({}, function(w)
        local hashes = {}
        for i = 1, 300 do hashes[i] = ("%032x"):format(i) end
        local command = program.command({
          "action", "scan_hash", "--param", "threshold=3", "--format", format, "--entities",
          w:write("hashes.txt", table.concat(hashes, "\n")),
        }, w:environment())
        -- The reader takes one byte, and holds the pipe open.
        local script = ("(sh -c 'echo $$ >%s; exec \"$@\"' sh %s; echo $? >%s) 2>%s | "
          .. "(head -c 1 >%s; sleep 60)"):format(w:path "pid", command, w:path "exit",
          w:path "err", w:path "first")
        assert(os.execute("sh -c " .. program.quote(script) .. " >/dev/null 2>&1 &"))
        assert(simulator.wait("[ -s " .. w:path "first" .. " ]", 10))
        os.execute("kill -TERM " .. program.read(w:path "pid"):match "%d+")
        assert(simulator.wait("[ -s " .. w:path "exit" .. " ]", 30), "it still waits")
        assert.equal(exit .. "\n", program.read(w:path "exit"))
        if format == "ndjson" then
          assert.matches("its reader did not read", program.read(w:path "err"))
        end
      end)
    end)
  end
end)

describe("a second signal", function()
  it("ends the process at once, and leaves no half-written file", function()
    workspace.simulated({ settings = LISTS_OF_ONE }, function(w)
      local action = w:write("stubborn.lua", [[
        return require "apogee.action" {
          id = "stubborn", name = "Stubborn", doc = "Does not end.", accepts = { "filehash" },
          returns = "is_success",
          run = function(ctx)
            log.warn "it runs"
            while true do clock.sleep(600) end
          end,
        }]])
      local process = program.start({
        "action", action, "--entity", EICAR, "--output", w:path "out.json",
      }, w:environment())
      assert(begun(process))
      process:signal "TERM"
      assert(simulator.wait("grep -q 'once more' " .. process.err_path, 5))
      process:signal "TERM"
      local ran = process:wait(2)
      assert.equal(128 + 15, ran.exit)
      assert.equal("", w:left_over())
    end)
  end)

  it("is not needed for a script that ignores the first", function()
    workspace.simulated({ settings = LISTS_OF_ONE }, function(w)
      local action = w:write("stubborn.lua", [[
        return require "apogee.action" {
          id = "stubborn", name = "Stubborn", doc = "Does not end.", accepts = { "filehash" },
          returns = "is_success",
          run = function(ctx)
            log.warn "it runs"
            while true do pcall(clock.sleep, 600) end
          end,
        }]])
      local process = program.start({
        "action", action, "--entity", EICAR, "--format", "json",
      }, w:environment())
      assert(begun(process))
      process:signal "TERM"
      local ran = process:wait(5)
      local document = cjson.decode(ran.out)
      assert.equal(1, ran.exit)
      assert.equal("interrupted", document.status)
      assert.equal("not_asked", document.entities[1].outcome)
    end)
  end)
end)

describe("a submission on its way when the run ends", function()
  it("is pending: it may have arrived", function()
    workspace.simulated({
      settings = LISTS_OF_ONE,
      scenario = ([[return { answers = { ["url/report %s"] = { { code = 0 } },
        ["url/scan *"] = { { delay_ms = 30000 } },
        ["file/rescan *"] = { { delay_ms = 30000 } } } }]])
        :format(URL),
    }, function(w)
      for entity, action in pairs { [URL] = "scan_url", [EICAR] = "scan_hash" } do
        local document, ran = w:json {
          "action", action, "--param", "threshold=3", "--param", "rescan_after_days=0",
          "--entity", entity, "--deadline", "1s", "--format", "json",
        }
        assert.equal(4, ran.exit)
        assert.equal("pending", document.entities[1].outcome)
        assert.matches("may have arrived", document.entities[1].reason)
        assert.equal(entity == EICAR and 1 or 0, #document.json_result)
      end
    end)
  end)
end)

describe("a run that is to end", function()
  local HOG = [[
    return require "apogee.action" {
      id = "hog", name = "Hog", doc = "Never waits for long.", accepts = { "filehash" },
      needs = { "vt" }, returns = "is_success",
      run = function(ctx, entity)
        for _ = 1, 1000000 do
          local report, message, code = vt.file_report(entity.identifier)
          if not report then return ctx.from_error(message, code) end
        end
      end,
    }]]

  it("ends by its deadline, though its tasks keep each other ready", function()
    workspace.simulated({ settings = LISTS_OF_ONE }, function(w)
      local document, ran = w:json {
        "action", w:write("hog.lua", HOG), "--entity", EICAR, "--deadline", "1s",
        "--format", "json",
      }
      assert.equal(1, ran.exit)
      assert.equal("timed_out", document.status)
      assert.equal("not_asked", document.entities[1].outcome)
    end)
  end)

  it("begins no further function of its playbook", function()
    workspace.simulated({ settings = LISTS_OF_ONE }, function(w)
      local playbook = w:write("p.lua", [[
        local function sleep()
          log.warn "it runs"
          clock.sleep(600)
        end
        return require "apogee.playbook" {
          name = "P",
          steps = {
            { "a", run = sleep, on_error = "continue" },
            { "b", run = sleep, on_error = "continue" },
            { "c", action = "scan_hash", on = "filehash", with = { threshold = 3 }, when = sleep },
            { "d", action = "scan_hash", on = "filehash", with = { threshold = 3 } },
          },
        }]])
      local process = program.start({
        "run", playbook, "--entity", EICAR, "--format", "json",
      }, w:environment())
      assert(begun(process))
      process:signal "TERM"
      local ran = process:wait(5)
      local document = cjson.decode(ran.out)
      assert.equal("interrupted", document.status)
      assert.equal("interrupted", document.steps[1].status)
      assert.equal("not_run", document.steps[2].status)
      assert.equal("not_run", document.steps[3].status)
      assert.equal("interrupted", document.steps[4].status)
      assert.same({}, w:requests())
    end)
  end)
end)
