-- SPDX-License-Identifier: Apache-2.0
local playbook = require "apogee.playbook"
local summary = require "apogee.summary"

local LOOK_UPS = { "hashes", "urls", "addresses", "domains" }

local function external(name)
  return function(case) return case:of(name):external() end
end

local function give_verdict(case)
  local suspicious = case:suspicious()
  if not summary.is_complete(case, LOOK_UPS) then case:tag "incomplete" end
  if #suspicious == 0 then return end
  case:tag "malicious"
  case:score(math.min(100, 50 + 10 * #suspicious))
  case:insight {
    severity = "warn",
    title = "Suspicious indicators: " .. #suspicious,
    body = "Look at these first: " .. summary.names(suspicious, 10) .. ".",
  }
end

return playbook {
  name = "Triage",
  doc = "Looks up every hash, URL, address and host name of a case, then tags and scores the case "
    .. "by what was found. Nothing is submitted unless submit_unknown is set.",
  params = {
    { "threshold", type = "integer", min = 1, default = 3, zero = "would mark every entity",
      doc = "As many engines, or more, make a hash or URL suspicious." },
    { "address_threshold", type = "integer", min = 1, default = 25,
      zero = "would mark every address", doc = "The same for what was seen on an address." },
    { "submit_unknown", type = "boolean", default = false,
      doc = "Submit URLs that VirusTotal does not know; they become public." },
  },
  steps = {
    {
      { "hashes", action = "scan_hash", on = "filehash", with = { threshold = "$threshold" },
        tags = { "look-up" } },
      { "urls", action = "scan_url", on = external "url",
        with = { threshold = "$threshold", submit_unknown = "$submit_unknown" },
        tags = { "look-up" } },
      { "addresses", action = "scan_ip", on = external "ip_address",
        with = { threshold = "$address_threshold" }, tags = { "look-up" } },
      { "domains", action = "get_domain_report", on = external "hostname", tags = { "look-up" } },
    },
    { "verdict", run = give_verdict },
  },
}
