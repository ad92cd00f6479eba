-- `files` and `sftp` in memory: what a spec wrote down, and what was asked for.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local Source = {}
Source.__index = Source

function Source:digests()
  table.insert(self.log, "digests " .. self.name)
  if self.broken then return nil, self.broken, "io" end
  return { md5 = "m", sha1 = "1", sha256 = "sha256 of " .. self.name }
end

function Source:close()
  assert(not self.is_closed, "closed once")
  self.is_closed = true
  table.insert(self.log, "close " .. self.name)
end

local function open(fake, path)
  table.insert(fake.log, "open " .. path)
  local file = fake.files[path]
  if not file then return nil, "there is no such file", "not_found" end
  if file.code then return nil, file.message, file.code end
  return setmetatable({
    name = path, size = file.size or 5, broken = file.broken, log = fake.log,
  }, Source)
end

local function connection_to(fake)
  local connection = {}
  function connection.open_file(_, path) return open(fake, path) end
  function connection.list(_, folder, max)
    table.insert(fake.log, "list " .. folder .. " " .. max)
    if not fake.entries then return nil, "there is no such folder", "not_found" end
    return fake.entries, fake.is_cut
  end
  function connection.close() table.insert(fake.log, "close connection") end
  return connection
end

--- fake.new { files = { [path] = { size, code, message, broken } }, entries, is_cut, refusal }
---@return table fake with files and sftp for an environment, opened (options) and log
function M.new(given)
  local fake = {
    files = given.files or {}, entries = given.entries, is_cut = given.is_cut, log = {},
    opened = {},
  }
  fake.module = { open = function(path) return open(fake, path) end }
  fake.sftp = { open = function(options)
    table.insert(fake.opened, options)
    if given.refusal then return nil, given.refusal[1], given.refusal[2] end
    return connection_to(fake)
  end }
  return fake
end

return M
