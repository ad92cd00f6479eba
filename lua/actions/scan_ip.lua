-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"
local enrichment = require "apogee.enrichment"
local sightings = require "apogee.sightings"
local threshold = require "apogee.threshold"

local list_of, text_of = sightings.list, sightings.text

local DETECTED = {
  "detected_urls", "detected_downloaded_samples", "detected_referrer_samples",
  "detected_communicating_samples",
}
local UNDETECTED = {
  "undetected_urls", "undetected_downloaded_samples", "undetected_referrer_samples",
  "undetected_communicating_samples",
}

-- A row of undetected_urls is { url, sha256, positives, total, date }.
local DATE_IN_ROW = 5

local function highest(report)
  local found = { detections = 0 }
  for _, key in ipairs(DETECTED) do
    for _, item in ipairs(list_of(report, key)) do
      local positives = type(item) == "table" and sightings.integer(item.positives)
      if positives and positives > found.detections then
        found = { detections = positives, total = sightings.integer(item.total) }
      end
    end
  end
  return found
end

local function resolutions(report)
  return sightings.resolutions(report, "hostname")
end

local function related_domains(report)
  local names, is_known = {}, {}
  for _, resolution in ipairs(resolutions(report) or {}) do
    local name = resolution.hostname
    if name and not is_known[name] then
      is_known[name] = true
      table.insert(names, name)
    end
  end
  if #names > 0 then return table.concat(names, ", ") end
end

local function date_of(item)
  if type(item) ~= "table" then return nil end
  local date = text_of(item.scan_date) or text_of(item.date) or text_of(item[DATE_IN_ROW])
  return date and date:find "^%d%d%d%d%-%d%d%-%d%d" and date
end

local function last_scan_date(report)
  local newest
  for _, keys in ipairs { DETECTED, UNDETECTED } do
    for _, key in ipairs(keys) do
      for _, item in ipairs(list_of(report, key)) do
        local date = date_of(item)
        if date and (not newest or date > newest) then newest = date end
      end
    end
  end
  return newest
end

local FIELDS = {
  { "Country", "country" },
  { "Related Domains", related_domains },
  { "Last Scan Date", last_scan_date },
  { "verbose_msg", "verbose_msg" },
  { "Resolutions", resolutions },
}

local function insight_of(report, found, limit)
  local function length(key) return #list_of(report, key) end
  local total = found.total and " of " .. found.total or ""
  return {
    severity = "warn",
    title = "Entity Insight",
    body = table.concat({
      "Country: " .. (text_of(report.country) or "unknown"),
      "Malicious Referrer Samples: " .. length "detected_referrer_samples",
      "Malicious Downloaded Samples: " .. length "detected_downloaded_samples",
      "Malicious Communicating Samples: " .. length "detected_communicating_samples",
      "Malicious URLs: " .. length "detected_urls",
      ("Highest detections: %d%s (threshold %d)"):format(found.detections, total, limit),
    }, "\n"),
  }
end

local function describe(ctx, entity, address, report)
  local found = highest(report)
  enrichment.apply(entity, report, FIELDS)
  threshold.apply(entity, found, ctx.params.threshold,
    insight_of(report, found, ctx.params.threshold))
  local rows = sightings.resolutions_table(report, "hostname", "Host name")
  if rows then entity:table(rows) end
  entity:link("https://www.virustotal.com/gui/ip-address/" .. address)
end

return action {
  id = "scan_ip",
  name = "Scan IP",
  provider = "VirusTotal",
  doc = "Looks an IPv4 address up at VirusTotal: where it is, which hosts it served, and how many "
    .. "engines call what was seen on it malicious. Internal addresses are not sent.",
  accepts = { "ip_address" },
  needs = { "vt" },
  params = { threshold.param { default = 25 } },
  returns = "is_success",
  outputs = enrichment.names(FIELDS),

  run = function(ctx, entity)
    local address = entity.identifier:match "^%s*(.-)%s*$"
    if entity.internal then return ctx.skipped("an internal address") end
    if address:find ":" then
      return ctx.skipped("IPv6: VirusTotal's API v2 has no report for it")
    end
    local report, message, code = vt.ip_report(address)
    if not report then return ctx.from_error(message, code) end
    describe(ctx, entity, address, report)
    return ctx.reported(report)
  end,
}
