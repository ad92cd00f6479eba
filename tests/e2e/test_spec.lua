-- `apogee test`: specs of authors, run by the program.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local service = require "e2e.support.service"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local ACTION = [[
return require "apogee.action" {
  id = "asker", name = "Asker", doc = "Asks.", provider = "Service", accepts = { "ip_address" },
  returns = "is_risky", needs = { http = { %q }, "vt" },
  params = { { "threshold", type = "integer", default = 50 } },
  run = function(ctx, entity)
    local answer, message, code = http.get(%q, {
      headers = { Key = secret "asker_key" }, query = { ip = entity.identifier } })
    if not answer then return ctx.from_error(message, code) end
    local found = answer.status == 200 and answer.json()
    if not found then return ctx.failed("it answered " .. answer.status) end
    entity:enrich("score", found.score)
    entity:enrich("day", clock.format(clock.now()):sub(1, 10))
    if found.score >= ctx.params.threshold then
      entity:mark_suspicious()
      entity:insight { severity = "warn", title = "Many reports", body = "A score." }
    end
    return ctx.reported(vt.ip_report(entity.identifier))
  end,
}]]

local HOST, URL = "api.example.com", "https://api.example.com/check"

local FRAME = [[
local testing = require "apogee.testing"
local function ask(http, more)
  local options = { entities = { "ip_address:198.51.100.7" }, secrets = { "asker_key" },
    http = http }
  for key, value in pairs(more or {}) do options[key] = value end
  return testing.action("asker.lua", options)
end
local URL = %q
describe("asker", function() %s end)]]

local function write(w, body, host, url)
  w:write("asker.lua", ACTION:format(host or HOST, url or URL))
  w:write("asker_spec.lua", FRAME:format(url or URL, body))
end

--- Runs `apogee test` on a spec with that body.
local function test(body, args, env)
  local ran
  workspace.with(function(w)
    w.env = env or {}
    write(w, body)
    ran = w:run { "test", w.folder, table.unpack(args or {}) }
  end)
  return ran
end

local function it_says(body, ...)
  local ran = test(("it('x', function() %s end)"):format(body))
  assert.equal(1, ran.exit, ran.out .. ran.err)
  for _, text in ipairs { ... } do
    assert.is_truthy(ran.out:find(text, 1, true), text .. " is not in:\n" .. ran.out)
  end
end

describe("apogee test", function()
  it("runs an action in the sandbox, with answers that the spec gives", function()
    local ran = test [[
      it("marks what is reported", function()
        local run = ask { { url = URL, json = { score = 90 } } }
        assert.equal(0, run.exit)
        assert.outcome(run, "198.51.100.7", "reported")
        assert.enriched(run, "198.51.100.7", { score = 90, day = "2026-01-15" })
        assert.suspicious(run, "198.51.100.7")
        assert.insight(run, "198.51.100.7", "Many reports")
        assert.requests(run, { "GET " .. URL .. "?ip=198.51.100.7" })
        assert.requests(run, { { url = URL .. "?ip=198.51.100.7", headers = { Key = "***" } } })
        assert.vt_requests(run, { "ip-address/report 198.51.100.7" })
      end)
      it("negates", function()
        local run = ask({ { url = URL, json = { score = 9 } } }, { params = { threshold = 10 } })
        assert.is_not.suspicious(run, "198.51.100.7")
        assert.is_not.outcome(run, "198.51.100.7", "failed")
        assert.is_not.insight(run, nil, "Many")
        assert.is_not.requests(run, {})
      end)
      it("tries again, as a run does", function()
        local run = ask { { url = URL, status = 503 }, { url = URL, fails = "timeout" },
          { url = URL, json = { score = 1 } } }
        assert.outcome(run, "198.51.100.7", "reported")
        assert.equal(3, #run.requests)
      end)
      it("has the simulator's scenario and its own clock", function()
        local run = ask({ { url = URL, json = { score = 1 } } }, { clock = "2024-02-29T12:00:00Z",
          scenario = { answers = { ["ip-address/report *"] = { { code = 0 } } } } })
        assert.enriched(run, "198.51.100.7", { day = "2024-02-29" })
        assert.is_nil(run.entities["198.51.100.7"].enrichment.VirusTotal)
      end)
      it("does not wait longer than the run may", function()
        local run = ask({ { url = URL, delay_ms = 3600000 } }, { args = { "--deadline", "1s" } })
        assert.outcome(run, "198.51.100.7", "not_asked")
        assert.equal(1, run.exit)
      end)
      it("reaches named hosts only, also by a redirect", function()
        local run = ask { { url = URL, status = 302,
          headers = { Location = "https://x.example/" } } }
        assert.outcome(run, "198.51.100.7", "denied", "x.example")
        run = ask { { url = URL, status = 302, headers = { Location = "/moved" } },
          { url = "https://api.example.com/moved", json = { score = 2 } } }
        assert.enriched(run, "198.51.100.7", { score = 2 })
        assert.equal("***", run.requests[2].headers.key)
      end)
      it("masks a secret that is sent back", function()
        local run = ask { { url = URL, json = { score = 1, key = "made-up-asker_key" } } }
        assert.is_nil(run.requests[1].answer.body:find("made-up", 1, true))
      end)
      it("has time run as fast as it says", function()
        local run = ask({ { url = URL, json = { score = 1 } } },
          { clock = "2024-02-29T23:50:00Z", speed = 1 })
        assert.enriched(run, "198.51.100.7", { day = "2024-02-29" })
      end)
      it("sees a refusal", function()
        local run = ask({}, { params = { threshold = "high" }, exit = 2 })
        assert.matches("threshold", run.err)
      end)
      it("may use modules of the program and all of Lua", function()
        assert.is_function(require("apogee.threshold").param)
        assert.is_string(os.tmpname())
        assert.is_nil(os.getenv "APOGEE_CLOCK")
      end)
    ]]
    assert.equal(0, ran.exit, ran.out .. ran.err)
    assert.matches("10 successes / 0 failures / 0 errors", ran.out)
  end)

  it("runs what is packaged, on entities and parameters of every form", function()
    workspace.with(function(w)
      w.env = {}
      local file = w:write("sample, of one.txt", "bytes of a sample")
      w:write("packaged_spec.lua", ([[
        local testing = require "apogee.testing"
        local EICAR = "44d88612fea8a8f36de82e1278abb02f"
        describe("packaged", function()
          it("takes tables and texts", function()
            local run = testing.action("scan_hash", { params = { threshold = 3 }, entities = {
              { identifier = EICAR, type = "FILEHASH", properties = { reporter = "Ana" } },
              { identifier = ("0"):rep(64), type = "filehash", tlp = "red" },
              "filehash:d41d8cd98f00b204e9800998ecf8427e",
            } })
            assert.suspicious(run, EICAR)
            assert.outcome(run, ("0"):rep(64), "denied", "TLP")
            assert.outcome(run, "d41d8cd98f00b204e9800998ecf8427e", "reported")
          end)
          it("takes lists, booleans and more of the configuration", function()
            local path = %q
            local run = testing.action("upload_and_scan_file", {
              params = { file_paths = { path }, threshold = 3 },
              config = { policy = { upload = "deny" } } })
            assert.outcome(run, path, "reported", "not sent (policy.upload: deny)")
            run = testing.playbook("triage", { params = { submit_unknown = true },
              entities = { "url:http://nobody.example.com/" },
              scenario = { answers = { ["url/report *"] = { { code = 0, times = 1 } } } } })
            assert.outcome(run, "http://nobody.example.com/", "scanned")
          end)
        end)]]):format(file))
      local ran = w:run { "test", w.folder }
      assert.equal(0, ran.exit, ran.out .. ran.err)
    end)
  end)

  it("gives a run its words whole, also those that are numbers", function()
    local ran = test [[it("x", function()
      collectgarbage("incremental", 1, 1000)
      for wrong = 1000000000001, 1000000000005 do
        local run = ask({}, { args = { "--jobs", wrong }, exit = 2 })
        assert.is_truthy(run.err:find(tostring(wrong), 1, true), run.err)
      end
    end)]]
    assert.equal(0, ran.exit, ran.out .. ran.err)
  end)

  it("takes no file for an option, and no module of where it is run for busted's", function()
    workspace.with(function(w)
      w.env = {}
      w:write("-a_spec.lua", 'describe("a", function() it("b", function() end) end)')
      w:write("say.lua", 'error "of this folder"')
      w:write("mediator.lua", 'error "of this folder"')
      local there = { "sh", "-c", 'program=$(realpath "$1") && shift && cd "$0" && '
        .. 'exec "$program" "$@"', w.folder }
      local ran = program.run({ "test" }, nil, {}, there)
      assert.equal(0, ran.exit, ran.out .. ran.err)
      assert.matches("1 success /", ran.out)
    end)
  end)

  it("runs a playbook, and sees what its steps say", function()
    workspace.with(function(w)
      w.env = {}
      write(w, [[it("plays", function()
        local run = testing.playbook("play.lua", {
          entities = { "ip_address:198.51.100.7" }, secrets = { "asker_key" },
          http = { { url = URL, status = 418 } } })
        assert.outcome(run, "198.51.100.7", "reported")
        assert.outcome(run, "198.51.100.7", "failed", "answered 418")
        assert.is_not.outcome(run, "198.51.100.7", "reported", "418")
        assert.equal("completed", run.steps.addresses.status)
        assert.equal("completed", run.steps.ask.status)
      end)]])
      w:write("play.lua", [[return require "apogee.playbook" { name = "Play", steps = {
        { "ask", action = "asker", on = "ip_address" },
        { "addresses", action = "scan_ip", on = "ip_address", with = { threshold = 3 } } } }]])
      local ran = w:run { "test", w.folder }
      assert.equal(0, ran.exit, ran.out .. ran.err)
    end)
  end)

  it("says what there was where an assertion fails", function()
    local run = 'local run = ask { { url = URL, json = { score = 90 } } } '
    it_says(run .. 'assert.outcome(run, "198.51.100.7", "not_found")',
      'Expected outcome "198.51.100.7", "not_found"', "198.51.100.7 is reported",
      "asker_spec.lua:")
    it_says(run .. 'assert.outcome(run, "198.51.100.8", "reported")',
      'there is no entity "198.51.100.8"; there are: 198.51.100.7')
    it_says(run .. 'assert.enriched(run, "198.51.100.7", { score = 91 })',
      "198.51.100.7 has score = 90;", "all it has: ")
    it_says(run .. 'assert.insight(run, nil, "Few")', 'the insights are: 198.51.100.7: "Many')
    it_says(run .. 'assert.requests(run, { "GET x" })', 'Expected requests {\n  "GET x",\n}')
    it_says(run .. 'assert.requests(run, {})', "the requests were: \n  GET " .. URL
      .. "?ip=198.51.100.7 and the headers key: ***")
    it_says(run .. 'assert.vt_requests(run, {})',
      "VirusTotal was asked for: \n  ip-address/report 198.51.100.7")
    it_says(run .. 'assert.is_not.suspicious(run, "198.51.100.7")', "Expected not suspicious",
      "198.51.100.7 is suspicious")
  end)

  it("ends a test that asks what no answer is given for, and names the nearest", function()
    it_says('ask { { url = URL .. "s", json = {} } }',
      "no answer is given for GET " .. URL .. "?ip=198.51.100.7; the nearest is " .. URL .. "s")
    it_says('ask { { url = URL, method = "POST", json = {} } }', "the nearest is POST " .. URL)
    it_says('ask {}', "nor for any other request")
  end)

  it("says what is wrong with a call", function()
    it_says('ask({}, { secrtes = {} })', 'unknown option "secrtes"', "asker_spec.lua:")
    it_says('ask({}, { params = { threshold = "x" } })', "the run gave no result (exit 2)",
      "threshold")
    it_says('ask({}, { exit = 3 })', "not with 3")
    it_says('ask { { url = URL, jsn = {} } }', 'unknown field "jsn"; did you mean "json"?')
    it_says('ask({}, { clock = "noon" })', '"noon" is no time')
    it_says('ask({}, { speed = 0 })', "the scale is a number from 1 to 100000")
    it_says('testing.action("nothing.lua")', "nothing.lua")
    it_says('ask(testing.cassette "none.lua")', "there is no cassette", "apogee test --record")
  end)

  it("runs the specs that a filter leaves", function()
    local body = 'it("good", function() end) it("bad", function() error "no" end)'
    assert.equal(0, test(body, { "--filter", "good" }).exit)
    assert.equal(1, test(body, { "--filter=bad" }).exit)
    assert.equal(1, test(body).exit)
    assert.equal(1, test("it(").exit)
    local wrong = test(body, { "--filter", "[" })
    assert.equal(2, wrong.exit)
    assert.matches("--filter: malformed pattern (missing ']')", wrong.err, 1, true)
    local ran = test(body, { "--filter", "none" })
    assert.equal(2, ran.exit)
    assert.matches('no spec has "none" in its name', ran.err, 1, true)
    assert.equal(2, test("").exit)
  end)

  it("prints for a CI", function()
    local body = 'it("good", function() end) it("bad", function() error "no" end)'
    local ran = test(body, { "--format", "tap" })
    assert.equal(1, ran.exit)
    assert.matches("ok 1 - asker good\n", ran.out, 1, true)
    assert.matches("not ok 2 - asker bad\n", ran.out, 1, true)
    ran = test(body, { "--format=junit" })
    assert.equal(1, ran.exit)
    assert.matches("^%s*<testsuites [^>]*tests='2'", ran.out)
    assert.matches("name='asker bad'", ran.out)
    ran = test(body, { "--format", "xml" })
    assert.equal(2, ran.exit)
    assert.matches('it must be text, tap or junit, not "xml"', ran.err)
  end)

  it("says so where there are no specs, no folder, or no busted", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local ran = w:run { "test", w.folder }
      assert.equal(2, ran.exit)
      assert.matches("there are no specs: no file *_spec.lua in " .. w.folder, ran.err, 1, true)
      ran = w:run { "test", w:path "nowhere" }
      assert.equal(2, ran.exit)
      assert.matches("nowhere", ran.err)
    end)
    local ran = test('it("good", function() end)', {}, { LUA_PATH_5_4 = "/nowhere/?.lua" })
    assert.equal(2, ran.exit)
    assert.matches("install the Debian package lua-busted", ran.err, 1, true)
    assert.equal("", ran.out)
  end)

  it("is not ended by a spec", function()
    for _, body in ipairs { "os.exit(0)", "it('x', function() os.exit(true) end)" } do
      local ran = test(body)
      assert.equal(1, ran.exit, ran.out .. ran.err)
      assert.matches("os.exit: a spec does not end the process", ran.out, 1, true)
    end
  end)

  it("has specs lie beside actions, which are no actions", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      write(w, 'it("good", function() end)')
      local ran = w:run { "list", "--actions-path", w.folder }
      assert.matches("\nasker ", ran.out)
      assert.is_nil((ran.out .. ran.err):find("_spec", 1, true))
    end)
  end)

  it("has a spec find the modules of its folder", function()
    workspace.with(function(w)
      assert(os.execute("mkdir " .. program.quote(w:path "policy")))
      w:write("policy/weights.lua", "return { major = 3 }")
      w:write("policy/broken.lua", "return {")
      write(w, [[it("finds", function()
        assert.equal(3, require("policy.weights").major)
        assert.has_error(function() require "policy.none" end)
        local _, message = pcall(require, "policy.broken")
        assert.matches("broken.lua:1:", message, 1, true)
      end)]])
      local ran = w:run { "test", w.folder }
      assert.equal(0, ran.exit, ran.out .. ran.err)
    end)
  end)

  local function left_in(w)
    local pipe = assert(io.popen("ls " .. program.quote(w:path "tmp")))
    local names = pipe:read "a"
    pipe:close()
    return names
  end

  local function with_temporary(use)
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "", TMPDIR = w:path "tmp" }
      assert(os.execute("mkdir " .. program.quote(w:path "tmp")))
      use(w)
    end)
  end

  it("leaves nothing behind", function()
    with_temporary(function(w)
      write(w, [[it("asks", function() ask { { url = URL, json = { score = 1 } } } end)
        it("fails", function() ask {} end)]])
      assert.equal(1, w:run({ "test", w.folder }).exit)
      assert.equal("", left_in(w))
    end)
  end)

  it("ends in order when it is told to, and removes what is its own", function()
    with_temporary(function(w)
      write(w, ([[it("waits", function()
        io.open(%q, "w"):write("begun"):close()
        ask({ { url = URL, json = { score = 1 } } }, { scenario = { latency_ms = 600000 } })
      end)
      it("does not begin", function() ask {} end)]]):format(w:path "begun"))
      local process = program.start({ "test", w.folder }, w:environment())
      assert.is_truthy(simulator.wait("test -s " .. program.quote(w:path "begun"), 20))
      process:signal "TERM"
      local ran = process:wait(20)
      assert.equal(128 + 15, ran.exit)
      assert.matches("interrupted", ran.out)
      assert.matches("0 successes / 0 failures / 2 errors", ran.out)
      assert.equal("", left_in(w))
    end)
  end)

  it("says so where it can make no folder", function()
    with_temporary(function(w)
      write(w, 'it("good", function() end)')
      w.env.TMPDIR = w:path "nowhere"
      local ran = w:run { "test", w.folder }
      assert.equal(2, ran.exit)
      assert.matches("^apogee: error: " .. w:path "nowhere" .. "/apogee%-test%-%w+: [^\n]+\n$",
        ran.err)
    end)
  end)
end)

describe("apogee test --record", function()
  local KEY = "canary-4711-secret"

  local function with_service(use)
    workspace.with(function(w)
      service.with(w.folder, nil, function(s)
        w:write("asker.secret", KEY)
        assert(os.execute("chmod 600 " .. program.quote(w:path "asker.secret")))
        w:configure { virustotal = { url = "http://127.0.0.1:1" },
          secrets = { asker_key = "file:" .. w:path "asker.secret" } }
        use(w, s)
      end)
    end)
  end

  it("keeps what a service answered without secrets, and plays it without a network", function()
    with_service(function(w, s)
      write(w, [[it("asks", function()
        local run = ask(testing.cassette "asker_cassette.lua")
        assert.outcome(run, "198.51.100.7", "failed", "it answered 418")
        assert.requests(run, { "GET " .. URL .. "?ip=198.51.100.7" })
      end)]], s.host, s.url .. "/status/418")
      assert.equal(1, w:run({ "test", w.folder }).exit)
      assert.same({}, s:requests())
      local ran = w:run { "test", "--record", w.folder }
      assert.equal(0, ran.exit, ran.out .. ran.err)
      assert.equal(KEY, s:requests()[1].headers.key)
      ran = w:run { "test", w.folder }
      assert.equal(0, ran.exit, ran.out .. ran.err)
      assert.equal(1, #s:requests())
    end)
  end)

  it("masks a secret that is sent back", function()
    with_service(function(w, s)
      write(w, [[it("asks", function() ask(testing.cassette "asker_cassette.lua") end)]], s.host,
        s.url .. "/echo")
      assert.equal(0, w:run({ "test", "--record", w.folder }).exit)
      local recorded = assert(program.read(w:path "asker_cassette.lua"))
      assert.is_nil(recorded:find("canary", 1, true))
      assert.is_truthy(recorded:find("***", 1, true))
      assert.is_truthy(recorded:find("GET /echo?ip=198.51.100.7", 1, true))
      assert.is_nil(recorded:find("x-echo", 1, true))
      assert.is_truthy(recorded:find("x-ratelimit-***", 1, true), recorded)
      w:write("asker_cassette.lua", (recorded:gsub("ip=198", "ip=199")))
      local ran = w:run { "test", w.folder }
      assert.equal(1, ran.exit)
      assert.matches("no answer is given for GET " .. s.url .. "/echo?ip=198.51.100.7; "
        .. "the nearest is GET " .. s.url .. "/echo?ip=199", ran.out, 1, true)
    end)
  end)
end)

describe("a run with --simulate", function()
  it("gives the answers of its scenario, and logs requests without secrets", function()
    workspace.with(function(w)
      w:write("asker.secret", "canary-4711-secret")
      assert(os.execute("chmod 600 " .. program.quote(w:path "asker.secret")))
      w:configure { virustotal = { url = "http://127.0.0.1:1" },
        secrets = { asker_key = "file:" .. w:path "asker.secret" } }
      w:write("asker.lua", ACTION:format(HOST, URL))
      local scenario = w:write("scenario.lua",
        'return { http = { { url = "' .. URL .. '", json = { score = 77, list = {} } } } }')
      local args = { "action", w:path "asker.lua", "--entity", "ip_address:198.51.100.7",
        "--format", "json", "--scenario", scenario, "--request-log", w:path "requests" }
      local ran = w:run(args)
      assert.equal(2, ran.exit)
      assert.matches("goes with %-%-simulate", ran.err)
      table.insert(args, "--simulate")
      local document = w:json(args)
      assert.equal(77, document.entities[1].enrichment.Service.score)
      local requests = w:requests()
      assert.equal(2, #requests)
      assert.same({ "asker", "GET", URL .. "?ip=198.51.100.7", 200, '{"list":[],"score":77}' }, {
        requests[1].service, requests[1].method, requests[1].url, requests[1].status,
        requests[1].answer.body })
      assert.is_nil(program.read(w:path "requests"):find("canary", 1, true))
    end)
  end)

  it("reaches nobody where the scenario says nothing of services", function()
    workspace.with(function(w)
      w:write("asker.secret", "canary-4711-secret")
      assert(os.execute("chmod 600 " .. program.quote(w:path "asker.secret")))
      w:configure { virustotal = { url = "http://127.0.0.1:1" },
        secrets = { asker_key = "file:" .. w:path "asker.secret" } }
      w:write("asker.lua", ACTION:format(HOST, URL))
      local document = w:json { "action", w:path "asker.lua", "--entity",
        "ip_address:198.51.100.7", "--format", "json", "--simulate", "--scenario",
        w:write("scenario.lua", "return {}") }
      assert.equal("denied", document.entities[1].outcome)
      for text, message in pairs {
        ['return { http = "real" }'] = "must be a list",
        ['return { http = { { json = {} } } }'] = "http[1].url is missing",
        ['return { http = {}, --[[asked]] }'] = "does not go with the answers of a scenario",
      } do
        local args = { "action", w:path "asker.lua", "--entity", "ip_address:198.51.100.7",
          "--simulate", "--scenario", w:write("scenario.lua", text) }
        if text:find "asked" then table.insert(args, "--ask-services") end
        local ran = w:run(args)
        assert.equal(2, ran.exit)
        assert.matches(message, ran.err, 1, true)
      end
      local ran = w:run { "action", w:path "asker.lua", "--entity", "ip_address:198.51.100.7",
        "--ask-services" }
      assert.equal(2, ran.exit)
      assert.matches("--ask-services goes with --simulate", ran.err, 1, true)
    end)
  end)
end)
