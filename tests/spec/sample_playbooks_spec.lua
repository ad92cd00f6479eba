-- The sample playbooks beside triage, against the packaged actions.
-- SPDX-License-Identifier: Apache-2.0
local engines = require "spec.support.engines"
local fake = require "spec.support.engine"
local fake_files = require "spec.support.files"
local main = require "apogee.main"

local ACTIONS = { "scan_hash", "scan_url", "scan_ip", "get_domain_report", "upload_and_scan_file" }

local function read(path)
  local file = assert(io.open(path))
  local source = file:read "a"
  file:close()
  return source
end

--- Runs a playbook; asked[name] is the list of what vt.NAME was asked for.
local function run(name, given)
  local asked = {}
  local vt = { comments = function() return {} end, engines = engines }
  for call, answer in pairs(given.vt) do
    asked[call] = {}
    vt[call] = function(what, ...)
      table.insert(asked[call], what)
      return answer(what, ...)
    end
  end
  local files = { ["/playbooks/" .. name .. ".lua"] = read("playbooks/" .. name .. ".lua") }
  for _, id in ipairs(ACTIONS) do
    files["/actions/" .. id .. ".lua"] = read("lua/actions/" .. id .. ".lua")
  end
  local memory = fake_files.new { files = given.files, entries = given.entries }
  local engine = fake.new {
    files = files, vt = vt, entities = given.entities, files_module = memory.module,
    sftp = memory.sftp,
  }
  local exit, message = main.run(engine, { command = "run", target = name, params = given.params })
  return exit, engine, asked, message
end

local function reports(positives)
  return function()
    return { positives = positives, total = 60, scan_date = "2024-03-01 10:00:00" }
  end
end

local function hosts(...)
  local entities = {}
  for _, name in ipairs { ... } do
    table.insert(entities,
      { identifier = name, type = "hostname", domains = { registrable = name } })
  end
  return entities
end

local function urls(...)
  local entities = {}
  for _, url in ipairs { ... } do table.insert(entities, { identifier = url, type = "url" }) end
  return entities
end

describe("enrichment", function()
  local VT = { file_report = reports(0), url_report = reports(0), ip_report = function()
    return { detected_urls = {} }
  end, domain_report = function() return {} end }

  it("leaves internal assets and well-known hosts out", function()
    local entities =
      hosts("evil.example", "google.com", "WWW.GitHub.com.", "google.com.evil.example")
    table.insert(entities, { identifier = "srv.local", type = "hostname", internal = true })
    table.insert(entities, { identifier = "10.0.0.1", type = "ip_address", internal = true })
    local exit, _, asked = run("enrichment", { vt = VT, entities = entities })
    assert.equal(0, exit)
    assert.same({ "evil.example", "google.com.evil.example" }, asked.domain_report)
    assert.same({}, asked.ip_report)
  end)

  it("leaves a URL out by its real host only", function()
    local _, _, asked = run("enrichment", { vt = VT, entities = urls(
      "https://www.google.com/search", "http://GOOGLE.com:8080/", "http://google.com@evil.example/",
      "http://evil.example/google.com", "http://evil.example\\@google.com/",
      "https://sites.google.com/phish", "http://a@b@google.com/") })
    assert.same({
      "http://google.com@evil.example/", "http://evil.example/google.com",
      "http://evil.example\\@google.com/", "https://sites.google.com/phish",
    }, asked.url_report)
  end)

  it("raises the score and tags the case when something is risky", function()
    local exit, engine = run("enrichment", {
      vt = { file_report = reports(9), url_report = reports(0) },
      entities = { { identifier = ("a"):rep(32), type = "filehash" } },
    })
    assert.equal(0, exit)
    assert.same({ "VirusTotal: risky hashes" }, engine.finished.tags)
    assert.equal(40, engine.finished.score)
    assert.equal(1, #engine.insights)
  end)

  it("leaves a clean case alone", function()
    local _, engine = run("enrichment", { vt = VT, entities = hosts "a.example" })
    assert.same({}, engine.finished.tags)
    assert.equal(0, engine.finished.score)
    assert.same({}, engine.insights)
  end)

  it("says when it could not check everything", function()
    local exit, engine = run("enrichment", {
      vt = { domain_report = function() return nil, "no", "server" end },
      entities = hosts "a.example",
    })
    assert.equal(1, exit)
    assert.same({ "incomplete" }, engine.finished.tags)
  end)
end)

describe("nightly_watchlist", function()
  local ENTITIES = {
    { identifier = ("a"):rep(32), type = "filehash" },
    { identifier = "evil.example", type = "hostname", domains = { registrable = "evil.example" } },
  }

  local function nightly(positives, days)
    return run("nightly_watchlist", {
      entities = ENTITIES, params = days and { { "rescan_after_days", days } },
      vt = {
        file_report = reports(positives), domain_report = function() return {} end,
        file_rescan = function() return { scan_id = "s" } end, await = reports(positives),
      },
    })
  end

  it("has a hash scanned again only when its report is old", function()
    local _, _, asked = nightly(0)
    assert.same({}, asked.file_rescan)
    _, _, asked = nightly(0, "9")
    assert.equal(1, #asked.file_rescan)
  end)

  it("tags a hit, and says which it is", function()
    local exit, engine, asked = nightly(5)
    assert.equal(0, exit)
    assert.same({ "watchlist hit" }, engine.finished.tags)
    assert.matches(("a"):rep(32), engine.insights[1].body)
    assert.same({ "evil.example" }, asked.domain_report)
  end)
end)

describe("quarantine_sweep", function()
  local PARAMS = { { "server", "files:22" }, { "user", "ana" }, { "folder", "/q" } }
  local ENTRIES = { { name = "a", type = "file" }, { name = "b", type = "file" } }
  local FILES = { ["/q/a"] = {}, ["/q/b"] = {}, ["/tmp/c"] = {} }

  it("asks for each file of the folder, and sends only what is not known", function()
    local sent = {}
    local exit, engine, asked = run("quarantine_sweep", {
      params = PARAMS, entries = ENTRIES, files = FILES,
      vt = {
        file_report = function(hash)
          if hash:find "a$" then return nil, "not known", "not_found" end
          return reports(9)()
        end,
        file_scan = function(source)
          table.insert(sent, source.name)
          return { scan_id = "s", sha256 = "x" }
        end,
        await = reports(0),
      },
    })
    assert.equal(0, exit)
    assert.equal(2, #asked.file_report)
    assert.same({ "/q/a" }, sent)
    assert.same({ "malicious" }, engine.finished.tags)
    assert.equal(70, engine.finished.score)
    assert.matches("/q/b", engine.insights[1].body)
  end)

  it("takes files of the case", function()
    local exit, engine, asked = run("quarantine_sweep", {
      files = FILES, entities = { { identifier = "/tmp/c", type = "file" } },
      vt = { file_report = reports(0) },
    })
    assert.equal(0, exit)
    assert.same({ "sha256 of /tmp/c" }, asked.file_report)
    assert.same({}, engine.finished.tags)
  end)

  it("is incomplete when the folder cannot be listed", function()
    local exit, engine = run("quarantine_sweep", { params = PARAMS, vt = {} })
    assert.equal(1, exit)
    assert.same({ "incomplete" }, engine.finished.tags)
  end)
end)
