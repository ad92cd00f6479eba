-- A machine as people write it: host, host:port, an IPv6 address with or without brackets.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local MAX_PORT = 65535

local function split(address)
  local host, port = address:match "^%[([%x:.%%%w]+)%]:?(%d*)$"
  if host then return host, port end
  local _, colons = address:gsub(":", "")
  if colons > 1 then return address, "" end
  host, port = address:match "^([^:]+):(%d+)$"
  if host then return host, port end
  return address, ""
end

--- Takes an address apart.
---@param address string
---@return string? host, integer|string? port nil: the usual one; without a host: what is wrong
function M.parse(address)
  local host, port = split(address)
  if not host:find "^[%w_.:%%-]+$" or host:find "^[.:-]*$" and host ~= "::" then
    return nil, "must be host or host:port, like files.example.com:22"
  end
  if host:find("-", 1, true) == 1 then return nil, "a host does not begin with -" end
  if port == "" then return host end
  local number = math.tointeger(tonumber(port))
  if not number or number < 1 or number > MAX_PORT then
    return nil, "the port must be 1 to " .. MAX_PORT
  end
  return host, number
end

return M
