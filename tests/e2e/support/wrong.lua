-- A wrong turn and what must follow: the exit code, a sentence on standard error, and nothing
-- half-written. The sentence's fixed words are those that docs/troubleshooting.md lists.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"

local M = {}

local DOCS = assert(program.read "docs/troubleshooting.md")
local WITHOUT_RESULT = { [2] = true, [7] = true }

local function holds(text, words) return text:find(words, 1, true) ~= nil end

--- Fails unless a run ended as the case says.
---@param case { says: string, also: string[]?, exit: integer } says is in the docs too
---@param ran { out: string, err: string, exit: integer }
function M.check(case, ran)
  local said = ran.err == "" and "nothing" or ran.err
  assert(ran.exit == case.exit, ("exit %d, not %d: %s"):format(ran.exit, case.exit, said))
  assert(holds(ran.err, case.says), ("%q is not in: %s"):format(case.says, said))
  for _, words in ipairs(case.also or {}) do
    assert(holds(ran.err, words), ("%q is not in: %s"):format(words, said))
  end
  for line in ran.err:gmatch "[^\n]+" do
    assert(line:find "^apogee: %l+: ", "a line of standard error of another form: " .. line)
  end
  assert(not WITHOUT_RESULT[ran.exit] or ran.out == "", "something on standard output")
  assert(holds(DOCS, case.says), ("docs/troubleshooting.md lacks %q"):format(case.says))
end

return M
