-- A machine as people write it: host, host:port, an IPv6 address with or without brackets.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local MAX_PORT = 65535

local IPV6 = "^%x*:[%x:.]*:[%x:.]*%%?%w*$"
local NAME = "^[%w_][%w_.-]*$"

---@return string? host, string port "" for none
local function split(address)
  local host, port = address:match "^%[(.+)%](.*)$"
  if host then return host:find(IPV6) and host, port:match "^:(%d+)$" or port end
  if address:find(IPV6) then return address, "" end
  host, port = address:match "^([^:]*):(%d+)$"
  host = host or address
  return host:find(NAME) and host, port or ""
end

--- Takes an address apart.
---@param address string
---@return string? host, integer|string? port nil: the usual one; without a host: what is wrong
function M.parse(address)
  local host, port = split(address)
  if not host then return nil, "must be host or host:port, like files.example.com:22" end
  if port == "" then return host end
  local number = math.tointeger(tonumber(port))
  if not number or number < 1 or number > MAX_PORT then
    return nil, "the port must be 1 to " .. MAX_PORT
  end
  return host, number
end

return M
