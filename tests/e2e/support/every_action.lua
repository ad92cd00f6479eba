-- A playbook of every packaged action that asks about entities, and of one that uploads.
-- SPDX-License-Identifier: Apache-2.0
return [[
  return require "apogee.playbook" {
    name = "Every Action",
    params = { { "files", type = "list", required = true } },
    steps = {
      { { "hashes", action = "scan_hash", on = "filehash",
          with = { threshold = 3, rescan_after_days = 7 } },
        { "urls", action = "scan_url", on = "url", with = { threshold = 3 } } },
      { "addresses", action = "scan_ip", on = "ip_address" },
      { "domains", action = "get_domain_report", on = "hostname" },
      { "files", action = "upload_and_scan_file", with = { threshold = 3, file_paths = "$files" } },
      { "mark", run = function(case) case:score(#case:suspicious()) end },
    },
  }]]
