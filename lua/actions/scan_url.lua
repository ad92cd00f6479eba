-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"
local engines = require "apogee.engines"
local enrichment = require "apogee.enrichment"
local rescan = require "apogee.rescan"
local scan = require "apogee.scan"
local threshold = require "apogee.threshold"
local verdict = require "apogee.verdict"

local function score_of(report)
  local positives = math.tointeger(tonumber(report.positives))
  local total = math.tointeger(tonumber(report.total))
  return positives and total and positives .. "/" .. total or nil
end

local FIELDS = {
  { "Scan date", "scan_date" },
  { "Last Scan Date", "scan_date" },
  { "Scan ID", "scan_id" },
  { "risk_score", "positives" },
  { "Risk Score", score_of },
  { "Total", "total" },
  { "Online Link", "permalink" },
  { "Scanned Url", "url" },
  { "resource", "resource" },
  { "verbose_msg", "verbose_msg" },
  { "Detecting Engines", engines.detecting_text },
  { "File Scan ID", "filescan_id" },
}

-- The platform upper-cases identifiers, and the case of a path matters.
local function url_of(entity)
  local original = entity.properties and entity.properties.OriginalIdentifier
  if entity.original_identifier then return entity.original_identifier end
  return type(original) == "string" and original or entity.identifier
end

local function flow_of(ctx, entity, url)
  local may_submit = ctx.params.submit_unknown and not entity.internal
  return {
    kind = "url",
    resource = url,
    rescan_after_days = ctx.params.rescan_after_days,
    look_up = function() return vt.url_report(url) end,
    rescan = function(report) return vt.url_scan(url, { report = report }) end,
    submit = may_submit and function() return vt.url_scan(url) end or nil,
  }
end

return action {
  id = "scan_url",
  name = "Scan URL",
  provider = "VirusTotal",
  doc = "Looks a URL up at VirusTotal and marks it suspicious when enough engines call it "
    .. "malicious. A URL that VirusTotal does not know is submitted, and becomes public by that; "
    .. "an internal one is never submitted.",
  accepts = { "url" },
  needs = { "vt" },
  params = {
    threshold.param { required = true },
    rescan.param(),
    { "submit_unknown", type = "boolean", default = true, label = "Submit unknown",
      doc = "Submit a URL that VirusTotal does not know. A submitted URL becomes public." },
  },
  returns = "is_risky",
  outputs = enrichment.names(FIELDS),

  run = function(ctx, entity)
    local url = url_of(entity)
    local outcome = scan.run(ctx, flow_of(ctx, entity, url))
    if outcome.report then verdict.write(ctx, entity, url, outcome.report, FIELDS) end
    return outcome
  end,
}
