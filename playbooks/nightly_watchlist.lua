-- SPDX-License-Identifier: Apache-2.0
local playbook = require "apogee.playbook"
local summary = require "apogee.summary"

local LOOK_UPS = { "hashes", "domains" }

local function sum_up(case)
  if not summary.is_complete(case, LOOK_UPS) then case:tag "incomplete" end
  for _, entity in ipairs(case.hashes.entities:suspicious():list(20)) do
    case:tag "watchlist hit"
    case:insight {
      severity = "warn",
      title = "On the watchlist, and malicious",
      body = entity.identifier .. " reaches the threshold.",
    }
  end
end

return playbook {
  name = "Nightly watchlist",
  doc = "Looks up a list of file hashes and domains, and has a hash scanned again when its report "
    .. "is older than rescan_after_days. Made for cron: 0 3 * * * apogee run nightly_watchlist "
    .. "--entities watchlist.txt --format json --output result.json --fail-on-risky --quiet. With "
    .. "a key that may not rescan the old report is used, and the run ends with 1.",
  params = {
    { "threshold", type = "integer", min = 1, default = 3, zero = "would mark every hash",
      doc = "As many engines, or more, make a hash suspicious." },
    { "rescan_after_days", type = "integer", min = 0, default = 30,
      doc = "Scan a hash again when its last scan is as many days old, or older. 0: always." },
  },
  steps = {
    {
      { "hashes", action = "scan_hash", on = "filehash", on_error = "continue",
        with = { threshold = "$threshold", rescan_after_days = "$rescan_after_days" } },
      { "domains", action = "get_domain_report", on_error = "continue",
        on = function(case) return case:of("hostname"):external() end },
    },
    { "summary", run = sum_up },
  },
}
