-- Busted's plain output, and the counts in the file $APOGEE_TALLY: "PASSED FAILED" for `bootstrap`.
-- SPDX-License-Identifier: Apache-2.0
local busted = require "busted"
local terminal = require "busted.outputHandlers.plainTerminal"

return function(options)
  local handler = terminal(options)
  local path = os.getenv "APOGEE_TALLY"
  if path then
    busted.subscribe({ "suite", "end" }, function()
      local file = assert(io.open(path, "w"))
      file:write(handler.successesCount, " ", handler.failuresCount + handler.errorsCount, "\n")
      file:close()
      return nil, true
    end)
  end
  return handler
end
