-- SPDX-License-Identifier: Apache-2.0
local playbook = require "apogee.playbook"

return playbook {
  name = "Triage to ticket",
  doc = "Looks up the hashes and host names of a case, and opens a ticket when one is risky.",
  params = {
    { "reference", type = "string", required = true, example = "case-17",
      doc = "What the ticket is known by at the server." },
    { "threshold", type = "integer", min = 1, default = 3,
      doc = "As many engines, or more, make a hash suspicious." },
  },
  steps = {
    {
      { "hashes", action = "scan_hash", on = "filehash", with = { threshold = "$threshold" } },
      { "domains", action = "get_domain_report", on = "hostname" },
    },
    { "ticket", action = "open_ticket", with = {
      reference = "$reference",
      severity = function(case) return #case:suspicious() > 5 and "high" or "medium" end,
    } },
  },
}
