-- A page of the documentation, taken apart: its fenced blocks, its links, its headings.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"

local M = {}

local function lines_of(text)
  local lines = {}
  for line in (text:gsub("\n$", "") .. "\n"):gmatch "([^\n]*)\n" do table.insert(lines, line) end
  return lines
end

local function block_of(path, number, indent, words)
  local language, name, mark = words:match "^(%S*)%s*(%S*)%s*(%S*)%s*$"
  return {
    page = path, line = number, indent = indent, language = language or words,
    name = name ~= "" and name or nil, mark = mark ~= "" and mark or nil, lines = {},
  }
end

---@param path string
---@return table page { path, lines, prose = the lines that are in no block, by number,
---   blocks = { { page, line, indent, language, name, mark, lines } } }
function M.read(path)
  local page = { path = path, blocks = {}, prose = {} }
  local block
  page.lines = lines_of(assert(program.read(path)))
  for number, line in ipairs(page.lines) do
    local indent, words = line:match "^(%s*)```(.*)$"
    if block and indent and words == "" then
      table.insert(page.blocks, block)
      block = nil
    elseif block then
      table.insert(block.lines, (line:sub(1, #block.indent):gsub(block.indent, "")
        .. line:sub(#block.indent + 1)))
    elseif indent then
      block = block_of(path, number, indent, words)
    else
      page.prose[number] = line
    end
  end
  assert(not block, path .. ": a block is not closed")
  return page
end

--- Where a block begins, for messages.
function M.place(block)
  return ("%s:%d"):format(block.page, block.line)
end

--- The text of a block.
function M.text(block)
  return table.concat(block.lines, "\n") .. "\n"
end

-- As GitHub makes it: lower case, without marks, - for blanks.
local function anchor_of(heading)
  local plain = heading:gsub("`", ""):lower():gsub("[^%w%s_-]", "")
  return (plain:gsub("%s", "-"))
end

--- The anchors that links may name.
---@return table<string, boolean>
function M.anchors(page)
  local anchors = {}
  for _, line in pairs(page.prose) do
    local heading = line:match "^#+%s+(.-)%s*$"
    if heading then anchors[anchor_of(heading)] = true end
  end
  return anchors
end

--- What the prose links to: { { line, target } }.
function M.links(page)
  local links = {}
  for number in ipairs(page.lines) do
    for target in (page.prose[number] or ""):gsub("`[^`]*`", ""):gmatch "%]%(([^)%s]+)%)" do
      table.insert(links, { line = number, target = target })
    end
  end
  return links
end

return M
