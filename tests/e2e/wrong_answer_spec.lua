-- Wrong turns on the way to VirusTotal: what answers in its place, and what does not.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"
local wrong = require "e2e.support.wrong"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local SCAN = { "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR }
local PING = { "ping" }

local PAGE = "{ status = 200, content_type = 'text/html', body = '<html>Log in</html>' }"

local function answering(step) return "return { answers = { ['* *'] = { " .. step .. " } } }" end

local function with_output(w, args)
  local words = table.move(args, 1, #args, 1, {})
  for _, word in ipairs { "--format", "json", "--output", w:path "result.json" } do
    table.insert(words, word)
  end
  return words
end

--- Runs both commands: the result is whole, and both say the same on standard error.
local function try(w, case)
  for _, command in ipairs { { SCAN, case.exit }, { PING, case.ping or case.exit } } do
    local ran = w:run(with_output(w, command[1]))
    wrong.check({ exit = command[2], says = case.says, also = case.also }, ran)
    assert.equal("", ran.out)
    local document = cjson.decode(program.read(w:path "result.json"))
    assert.equal(command[2] == 3 and "failed" or "completed", document.status)
    for _, entity in ipairs(document.entities) do
      assert.is_true(entity.outcome == "failed" or entity.outcome == "forbidden")
      assert.is_string(entity.reason)
    end
    os.remove(w:path "result.json")
  end
end

local function big(w)
  return w:write("big.json", '{"response_code": 1, "x": "' .. ("x"):rep(1 << 20) .. '"}')
end

local function deep(w) return w:write("deep.json", ("["):rep(1000) .. ("]"):rep(1000)) end

describe("what comes in VirusTotal's place:", function()
  for _, case in ipairs {
    { "a refusal of the key", step = "{ status = 403 }", exit = 3, says = "refused the key",
      also = { "Compare virustotal.api_key with the key on your VirusTotal profile" } },
    { "a web page", step = PAGE, exit = 1, ping = 3,
      says = "the answer is a web page, not JSON: is virustotal.url right" },
    { "a page that is not there", step = "{ status = 404, body = '<html>' }", exit = 1, ping = 3,
      says = "is virustotal.url right?", also = { "HTTP 404" } },
    { "a redirect", step = "{ status = 302 }", exit = 1, ping = 3,
      says = "which sends elsewhere", also = { "HTTP 302" } },
    { "a server that fails", step = "{ status = 502, body = '<html>' }", exit = 1, ping = 3,
      says = "the server answered HTTP" },
    { "nothing, without an end", step = "{ delay_ms = 3000 }", exit = 3, timeout = "100ms",
      says = "Operation timed out after", also = { "virustotal.proxy" } },
    { "half an answer", step = "{ cut = 'middle' }", exit = 3, says = "transfer closed with" },
    { "a connection that is cut at once", step = "{ cut = 'before' }", exit = 3,
      says = "Check the network" },
    { "text that is no JSON", step = "{ garbage = true }", exit = 1, ping = 3,
      says = "not valid JSON at byte" },
  } do
    it(case[1], function()
      workspace.simulated({
        scenario = answering(case.step),
        settings = { virustotal = { retries = 0, timeout = case.timeout } },
      }, function(w) try(w, case) end)
    end)
  end

  for _, case in ipairs {
    { "an answer over the cap", file = big, exit = 1, ping = 3,
      says = "the answer is larger than" },
    { "an answer nested a thousand deep", file = deep, exit = 1, ping = 3,
      says = "the JSON is nested more than 128 deep" },
  } do
    it(case[1], function()
      workspace.with(function(files)
        workspace.simulated({
          scenario = answering(("{ file = %q }"):format(case.file(files))),
          settings = { virustotal = { retries = 0 } },
        }, function(w) try(w, case) end)
      end)
    end)
  end

  it("a certificate that does not verify", function()
    workspace.simulated({ tls = true }, function(w)
      w:configure { virustotal = { url = w.url, retries = 0 } }
      try(w, {
        exit = 3, says = "SSL certificate problem", also = { "ca_file" },
      })
    end)
  end)

  it("nothing, because the proxy is in the environment only", function()
    workspace.with(function(w)
      w.env = { https_proxy = "http://127.0.0.1:9" }
      w:configure { virustotal = { url = "http://127.0.0.1:9/vtapi/v2", retries = 0 } }
      try(w, {
        exit = 3, says = "the environment names a proxy, which is ignored: set virustotal.proxy",
      })
    end)
  end)

  it("a CA file that is not there", function()
    workspace.simulated({ tls = true }, function(w)
      w:configure { virustotal = { url = w.url, retries = 0, ca_file = w:path "no.pem" } }
      try(w, { exit = 3, says = "error setting certificate file" })
    end)
  end)
end)

describe("certificates that are not verified", function()
  it("are a warning in every run and its record", function()
    workspace.simulated({ tls = true }, function(w)
      w:configure { virustotal = { url = w.url, verify_ssl = false } }
      local document, ran = w:json {
        "run", "triage", "--entity", EICAR, "--only", "hashes", "--format", "json",
      }
      wrong.check({ exit = 0, says = "TLS certificates are not verified" }, ran)
      assert.matches("not verified", document.warnings[1])
    end)
  end)
end)
