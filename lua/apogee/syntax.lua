-- What is likely meant where Lua's parser says what it stumbled over.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local HINTS = {
  { "'}' expected .*near ", "is a comma missing before it?" },
  { "'%)' expected .*near ", "is a comma or a bracket missing before it?" },
  { "'then' expected near '='", "a comparison is written ==" },
  { "'do' expected near '='", "a comparison is written ==" },
  { "near '!'", "not is written `not`, and unequal ~=" },
  { "near '&'", "both is written `and`" },
  { "near '|'", "either is written `or`" },
  { "syntax error near '[+*/-]'", "write x = x + 1" },
  { "'end' expected .*near <eof>", "an `end` is missing; `elseif` is one word" },
  { "syntax error near '[%a_]", "is it a call without its brackets, or `local` misspelt?" },
  { "unfinished string near", "its closing quote is missing" },
  { "unfinished long", "its closing ]] is missing" },
}

--- The message, and a hint behind it where there is one.
---@param message string of the parser, or another
---@return string
function M.explained(message)
  for _, hint in ipairs(HINTS) do
    if message:find(hint[1]) then return message .. ": " .. hint[2] end
  end
  return message
end

return M
