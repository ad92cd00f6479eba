-- The secrets that a script names: a look at its source, past comments and texts, for the word
-- secret with a name behind it. What it does not see (a name that is worked out, a module of the
-- action's own) the manifest says: secrets = { "NAME" }.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

--- Where a long bracket that opens at `at` is over; nil when none opens there.
local function past_long(source, at)
  local level = source:match("^%[(=*)%[", at)
  if not level then return nil end
  local _, last = source:find("]" .. level .. "]", at, true)
  return (last or #source) + 1
end

local function past_comment(source, at)
  local long = past_long(source, at + 2)
  if long then return long end
  return (source:find("\n", at, true) or #source) + 1
end

--- Behind a quoted text, and the text where it has no escapes.
local function past_quoted(source, at)
  local quote = source:sub(at, at)
  local last = at
  repeat
    last = source:find("[\\\n" .. quote .. "]", last + 1) or #source + 1
    local is_escape = source:sub(last, last) == "\\"
    if is_escape then last = last + 1 end
  until not is_escape
  return last + 1, source:sub(at + 1, last - 1)
end

--- The name in a call of `secret`, whose word ends before `at`.
local function name_behind(source, at)
  local bracket, start = source:match('^%s*(%(?)%s*()["\']', at)
  if not start then return nil end
  local stop, text = past_quoted(source, start)
  if bracket ~= "" and not source:find("^%s*%)", stop) then return nil end
  return text:match "^[%a_][%w_]*$"
end

local past = {
  ["-"] = function(source, at)
    return source:find("^%-%-", at) and past_comment(source, at) or at + 1
  end,
  ["["] = function(source, at) return past_long(source, at) or at + 1 end,
  ['"'] = past_quoted,
  ["'"] = past_quoted,
}

--- The names, each once, sorted.
---@param source string
---@return string[]
function M.of(source)
  local names, is_known, at = {}, {}, 1
  while true do
    local start = source:find("[%a_%-%[\"']", at)
    if not start then break end
    local skip = past[source:sub(start, start)]
    if skip then
      at = skip(source, start)
    else
      local word, stop = source:match("^([%w_]+)()", start)
      local is_field = source:find("^[.:]", start - 1) and not source:find("^%.%.", start - 2)
      local name = word == "secret" and not is_field and name_behind(source, stop)
      if name and not is_known[name] then
        is_known[name] = true
        table.insert(names, name)
      end
      at = stop
    end
  end
  table.sort(names)
  return names
end

return M
