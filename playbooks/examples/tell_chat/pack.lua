-- SPDX-License-Identifier: Apache-2.0
return require "apogee.pack" {
  name = "tell_chat", version = "1.0",
  doc = "Tells a chat what a run found.",
  actions = { "tell_chat.lua" },
  playbooks = { "look_up_and_tell.lua" },
  needs = { http = { "hooks.slack.com" } },
}
