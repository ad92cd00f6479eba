-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"

local KEY = simulator.KEY
local EICAR = "44d88612fea8a8f36de82e1278abb02f"

--- The status and body of a request made with curl.
local function ask(arguments)
  local pipe = assert(io.popen("curl -s --noproxy '*' -m 10 -w '\\n%{http_code}' " .. arguments))
  local text = pipe:read "a"
  pipe:close()
  local body, status = text:match "^(.*)\n(%d+)$"
  return tonumber(status), body
end

describe("apogee simulate", function()
  it("answers a look-up of EICAR as malicious", function()
    simulator.with({}, function(url)
      assert.matches("^http://127%.0%.0%.1:%d+/vtapi/v2$", url)
      local status, body =
        ask(("'%s/file/report' -d apikey=%s -d resource=%s"):format(url, KEY, EICAR))
      assert.equal(200, status)
      local report = cjson.decode(body)
      assert.equal(1, report.response_code)
      assert.is_true(report.positives > 30)
    end)
  end)

  it("refuses what is no key, and spends a public key's minute", function()
    simulator.with({}, function(url)
      assert.equal(403, (ask(("'%s/file/report' -d apikey=x -d resource=a"):format(url))))
      local list = table.concat({ EICAR, EICAR, EICAR, EICAR }, ",")
      local request = ("'%s/file/report' -d apikey=%s -d resource=%s"):format(url, KEY, list)
      assert.equal(200, (ask(request)))
      assert.equal(204, (ask(request)))
    end)
  end)

  it("speaks HTTPS with a certificate that can be trusted", function()
    local ca = os.tmpname()
    simulator.with({ "--tls", "--ca-out", ca }, function(url)
      assert.matches("^https://", url)
      local request = ("'%s/ip-address/report?apikey=%s&ip=8.8.8.8'"):format(url, KEY)
      assert.equal(200, (ask(("--cacert %s %s"):format(ca, request))))
      assert.equal(0, (ask(request)))
    end)
    os.remove(ca)
  end)

  it("gives the answers of a scenario in turn", function()
    local scenario = program.file(
      "return { answers = { ['file/report *'] = { { status = 503 }, { pass = true } } } }"
    )
    simulator.with({ "--no-quota", "--scenario", scenario }, function(url)
      local request = ("'%s/file/report' -d apikey=%s -d resource=%s"):format(url, KEY, EICAR)
      assert.equal(503, (ask(request)))
      assert.equal(200, (ask(request)))
    end)
    os.remove(scenario)
  end)

  it("names the field of a scenario that is wrong", function()
    local scenario =
      program.file "return { answers = { ['file/report x'] = { { stauts = 500 } } } }"
    local ran = program.run { "simulate", "--scenario", scenario }
    os.remove(scenario)
    assert.equal(2, ran.exit)
    assert.matches('did you mean "status"', ran.err)
  end)

  it("takes uploads to a URL up to the size that it is told", function()
    local sample = program.file(("x"):rep(5000))
    for size, status in pairs { ["4KiB"] = 413, ["8KiB"] = 404 } do
      simulator.with({ "--premium", "--no-quota", "--upload-max", size }, function(url)
        local request = ("'%s/_ah/upload/00' -F apikey=%s -F file=@%s"):format(
          url:match "^%w+://[^/]+", KEY, sample)
        assert.equal(status, (ask(request)))
      end)
    end
    os.remove(sample)
    for _, size in ipairs { "0", "2GiB", "much" } do
      local ran = program.run { "simulate", "--upload-max", size }
      assert.equal(2, ran.exit)
      assert.matches("from 1B to 1GiB", ran.err)
    end
  end)

  it("refuses a port that is none", function()
    local ran = program.run { "simulate", "--port", "70000" }
    assert.equal(2, ran.exit)
    assert.matches("65535", ran.err)
  end)
end)

describe("a run with --simulate", function()
  local NOTE = "the simulator keeps a public key's 4 a minute; --tier premium does not wait"

  local function notes_of(count, ...)
    local args = { "action", "scan_hash", "--simulate", "--threshold", "3", "--no-state", ... }
    for number = 1, count do
      table.insert(args, "--entity")
      table.insert(args, ("%032x"):format(number))
    end
    local ran = program.run(args, nil, { HOME = "/nonexistent", APOGEE_CLOCK = "600" })
    assert.is_true(ran.exit == 0 or ran.exit == 1, ran.err)
    return select(2, ran.err:gsub(NOTE:gsub("%p", "%%%0"), ""))
  end

  it("says once that it waits as a public key does", function()
    assert.equal(1, notes_of(13))
  end)

  for what, case in pairs {
    ["does not wait"] = { 4 },
    ["has a tier that somebody chose"] = { 9, "--tier", "public" },
    ["is told to be quiet"] = { 9, "--quiet" },
    ["ends where quota is out"] = { 9, "--on-limit", "stop" },
  } do
    it("says nothing of that when it " .. what, function()
      assert.equal(0, notes_of(table.unpack(case)))
    end)
  end
end)
