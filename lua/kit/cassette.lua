-- Answers of services that were recorded: a file of rows as in the field `http` of a scenario.
-- SPDX-License-Identifier: Apache-2.0
local files = require "kit.files"
local write = require "kit.write"

local M = {}

local COMMENT = "Recorded by `apogee test --record`. Look through it before you share it: secrets "
  .. "are ***, the rest is\n-- what the services were asked and answered."

-- Of an answer's headers, what a script may go by. Others may hold cookies and the like.
local KEPT = { ["content-type"] = true, link = true, location = true, ["retry-after"] = true }

local Cassette = {}
Cassette.__index = Cassette

--- What the cassette has recorded. Raises when it is not there or is none.
function Cassette:rows()
  local text, why = files.read(self.path)
  if not text then
    error(("there is no cassette (%s): apogee test --record asks the services and makes it")
      :format(why), 0)
  end
  local chunk, wrong = load(text, "@" .. self.path, "t", {})
  local good, rows = pcall(chunk or error, wrong)
  if not good then error("the cassette cannot be read: " .. tostring(rows), 0) end
  if type(rows) ~= "table" then error(self.path .. ": a cassette returns a table", 0) end
  return rows
end

local function kept_headers(headers)
  local kept = {}
  for name, value in pairs(headers) do
    if KEPT[name] or name:find "rate%-?limit" then kept[name] = value end
  end
  return next(kept) and kept or nil
end

local function row_of(request)
  local row = { method = request.method, url = request.url, sent = request.body }
  if request.fails then
    row.fails = request.fails
    return row
  end
  if not request.answer.is_text then
    error(("%s %s was answered with bytes that are no text: a cassette cannot hold them")
      :format(request.method, request.url), 0)
  end
  row.status = request.status
  row.headers = kept_headers(request.answer.headers)
  row.body = request.answer.body
  return row
end

--- Rows of what was asked and answered.
---@param requests table[] as the request log has them
---@return table[]
function M.rows_of(requests)
  local rows = {}
  for _, request in ipairs(requests) do table.insert(rows, row_of(request)) end
  return rows
end

--- Adds what was asked and answered: a cassette of several runs holds them all.
function Cassette:record(requests)
  for _, row in ipairs(M.rows_of(requests)) do table.insert(self.recorded, row) end
  files.write(self.path, write.file(self.recorded, COMMENT))
end

local known = {}

--- The cassette of a file; the same for the same path.
---@param path string
function M.of(path)
  known[path] = known[path] or setmetatable({ path = path, recorded = {} }, Cassette)
  return known[path]
end

--- Whether the option http is a cassette.
function M.is(value) return getmetatable(value) == Cassette end

return M
