-- The comments that people left at VirusTotal, as a table of an entity. A failure is a warning,
-- once, and no more comments in the step: the verdict does not depend on them.
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: read globals vt
local M = {}

local COLUMNS = { "Date", "Comment" }

-- No failure: the policy says so, or the run is ending.
local IS_EXPECTED = { denied = true, deadline = true, canceled = true }

local function text_of(value)
  return type(value) == "string" and value or ""
end

local function row_of(comment)
  if type(comment) ~= "table" then return nil end
  return { text_of(comment.date), text_of(comment.comment) }
end

--- Asks for them and shows them.
---@param ctx table
---@param entity table
---@param resource string a hash or a URL
---@param is_risky boolean it met the threshold: the configuration may want comments of those only
function M.add(ctx, entity, resource, is_risky)
  if ctx.has_no_comments then return end
  local comments, message, code = vt.comments(resource, { risky = is_risky })
  if not comments then
    local is_first = not ctx.has_no_comments
    ctx.has_no_comments = true
    if is_first and not IS_EXPECTED[code] then
      ctx.warn("no comments are shown from here on: " .. (message or code or "no reason given"))
    end
    return
  end
  local rows = {}
  for _, comment in ipairs(comments) do table.insert(rows, row_of(comment)) end
  if #rows == 0 then return end
  entity:table { title = "VirusTotal comments", columns = COLUMNS, rows = rows }
end

return M
