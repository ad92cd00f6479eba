-- SPDX-License-Identifier: Apache-2.0
local entity_of = require "spec.support.entity"
local scripts = require "spec.support.scripts"

local dry_of = scripts.environment().require "apogee.dry"
local context = require "apogee.context"

local HASH = ("0"):rep(32)
local URL = "http://example.com/"

local function new_dry(given)
  local cache = given.cache or {}
  local engine = {
    cached = function(call, resource)
      local found = cache[call .. " " .. resource]
      if found == nil then return false end
      if found == "not_found" then return nil, "not known", "not_found" end
      return found
    end,
    denies = given.denies or function() return nil end,
  }
  local facts = { comments = given.comments or "none", keeps = given.keeps ~= false, list = 4,
    engines = function() end }
  local dry = dry_of.new(engine, facts)
  dry:enter(1, true)
  return dry
end

local function explore(dry, id, entity, params)
  local manifest = scripts.action(id, dry:module())
  local ctx = context.new {
    action = manifest, params = params or {}, warn = function() end,
  }
  return dry:explore(entity.identifier, manifest.run, ctx, entity_of(entity))
end

local function hash_entity() return { identifier = HASH, type = "filehash" } end
local function url_entity() return { identifier = URL, type = "url" } end

local function range(found) return found.quota.least .. "-" .. found.quota.most end

describe("a vt that asks nobody", function()
  local OLD = { response_code = 1, scan_date = "2001-01-01 00:00:00", positives = 0, total = 9 }
  local cases = {
    { "a look-up", "scan_hash", hash_entity, {}, {}, "1-1", { ["look_up file_report"] = 1 } },
    { "a rescan, with its poll, where the report may be old", "scan_hash", hash_entity,
      { rescan_after_days = 7 }, {}, "1-3",
      { ["look_up file_report"] = 1, ["rescan file_rescan"] = 1, ["poll file_report"] = 1 } },
    { "a rescan of all there is", "scan_hash", hash_entity, { rescan_after_days = 0 }, {}, "1-3" },
    { "what is cached as nothing", "scan_hash", hash_entity, {},
      { cache = { ["file_report " .. HASH] = OLD } }, "0-0", {} },
    { "a rescan of what is cached and old as sure", "scan_hash", hash_entity,
      { rescan_after_days = 7 }, { cache = { ["file_report " .. HASH] = OLD } }, "2-2",
      { ["rescan file_rescan"] = 1, ["poll file_report"] = 1 } },
    { "a submission where the URL may be unknown", "scan_url", url_entity,
      { submit_unknown = true }, {}, "1-3",
      { ["look_up url_report"] = 1, ["submission url_scan"] = 1, ["poll url_report"] = 1 } },
    { "the submission of a URL that is known to be unknown as sure", "scan_url", url_entity,
      { submit_unknown = true }, { cache = { ["url_report " .. URL] = "not_found" } }, "2-2" },
    { "no submission where none is wanted", "scan_url", url_entity, { submit_unknown = false }, {},
      "1-1" },
    { "comments where the key has them", "scan_hash", hash_entity, {}, { comments = "all" }, "1-2",
      { ["look_up file_report"] = 1, ["comments comments"] = 1 } },
    { "comments of the risky as possible", "scan_hash", hash_entity, {}, { comments = "risky" },
      "1-2" },
    { "no comments of what is cached and not risky", "scan_hash", hash_entity, {},
      { comments = "risky", cache = { ["file_report " .. HASH] = OLD } }, "0-0" },
    { "nothing of what is skipped", "scan_ip",
      function() return { identifier = "10.0.0.1", type = "ip_address", internal = true } end, {},
      {}, "0-0", {} },
  }
  for _, case in ipairs(cases) do
    local name, id, entity, params, given, quota, most = table.unpack(case)
    it("counts " .. name, function()
      params.threshold = 3
      local found = explore(new_dry(given), id, entity(), params)
      assert.is_nil(found.problem)
      assert.equal(quota, range(found))
      if most then assert.same(most, found.most) end
    end)
  end

  it("returns what the action returned in the first way", function()
    local _, outcome = explore(new_dry {}, "scan_ip",
      { identifier = "10.0.0.1", type = "ip_address", internal = true }, { threshold = 3 })
    assert.equal("skipped", outcome.outcome)
    assert.equal("an internal address", outcome.reason)
  end)

  it("counts what two entities ask for once, and an entity's own ways together", function()
    local dry = new_dry {}
    local vt = dry:module()
    local function run() return vt.domain_report "example.com" end
    assert.equal("1-1", range((dry:explore("a", run))))
    local second = dry:explore("b", run)
    assert.equal("0-0", range(second))
    assert.equal(1, second.shared)
  end)

  it("finds again in a later step what is kept, unless the step may not have run", function()
    for _, case in ipairs {
      { keeps = true, is_sure = true, expected = "0-0" },
      { keeps = false, is_sure = true, expected = "1-1" },
      { keeps = true, is_sure = false, expected = "1-1" },
    } do
      local dry = new_dry(case)
      local vt = dry:module()
      local function run() return vt.ip_report "192.0.2.1" end
      dry:enter(1, case.is_sure)
      dry:explore("a", run)
      dry:enter(2, true)
      assert.equal(case.expected, range((dry:explore("a", run))))
    end
  end)

  it("asks anew for what is not to come from the cache", function()
    local dry = new_dry { cache = { ["ip_report 192.0.2.1"] = OLD } }
    local vt = dry:module()
    local found = dry:explore("a", function() vt.ip_report("192.0.2.1", { cache = false }) end)
    assert.equal("1-1", range(found))
  end)

  it("adds up the bytes of uploads", function()
    local dry = new_dry {}
    local vt = dry:module()
    local found = dry:explore("a", function()
      local receipt = vt.file_scan { name = "a.bin", size = 100 }
      vt.await("file", receipt)
    end)
    assert.equal(100, found.bytes)
    assert.same({ ["upload file_scan"] = 1, ["poll file_report"] = 1 }, found.most)
  end)

  it("tells what an action raises, and goes on with the other ways", function()
    local dry = new_dry {}
    local vt = dry:module()
    local found = dry:explore("a", function()
      local report = vt.file_report(HASH)
      if report then error "boom" end
      vt.url_scan(URL)
    end)
    assert.matches("boom", found.problem)
    assert.equal("1-2", range(found))
  end)

  it("asks nothing that the policy denies, and says so", function()
    local dry = new_dry {
      denies = function(call, what, known)
        if call == "ip_report" then return "policy.lookup: deny" end
        if call == "url_scan" and not known.is_unknown then return "policy.submit: " .. what end
      end,
    }
    local vt = dry:module()
    local found, first = dry:explore("a", function()
      local _, message, code = vt.ip_report "192.0.2.1"
      return { message, code }
    end)
    assert.same({ "policy.lookup: deny", "denied" }, first)
    assert.equal("policy.lookup: deny", found.denied)
    assert.equal("0-0", range(found))
    found = dry:explore("b", function() return (vt.url_scan(URL)) end)
    assert.equal("policy.submit: " .. URL, found.denied)
    assert.equal("0-0", range(found))
    found = dry:explore("c", function()
      local _, _, code = vt.url_report(URL)
      return code == "not_found" and vt.url_scan(URL)
    end)
    assert.is_nil(found.denied)
    assert.equal("1-2", range(found))
  end)

  it("refuses to reach other hosts, and says that the cost is not known", function()
    local dry = new_dry {}
    local sftp = dry:refusing { "open" }
    local found, code = dry:explore("a", function()
      local _, _, why = sftp.open { host = "files.example.com" }
      return why
    end)
    assert.equal("denied", code)
    assert.matches("other hosts", found.problem)
  end)

  it("does not try ways without end", function()
    local dry = new_dry {}
    local vt = dry:module()
    local runs = 0
    local found = dry:explore("a", function()
      runs = runs + 1
      for i = 1, 40 do vt.ip_report("192.0.2." .. i) end
    end)
    assert.is_true(runs <= 27)
    assert.equal("40-40", range(found))
  end)
end)
