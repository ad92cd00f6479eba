-- Actions and playbooks from the command line to the result, over HTTP and HTTPS.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local HELLO = "22596363b3de40b06f981fb85d82312e8c0ed511" -- SHA-1 of "hello world\n": clean
local MALICIOUS_URL = "http://malware.example.com/"

local function hash_action(...)
  return { "action", "scan_hash", "--param", "threshold=3", "--format", "json", ... }
end

local function by_identifier(document)
  local found = {}
  for _, entity in ipairs(document.entities) do found[entity.identifier] = entity end
  return found
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do table.insert(lines, cjson.decode(line)) end
  return lines
end

for _, protocol in ipairs { "http", "https" } do
  describe("apogee over " .. protocol, function()
    local given = { tls = protocol == "https" }

    it("runs an action and prints its object", function()
      workspace.simulated(given, function(w)
        local document, ran = w:json(hash_action("--entity", EICAR, "--entity", HELLO))
        assert.equal(0, ran.exit)
        assert.equal("apogee.action/1", document.schema)
        assert.equal("scan_hash", document.action)
        assert.equal("VirusTotal", document.provider)
        assert.equal("completed", document.status)
        assert.same({ name = "is_risky", value = true }, document.result)
        assert.same({ checked = 2, of = 2 }, document.coverage)
        assert.equal(2, #document.json_result)
        assert.equal(EICAR, document.json_result[1].Entity)
        local eicar = by_identifier(document)[EICAR]
        assert.equal("reported", eicar.outcome)
        assert.equal(cjson.null, eicar.reason)
        assert.is_true(eicar.suspicious)
        assert.is_true(eicar.enriched)
        assert.is_true(eicar.enrichment.VirusTotal.positives > 30)
        assert.matches("^https://www.virustotal.com/", eicar.link)
        local clean = by_identifier(document)[HELLO]
        assert.is_false(clean.suspicious)
        assert.equal(1, #document.insights)
        assert.equal("warn", document.insights[1].severity)
        assert.equal("VirusTotal", document.insights[1].triggered_by)
        assert.equal(3, document.cost.requests) -- one list, and comments for each
      end)
    end)

    it("runs the sample playbook and prints the run", function()
      workspace.simulated(given, function(w)
        local document, ran = w:json {
          "run", "triage", "--entities", "playbooks/triage-indicators.txt", "--format", "json",
        }
        assert.equal(0, ran.exit)
        assert.equal("apogee.run/1", document.schema)
        assert.equal("Triage", document.playbook)
        assert.equal("completed", document.status)
        assert.equal(0, document.exit)
        assert.same({ "malicious" }, document.tags)
        assert.is_true(document.score > 50)
        assert.equal(document.coverage.of, document.coverage.checked)
        assert.matches("^%d+T%d+Z%-%x%x%x%x$", document.run)
        assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", document.started)
        local eicar = by_identifier(document)[EICAR]
        assert.equal("reported", eicar.steps.hashes)
        assert.is_true(#document.steps >= 4)
        for _, step in ipairs(document.steps) do
          assert.equal("apogee.action/1", step.schema)
          assert.equal("completed", step.status)
        end
      end)
    end)
  end)
end

describe("apogee run", function()
  local function run_triage(w, ...)
    return w:json {
      "run", "triage", "--entity", EICAR, "--entity", MALICIOUS_URL, "--format", "json", ...,
    }
  end

  local function statuses(document)
    local found = {}
    for _, step in ipairs(document.steps) do found[step.step or step.action] = step.status end
    return found
  end

  it("runs only the steps that are asked for", function()
    workspace.simulated({}, function(w)
      local document = run_triage(w, "--only", "hashes")
      local urls
      for _, step in ipairs(document.steps) do
        if step.action == "scan_url" then urls = step end
      end
      assert.equal("not_run", urls.status)
      assert.matches("%-%-only", urls.message)
      assert.equal("completed", statuses(document).hashes or statuses(document).scan_hash)
    end)
  end)

  it("names the step that was meant by --skip", function()
    workspace.simulated({}, function(w)
      local ran = w:run { "run", "triage", "--entity", EICAR, "--skip", "hash" }
      assert.equal(2, ran.exit)
      assert.matches("%-%-skip hash", ran.err)
      assert.matches('did you mean "hashes"', ran.err)
      assert.equal("", ran.out)
      assert.same({}, w:requests())
    end)
  end)

  it("gives 10, 11 and 12 with --fail-on-risky", function()
    workspace.simulated({}, function(w)
      local _, ran = run_triage(w, "--fail-on-risky")
      assert.equal(10, ran.exit)
    end)
    workspace.simulated({
      scenario = "return { answers = { ['url/report *'] = { { status = 500 } } } }",
    }, function(w)
      local _, ran = run_triage(w, "--fail-on-risky")
      assert.equal(11, ran.exit)
    end)
    workspace.simulated({
      scenario = "return { answers = { ['url/report *'] = { { code = -2 } } } }",
    }, function(w)
      local _, ran = run_triage(w, "--fail-on-risky", "--deadline", "2s")
      assert.equal(12, ran.exit)
    end)
  end)

  it("prints a line for each entity as it ends, then its step, then the run", function()
    workspace.simulated({}, function(w)
      local ran = w:run {
        "run", "triage", "--entity", EICAR, "--entity", MALICIOUS_URL, "--format", "ndjson",
      }
      assert.equal(0, ran.exit)
      local lines = lines_of(ran.out)
      local seen, ended = {}, {}
      for _, line in ipairs(lines) do
        if line.schema == "apogee.entity/1" then
          assert.is_nil(ended[line.step], "an entity behind its step's line")
          seen[line.identifier] = line
        elseif line.schema == "apogee.action/1" then
          ended[line.step] = true
          assert.is_nil(line.entities)
        end
      end
      assert.equal("apogee.run/1", lines[#lines].schema)
      assert.equal("table", type(seen[EICAR].EntityResult))
      assert.equal("urls", seen[MALICIOUS_URL].step)
    end)
  end)

  it("draws tables that say the same", function()
    workspace.simulated({}, function(w)
      local ran = w:run {
        "run", "triage", "--entity", EICAR, "--entity", MALICIOUS_URL, "--format", "table",
      }
      assert.equal(0, ran.exit)
      assert.matches("INDICATOR%s+TYPE%s+VERDICT", ran.out)
      assert.matches(EICAR .. "%s+filehash%s+RISKY %d+/%d+", ran.out)
      assert.matches("Triage: completed, score %d+, tagged malicious", ran.out)
      assert.is_nil(ran.out:find("\27", 1, true), "no colours where there is no terminal")
    end)
  end)

  it("marks what is risky for the steps behind", function()
    workspace.simulated({}, function(w)
      local playbook = w:write("p.lua", [[
        local playbook = require "apogee.playbook"
        return playbook {
          name = "P",
          steps = {
            { "first", action = "scan_hash", on = "filehash", with = { threshold = 3 } },
            { "second", action = "scan_hash",
              when = function(case) return case.first.is_risky end,
              on = function(case) return case:of("filehash"):suspicious() end,
              with = { threshold = function(case) return #case.first.entities end } },
            { "never", action = "scan_hash", on = "filehash", with = { threshold = 3 },
              when = function(case) return case.first.status == "failed" end },
            { "say", run = function(case)
                case:score(#case:suspicious())
                case:tag("seen " .. case.second.coverage.checked)
              end },
          },
        }]])
      local document, ran = w:json {
        "run", playbook, "--entity", EICAR, "--entity", HELLO, "--format", "json",
      }
      assert.equal(0, ran.exit)
      assert.equal(1, document.score)
      assert.same({ "seen 1" }, document.tags)
      assert.same({ checked = 1, of = 1 }, document.steps[2].coverage)
      assert.equal("not_run", document.steps[3].status)
      assert.equal(1, document.steps[2].cost.cached)
    end)
  end)

  it("goes on behind a step that fails, where the playbook says so", function()
    workspace.simulated({}, function(w)
      local text = [[
        return require "apogee.playbook" {
          name = "P",
          steps = {
            { "first", run = function() error "boom" end, on_error = %q },
            { "second", action = "scan_hash", on = "filehash", with = { threshold = 3 } },
          },
        }]]
      for on_error, status in pairs { continue = "completed", stop = "not_run" } do
        local document, ran = w:json {
          "run", w:write("p.lua", text:format(on_error)), "--entity", EICAR, "--format", "json",
        }
        assert.equal(1, ran.exit)
        assert.equal("failed", document.steps[1].status)
        assert.matches("p.lua:4: boom", document.steps[1].message)
        assert.equal(status, document.steps[2].status)
      end
    end)
  end)
end)

describe("the result", function()
  it("is written whole to --output, and standard output stays empty", function()
    workspace.simulated({}, function(w)
      local path = w:path "result.json"
      local ran = w:run(hash_action("--entity", EICAR, "--output", path))
      assert.equal(0, ran.exit)
      assert.equal("", ran.out)
      assert.equal("apogee.action/1", cjson.decode(program.read(path)).schema)
    end)
  end)

  it("leaves an older file alone when the run cannot begin", function()
    workspace.simulated({}, function(w)
      local path = w:write("result.json", "old")
      local ran = w:run {
        "action", "scan_hash", "--entity", EICAR, "--param", "threshold=x", "--output", path,
      }
      assert.equal(2, ran.exit)
      assert.equal("old", program.read(path))
      assert.equal("", w:left_over())
    end)
  end)

  it("that cannot be written is exit 7", function()
    workspace.simulated({}, function(w)
      local ran = w:run(hash_action("--entity", EICAR, "--output", "/dev/full"))
      assert.equal(7, ran.exit)
      assert.matches("the disk is full", ran.err)
    end)
  end)

  it("merges two spellings into one entity and one request", function()
    workspace.simulated({}, function(w)
      local document = w:json(hash_action("--entity", EICAR, "--entity", EICAR:upper()))
      assert.equal(1, #document.entities)
      assert.equal(1, #document.json_result)
      assert.equal(1, document.cost.quota - 1) -- and one for the comments
    end)
  end)

  it("of no entities is a sentence and exit 0", function()
    workspace.simulated({}, function(w)
      local document, ran = w:json(hash_action())
      assert.equal(0, ran.exit)
      assert.matches("Nothing to do: there are no file hashes", document.message)
      assert.same({}, w:requests())
    end)
  end)

  it("says what was known already as cached, in the same run", function()
    workspace.simulated({}, function(w)
      local document = w:json {
        "action", "scan_hash", "--param", "threshold=3", "--format", "json", "--entity", EICAR,
        "--entity", "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
      }
      assert.equal(2, document.coverage.checked)
    end)
  end)
end)

describe("apogee list, show, check", function()
  it("need neither a key nor a network", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local list = w:run { "list" }
      assert.equal(0, list.exit)
      for _, id in ipairs { "ping", "scan_hash", "scan_ip", "scan_url", "get_domain_report" } do
        assert.matches(id, list.out)
      end
      local show = w:run { "show", "scan_hash" }
      assert.equal(0, show.exit)
      assert.matches("%-%-threshold N %(integer, 1 or more; required%)", show.out)
      local check = w:run { "check", "lua/actions/scan_hash.lua", "playbooks/triage.lua" }
      assert.equal(0, check.exit)
      assert.matches("OK", check.out)
    end)
  end)

  it("name the file, the line and the fix", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local path = w:write("bad.lua", 'return require "apogee.action" {\n  idd = "x",\n}\n')
      local ran = w:run { "check", path }
      assert.equal(2, ran.exit)
      assert.matches(path .. ":2: ", ran.out, 1, true)
      assert.matches('did you mean "id"', ran.out)
      path = w:write("broken.lua", "return {\n  x = = 1,\n}\n")
      ran = w:run { "check", path }
      assert.equal(2, ran.exit)
      assert.matches("broken.lua:2: unexpected symbol", ran.out)
    end)
  end)
end)
