-- SPDX-License-Identifier: Apache-2.0
local playbook = require "apogee.playbook"

local LOOK_UPS = { "hashes", "urls", "addresses", "domains" }

local function is_complete(case)
  for _, name in ipairs(LOOK_UPS) do
    local step = case[name]
    if step.status ~= "completed" or step.coverage.checked < step.coverage.of then return false end
  end
  return true
end

local function external(name)
  return function(case) return case:of(name):external() end
end

local function names_of(entities)
  local names = {}
  for _, entity in ipairs(entities:list(10)) do table.insert(names, entity.identifier) end
  if #entities > #names then table.insert(names, "and " .. #entities - #names .. " more") end
  return table.concat(names, ", ")
end

local function give_verdict(case)
  local suspicious = case:suspicious()
  if not is_complete(case) then case:tag "incomplete" end
  if #suspicious == 0 then return end
  case:tag "malicious"
  case:score(math.min(100, 50 + 10 * #suspicious))
  case:insight {
    severity = "warn",
    title = "Suspicious indicators: " .. #suspicious,
    body = "Look at these first: " .. names_of(suspicious) .. ".",
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
