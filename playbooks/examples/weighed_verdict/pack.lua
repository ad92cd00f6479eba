-- SPDX-License-Identifier: Apache-2.0
return require "apogee.pack" {
  name = "weighed_verdict", version = "1.0",
  doc = "A verdict that weighs engines.",
  actions = { "weigh_hash.lua" },
  needs = { "vt" },
}
