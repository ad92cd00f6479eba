-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"
local engines = require "apogee.engines"
local enrichment = require "apogee.enrichment"
local rescan = require "apogee.rescan"
local scan = require "apogee.scan"
local threshold = require "apogee.threshold"
local verdict = require "apogee.verdict"

local FIELDS = {
  { "permalink", "permalink" },
  { "sha1", "sha1" },
  { "resource", "resource" },
  { "Scan date", "scan_date" },
  { "Scan ID", "scan_id" },
  { "verbose_msg", "verbose_msg" },
  { "total", "total" },
  { "positives", "positives" },
  { "sha256", "sha256" },
  { "md5", "md5" },
  { "Detecting Engines", engines.detecting_text },
}

local IS_LENGTH = { [32] = true, [40] = true, [64] = true }

local function hash_of(identifier)
  local hash = identifier:match "^%s*(%x+)%s*$"
  if hash and IS_LENGTH[#hash] then return hash:lower() end
end

local function flow_of(ctx, hash)
  return {
    kind = "file",
    resource = hash,
    rescan_after_days = ctx.params.rescan_after_days,
    look_up = function() return vt.file_report(hash) end,
    rescan = function(report) return vt.file_rescan(hash, { report = report }) end,
  }
end

return action {
  id = "scan_hash",
  name = "Scan Hash",
  provider = "VirusTotal",
  doc = "Looks a file hash up at VirusTotal and marks it suspicious when enough engines call the "
    .. "file malicious. A report that is too old can be scanned again, which needs a premium key.",
  accepts = { "filehash" },
  needs = { "vt" },
  params = { threshold.param { required = true }, rescan.param() },
  returns = "is_risky",
  outputs = enrichment.names(FIELDS),

  run = function(ctx, entity)
    local hash = hash_of(entity.identifier)
    if not hash then
      return ctx.skipped("not an MD5, SHA-1 or SHA-256: 32, 40 or 64 hexadecimal digits")
    end
    local outcome = scan.run(ctx, flow_of(ctx, hash))
    if outcome.report then verdict.write(ctx, entity, hash, outcome.report, FIELDS) end
    return outcome
  end,
}
