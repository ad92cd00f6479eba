-- A canary: a key that must turn up nowhere but in what is sent to the service.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local CANARY = "cafe" .. ("0badf00d"):rep(7) .. "cafe"
local EICAR = "44d88612fea8a8f36de82e1278abb02f"

local function holds(text) return text:lower():find(CANARY, 1, true) ~= nil end

local function check_folder(w, ran)
  assert.is_false(holds(ran.out), "the key is on standard output")
  assert.is_false(holds(ran.err), "the key is on standard error")
  local found = io.popen(("grep -rlai %s %s"):format(CANARY, program.quote(w.folder))):read "a"
  assert.equal(w:path "key" .. "\n", found, "only the key's own file holds it")
end

local function with_canary(given, use)
  workspace.simulated(given, function(w)
    w:write("key", CANARY .. "\n")
    use(w)
  end)
end

describe("the key", function()
  it("is in no output, log or record of a run that goes well", function()
    with_canary({}, function(w)
      check_folder(w, w:run {
        "run", "triage", "--entities", "playbooks/triage-indicators.txt", "-v", "-v",
        "--format", "json", "--output", w:path "result.json",
      })
    end)
  end)

  for name, scenario in pairs {
    ["is refused"] = "{ status = 403 }",
    ["meets a server that fails"] = "{ status = 500, body = 'echo' }",
    ["meets broken JSON"] = "{ garbage = true }",
    ["meets a cut connection"] = "{ cut = 'middle' }",
    ["is sent back by the server"] = ("{ status = 200, body = %q }")
      :format(('{"response_code":-1,"verbose_msg":"bad apikey %s"}'):format(CANARY)),
  } do
    it("is in none of one that " .. name, function()
      with_canary({
        scenario = "return { answers = { ['* *'] = { " .. scenario .. " } } }",
        settings = { virustotal = { retries = 1 } },
      }, function(w)
        local ran = w:run {
          "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR, "-v", "-v",
          "--log-format", "json", "--format", "ndjson", "--output", w:path "result.json",
        }
        os.remove(w:path "scenario.lua")
        check_folder(w, ran)
      end)
    end)
  end

  it("in an environment variable is gone from the process", function()
    with_canary({
      scenario = "return { answers = { ['file/report *'] = { { delay_ms = 30000 } } } }",
    }, function(w)
      local env = w:environment()
      w:configure { virustotal = { url = w.url, api_key = "env:MY_KEY" } }
      env.MY_KEY = CANARY
      local process = program.start({
        "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR,
      }, env)
      -- The state is opened once the key was read.
      assert(simulator.wait("[ -e " .. w:path "state/apogee.db" .. " ]", 10))
      local environ = io.popen(("tr '\\0' '\\n' </proc/%d/environ 2>/dev/null"):format(process.pid))
      assert.is_false(holds(environ:read "a"))
      local arguments = io.popen(("tr '\\0' ' ' </proc/%d/cmdline"):format(process.pid)):read "a"
      assert.is_false(holds(arguments))
      process:signal "TERM"
      assert.is_false(holds(process:wait(5).err))
    end)
  end)

  it("is not given to a redirect's target", function()
    with_canary({
      scenario = "return { answers = { ['file/report *'] = { { status = 302 } } } }",
    }, function(w)
      local document, ran = w:json {
        "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR, "--format", "json",
      }
      assert.equal(1, ran.exit)
      assert.equal("failed", document.entities[1].outcome)
      assert.equal(1, #w:requests())
    end)
  end)
end)
