-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local engines = require "spec.support.engines"
local main = require "apogee.main"

local function read(path)
  local file = assert(io.open(path))
  local source = file:read "a"
  file:close()
  return source
end

local function files()
  local result = { ["/playbooks/triage.lua"] = read "playbooks/triage.lua" }
  for _, id in ipairs { "scan_hash", "scan_url", "scan_ip", "get_domain_report" } do
    result["/actions/" .. id .. ".lua"] = read("lua/actions/" .. id .. ".lua")
  end
  return result
end

local function run(vt, params, only)
  vt.comments = function() return {} end
  vt.engines = engines
  vt.domain_report = vt.domain_report or function() return { response_code = 1 } end
  local engine = fake.new {
    files = files(), vt = vt,
    entities = {
      { identifier = ("a"):rep(32), type = "filehash" },
      { identifier = "http://a.example/", type = "url" },
      { identifier = "10.0.0.5", type = "ip_address", internal = true },
      { identifier = "mail.a.example", type = "hostname", domains = { registrable = "a.example" } },
      { identifier = "mail.local", type = "hostname", internal = true },
    },
  }
  local exit, message = main.run(engine, {
    command = "run", target = "triage", params = params, only = only,
  })
  return exit, engine, message
end

local function reports(positives)
  return function() return { positives = positives, total = 60 } end
end

describe("the sample playbook", function()
  it("tags and scores a case with something suspicious", function()
    local exit, engine = run { file_report = reports(9), url_report = reports(0) }
    assert.equal(0, exit)
    assert.same({ "malicious" }, engine.finished.tags)
    assert.equal(60, engine.finished.score)
    assert.equal(1, #engine.insights)
    assert.matches(("a"):rep(32), engine.insights[1].body)
  end)

  it("is incomplete when a look-up was left out", function()
    local vt = { file_report = reports(0), url_report = reports(0) }
    local _, engine = run(vt, nil, { "hashes", "verdict" })
    assert.same({ "incomplete" }, engine.finished.tags)
  end)

  it("leaves a clean case alone", function()
    local exit, engine = run { file_report = reports(2), url_report = reports(0) }
    assert.equal(0, exit)
    assert.same({}, engine.finished.tags)
    assert.equal(0, engine.finished.score)
    assert.same({}, engine.insights)
  end)

  for _, name in ipairs { "file_report", "url_report", "domain_report" } do
    it(("says when it could not check everything: %s failed"):format(name), function()
      local vt = { file_report = reports(0), url_report = reports(0) }
      vt[name] = function() return nil, "the server answered 503", "server" end
      local exit, engine = run(vt)
      assert.equal(1, exit)
      assert.same({ "incomplete" }, engine.finished.tags)
    end)
  end

  it("asks for the domains of host names that are not internal", function()
    local asked = {}
    run {
      file_report = reports(0), url_report = reports(0),
      domain_report = function(domain)
        table.insert(asked, domain)
        return {}
      end,
    }
    assert.same({ "a.example" }, asked)
  end)

  it("submits nothing unless it is told to", function()
    local submitted = 0
    local vt = {
      file_report = reports(0),
      url_report = function() return nil, "unknown", "not_found" end,
      url_scan = function()
        submitted = submitted + 1
        return {}
      end,
      await = reports(0),
    }
    run(vt)
    assert.equal(0, submitted)
    run(vt, { { "submit_unknown", "yes" } })
    assert.equal(1, submitted)
  end)
end)
