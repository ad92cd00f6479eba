-- SPDX-License-Identifier: Apache-2.0
local playbook = require "apogee.playbook"

return playbook {
  name = "Look up and tell",
  doc = "Looks up the hashes of a case and tells a chat when one is risky, or was not checked.",
  params = {
    { "threshold", type = "integer", min = 1, default = 3,
      doc = "As many engines, or more, make a hash suspicious." },
  },
  steps = {
    { "hashes", action = "scan_hash", on = "filehash", with = { threshold = "$threshold" },
      on_error = "continue" }, -- that nothing could be asked is worth a message too
    { "tell", action = "tell_chat" },
  },
}
