-- Reads CSV strictly as RFC 4180 has it, every cell quoted, rows that end in CRLF.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

---@param text string
---@return string[][] rows
function M.parse(text)
  local rows, row, at = {}, {}, 1
  while at <= #text do
    assert(text:sub(at, at) == '"', "not quoted: " .. text:sub(at, at + 30))
    local parts, from = {}, at + 1
    while true do
      local stop = assert(text:find('"', from, true), "no end of a cell")
      table.insert(parts, text:sub(from, stop - 1))
      if text:sub(stop + 1, stop + 1) ~= '"' then
        at = stop + 1
        break
      end
      table.insert(parts, '"')
      from = stop + 2
    end
    table.insert(row, table.concat(parts))
    if text:sub(at, at) == "," then
      at = at + 1
    else
      assert(text:sub(at, at + 1) == "\r\n", "no end of a row: " .. text:sub(at, at + 30))
      at = at + 2
      table.insert(rows, row)
      row = {}
    end
  end
  return rows
end

--- The rows by the names of the first.
---@param text string
---@return table[] rows, string[] columns
function M.objects(text)
  local rows = M.parse(text)
  local columns, objects = table.remove(rows, 1), {}
  for _, cells in ipairs(rows) do
    assert(#cells == #columns, "a row of another length")
    local object = {}
    for index, name in ipairs(columns) do object[name] = cells[index] end
    table.insert(objects, object)
  end
  return objects, columns
end

return M
