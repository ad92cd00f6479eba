-- SPDX-License-Identifier: Apache-2.0
local context = require "apogee.context"
local entity_of = require "spec.support.entity"
local fake_files = require "spec.support.files"
local fake_vt = require "spec.support.vt"
local scripts = require "spec.support.scripts"

local REPORT = {
  sha256 = "275a", sha1 = "3395", md5 = "44d8", resource = "275a", scan_id = "275a-1",
  permalink = "https://www.virustotal.com/gui/file/275a", scan_date = "2024-03-10 11:00:00",
  verbose_msg = "Scan finished", total = 60, positives = 54,
  scans = { Bkav = { detected = true }, AVG = { detected = false } },
}
local RECEIPT = { scan_id = "275a-1", resource = "275a", sha256 = "275a" }

local function prepared(given)
  local fake = fake_files.new(given)
  local vt = fake_vt.new(given.answers or {})
  local manifest, env = scripts.action("upload_and_scan_file", vt)
  rawset(env, "files", fake.module)
  rawset(env, "sftp", fake.sftp)
  local params = { threshold = 3, upload = "always", file_paths = { "/q/a.exe" } }
  for key, value in pairs(given.params or {}) do params[key] = value end
  local warnings = {}
  local ctx = context.new {
    action = manifest, params = params,
    warn = function(text) table.insert(warnings, text) end,
  }
  return manifest, ctx, fake, vt, warnings
end

local function run(given)
  given.files = given.files or { ["/q/a.exe"] = {} }
  local manifest, ctx, fake, vt = prepared(given)
  local entity = entity_of { identifier = given.path or "/q/a.exe", type = "file" }
  return manifest.run(ctx, entity), entity, vt, fake
end

describe("upload_and_scan_file", function()
  it("sends a file, waits by its receipt, and writes the page's fields", function()
    local outcome, entity, vt, fake = run {
      answers = { file_scan = { { RECEIPT } }, await = { { REPORT } } },
    }
    assert.equal("scanned", outcome.outcome)
    assert.same({ "file_scan", "await" }, fake_vt.names(vt))
    assert.same({ "open /q/a.exe", "close /q/a.exe" }, fake.log)
    assert.equal(RECEIPT, vt.calls[2][3])
    assert.equal("275a", vt.calls[2][4].resource)
    assert.same({
      resource = "275a", permalink = REPORT.permalink, positives = 54, total = 60, Total = 60,
      verbose_msg = "Scan finished", ["Scan date"] = REPORT.scan_date, ["Scan ID"] = "275a-1",
      Md5 = "44d8", Sha1 = "3395", Sha256 = "275a", ["Detecting Engines"] = "Bkav",
    }, entity.enrichment)
    assert.is_true(entity.suspicious)
    assert.equal("warn", entity.insights[1].severity)
    assert.equal(REPORT.permalink, entity.url)
  end)

  for _, case in ipairs {
    { 53, true }, { 54, true }, { 55, false },
  } do
    it(("is %s risky with a threshold of %d and 54 detections")
      :format(case[2] and "" or "not", case[1]), function()
      local _, entity = run {
        answers = { file_scan = { { RECEIPT } }, await = { { REPORT } } },
        params = { threshold = case[1] },
      }
      assert.equal(case[2], entity.suspicious)
      assert.equal(case[2] and 1 or 0, #entity.insights)
    end)
  end

  for _, case in ipairs {
    { "a missing file", nil, "failed", "there is no such file" },
    { "one closed to us", { code = "forbidden", message = "may not be read" }, "failed",
      "may not be read" },
    { "a folder", { code = "invalid", message = "is a folder" }, "failed", "is a folder" },
    { "an empty one", { size = 0 }, "skipped", "the file is empty" },
    { "one that the end of the run cut off", { code = "deadline", message = "late" }, "not_asked",
      "late" },
  } do
    it("ends " .. case[1] .. " as " .. case[3] .. ", with nothing asked", function()
      local outcome, _, vt = run { files = { ["/q/a.exe"] = case[2] } }
      assert.equal(case[3], outcome.outcome)
      assert.equal(case[4], outcome.reason)
      assert.same({}, vt.calls)
    end)
  end

  for _, case in ipairs {
    { "too_large", "failed" }, { "io", "failed" }, { "rejected", "failed" },
    { "not_found", "failed" }, { "limited", "limited" }, { "forbidden", "forbidden" },
    { "queued", "pending" }, { "canceled", "not_asked" }, { "network", "failed" },
  } do
    it("ends an upload that is " .. case[1] .. " as " .. case[2], function()
      local outcome = run { answers = { file_scan = { { nil, "why", case[1] } } } }
      assert.equal(case[2], outcome.outcome)
      assert.equal("why", outcome.reason)
    end)
  end

  it("is pending when the scan is not finished in time", function()
    local outcome = run {
      answers = { file_scan = { { RECEIPT } }, await = { { nil, "still queued", "queued" } } },
    }
    assert.equal("pending", outcome.outcome)
    assert.equal("still queued", outcome.reason)
  end)

  describe("that asks first", function()
    for _, upload in ipairs { "unknown", "never" } do
      it("reports what is known, with upload = " .. upload, function()
        local outcome, entity, vt = run {
          answers = { file_report = { { REPORT } } }, params = { upload = upload },
        }
        assert.equal("reported", outcome.outcome)
        assert.same({ "file_report" }, fake_vt.names(vt))
        assert.equal("sha256 of /q/a.exe", vt.calls[1][2])
        assert.is_true(entity.suspicious)
      end)
    end

    it("sends what is not, with upload = unknown", function()
      local outcome, _, vt, fake = run {
        answers = {
          file_report = { { nil, "not known", "not_found" } }, file_scan = { { RECEIPT } },
          await = { { REPORT } },
        },
        params = { upload = "unknown" },
      }
      assert.equal("scanned", outcome.outcome)
      assert.same({ "file_report", "file_scan", "await" }, fake_vt.names(vt))
      assert.same({ "open /q/a.exe", "digests /q/a.exe", "close /q/a.exe" }, fake.log)
    end)

    it("leaves what is not, with upload = never", function()
      local outcome, _, vt = run {
        answers = { file_report = { { nil, "not known", "not_found" } } },
        params = { upload = "never" },
      }
      assert.equal("not_found", outcome.outcome)
      assert.same({ "file_report" }, fake_vt.names(vt))
    end)

    it("waits for what is queued already, and sends nothing", function()
      local outcome, _, vt = run {
        answers = {
          file_report = { { nil, "queued", "queued", "275a-9" } }, await = { { REPORT } },
        },
        params = { upload = "unknown" },
      }
      assert.equal("reported", outcome.outcome)
      assert.equal("275a-9", vt.calls[2][3])
    end)

    it("fails what cannot be read to its end", function()
      local outcome, _, vt = run {
        files = { ["/q/a.exe"] = { broken = "it changed" } }, params = { upload = "unknown" },
      }
      assert.equal("failed", outcome.outcome)
      assert.equal("it changed", outcome.reason)
      assert.same({}, vt.calls)
    end)
  end)

  describe("of another machine", function()
    local REMOTE = { linux_server_address = "files:2222", linux_user = "ana" }

    local function remote(more)
      local params = {}
      for key, value in pairs(REMOTE) do params[key] = value end
      for key, value in pairs(more or {}) do params[key] = value end
      return params
    end

    for _, case in ipairs {
      { "by the agent without key and password", {}, { agent = true } },
      { "by a password", { linux_password = "***" }, { agent = false, password = "***" } },
      { "by a key", { ssh_key = "/k", ssh_key_passphrase = "***" },
        { agent = false, key = "/k", key_passphrase = "***" } },
      { "that it trusts by a pin", { ssh_host_key = "SHA256:x" },
        { agent = true, host_key = "SHA256:x" } },
    } do
      it("logs in " .. case[1], function()
        local _, _, _, fake = run {
          params = remote(case[2]),
          answers = { file_scan = { { RECEIPT } }, await = { { REPORT } } },
        }
        local wanted = { host = "files", port = 2222, user = "ana" }
        for key, value in pairs(case[3]) do wanted[key] = value end
        assert.same({ wanted }, fake.opened)
      end)
    end

    for _, code in ipairs { "denied", "forbidden", "not_found", "network", "timeout" } do
      it("fails with the reason when the connection is " .. code, function()
        local outcome, _, vt = run { params = remote(), refusal = { "the reason", code } }
        assert.equal("failed", outcome.outcome)
        assert.equal("the reason", outcome.reason)
        assert.same({}, vt.calls)
      end)
    end

    it("takes the regular files of a folder, in order, after those named", function()
      local manifest, ctx, _, _, warnings = prepared {
        params = remote { folder = "/q" }, is_cut = true,
        entries = {
          { name = "b", type = "file" }, { name = "d", type = "folder" },
          { name = "l", type = "link" }, { name = "a", type = "file" },
        },
      }
      assert.same({ "/q/a.exe", "/q/a", "/q/b" }, manifest.each(ctx.params, ctx))
      assert.matches("only 10000", warnings[1])
    end)

    it("takes a folder that cannot be listed as the item, which fails", function()
      local manifest, ctx = prepared { params = remote { folder = "/q/", file_paths = {} } }
      local items = manifest.each(ctx.params, ctx)
      assert.same({ "/q/" }, items)
      local outcome = manifest.run(ctx, entity_of { identifier = items[1], type = "file" })
      assert.equal("failed", outcome.outcome)
      assert.equal("there is no such folder", outcome.reason)
    end)
  end)

  describe("refuses", function()
    for _, case in ipairs {
      { "no file", { file_paths = {} }, "file_paths: there are none" },
      { "a user alone", { linux_user = "ana" }, "linux_user: is given without" },
      { "a folder alone", { folder = "/q" }, "folder: is given without" },
      { "an address alone", { linux_server_address = "h" }, "linux_user: is needed" },
      { "a bad address", { linux_server_address = "h:x", linux_user = "u" }, "must be host" },
      { "a passphrase alone",
        { linux_server_address = "h", linux_user = "u", ssh_key_passphrase = "***" },
        "ssh_key_passphrase: is given without" },
    } do
      it(case[1], function()
        local manifest, ctx = prepared { params = case[2] }
        local problem = manifest.validate(ctx.params)
        assert.is_truthy(problem:find(case[3], 1, true), problem)
      end)
    end

    it("nothing that is in order", function()
      local manifest, ctx = prepared { params = { linux_server_address = "h", linux_user = "u" } }
      assert.is_nil(manifest.validate(ctx.params))
    end)
  end)
end)
