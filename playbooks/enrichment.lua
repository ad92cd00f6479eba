-- SPDX-License-Identifier: Apache-2.0
local playbook = require "apogee.playbook"

-- Nothing is learnt from asking for these, and it costs quota: put yours here. The host itself is
-- meant, with or without www: what others publish below it (sites.google.com) is not left out.
local WELL_KNOWN = {
  ["adobe.com"] = true, ["amazon.com"] = true, ["apple.com"] = true, ["bing.com"] = true,
  ["cloudflare.com"] = true, ["example.com"] = true, ["facebook.com"] = true,
  ["github.com"] = true, ["google.com"] = true, ["linkedin.com"] = true, ["microsoft.com"] = true,
  ["mozilla.org"] = true, ["office.com"] = true, ["virustotal.com"] = true,
  ["wikipedia.org"] = true, ["windowsupdate.com"] = true, ["youtube.com"] = true,
}

local STEPS = { "hashes", "addresses", "urls", "domains" }
local POINTS = { hashes = 30, addresses = 10, urls = 20, domains = 0 }
local MAX_SCORE = 100

local function is_well_known(host)
  host = host:lower():gsub("%.$", "")
  return WELL_KNOWN[host] or WELL_KNOWN[host:match "^www%.(.+)$" or ""] or false
end

-- The host of a URL: of user@host it is what follows the last @, and a browser takes \ for /.
local function host_of(url)
  local authority = url:match "^%a[%w+.-]*://([^/?#\\]*)" or ""
  return (authority:match "([^@]*)$":gsub(":%d*$", ""))
end

local function hosts(case)
  return case:of("hostname"):external():where(function(entity)
    return not is_well_known(entity.identifier)
  end)
end

local function urls(case)
  return case:of("url"):external():where(function(entity)
    return not is_well_known(host_of(entity.identifier))
  end)
end

local function give_verdict(case)
  local score = case:score()
  for _, name in ipairs(STEPS) do
    local step = case[name]
    if step.status ~= "completed" or step.coverage.checked < step.coverage.of then
      case:tag "incomplete"
    end
    if step.is_risky then
      case:tag("VirusTotal: risky " .. name)
      score = score + POINTS[name] + 10 * math.min(3, #step.entities:suspicious())
    end
  end
  if score == case:score() then return end
  case:score(math.min(MAX_SCORE, score))
  case:insight {
    severity = "warn",
    title = "VirusTotal calls " .. #case:suspicious() .. " of the case's entities risky",
    body = "The score was raised to " .. case:score() .. ".",
  }
end

return playbook {
  name = "VirusTotal enrichment",
  doc = "What many SecOps playbooks begin with: hashes, addresses, URLs and host names are "
    .. "enriched at the same time, without internal assets and well-known hosts (a list in this "
    .. "file), and when any is risky the case's score is raised and the case tagged. Nothing is "
    .. "submitted.",
  params = {
    { "threshold", type = "integer", min = 1, default = 3, zero = "would mark every entity",
      doc = "As many engines, or more, make a hash or URL risky." },
    { "address_threshold", type = "integer", min = 1, default = 25,
      zero = "would mark every address", doc = "The same for what was seen on an address." },
  },
  steps = {
    {
      { "hashes", action = "scan_hash", on = "filehash", on_error = "continue",
        with = { threshold = "$threshold" } },
      { "addresses", action = "scan_ip", on_error = "continue",
        on = function(case) return case:of("ip_address"):external() end,
        with = { threshold = "$address_threshold" } },
      { "urls", action = "scan_url", on = urls, on_error = "continue",
        with = { threshold = "$threshold", submit_unknown = false } },
      { "domains", action = "get_domain_report", on = hosts, on_error = "continue" },
    },
    { "verdict", run = give_verdict },
  },
}
