-- SPDX-License-Identifier: Apache-2.0
local allow_list = require "lists.allow_list"
local playbook = require "apogee.playbook"

local function unlisted(...)
  local types = { ... }
  return function(case)
    return case:of(table.unpack(types)):external():where(allow_list.is_unlisted)
  end
end

local function tell_what_was_left_out(case)
  local listed = case:where(allow_list.is_listed)
  if #listed == 0 then return end
  case:insight {
    severity = "info",
    title = "On the allow list: " .. #listed,
    body = "They were not looked up. The list is lists/allowed.lua.",
  }
end

return playbook {
  name = "Allow-listed triage",
  doc = "Looks up what is not on a list of one's own, which costs no quota and tells nobody.",
  params = {
    { "threshold", type = "integer", min = 1, default = 3,
      doc = "As many engines, or more, make a hash or a URL suspicious." },
  },
  steps = {
    {
      { "hashes", action = "scan_hash", on = unlisted "filehash",
        with = { threshold = "$threshold" } },
      { "urls", action = "scan_url", on = unlisted "url",
        with = { threshold = "$threshold", submit_unknown = false } },
      { "domains", action = "get_domain_report", on = unlisted "hostname" },
      { "addresses", action = "scan_ip", on = unlisted "ip_address",
        with = { threshold = "$threshold" } },
    },
    { "left_out", run = tell_what_was_left_out },
  },
}
