-- SPDX-License-Identifier: Apache-2.0
return require "apogee.pack" {
  name = "allow_list", version = "1.0",
  doc = "Looks up what is not on a list of one's own.",
  playbooks = { "allow_listed.lua" },
}
