-- SPDX-License-Identifier: Apache-2.0
return require "apogee.pack" {
  name = "abuse_score", version = "1.0",
  doc = "How often an address was reported as abusive.",
  actions = { "abuse_score.lua" },
  needs = { http = { "api.abuseipdb.com" } },
}
