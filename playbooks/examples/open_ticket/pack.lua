-- SPDX-License-Identifier: Apache-2.0
return require "apogee.pack" {
  name = "open_ticket", version = "1.0",
  doc = "Opens a ticket with what a run found.",
  actions = { "open_ticket.lua" },
  playbooks = { "triage_to_ticket.lua" },
  needs = { http = { "thehive.example.com" } },
}
