-- Indicators as they may be shown: nobody gets anywhere by clicking on them, and `apogee entities`
-- takes them as what they were (but for a URL within the path of another).
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local SCHEMES = { http = "hxxp", https = "hxxps", ftp = "fxp", ftps = "fxps" }

local function host(words)
  if words:find "^%[" then return (words:gsub(":", "[:]", 1)) end
  return (words:gsub("%.", "[.]"))
end

local function url(words)
  local scheme, authority, rest = words:match "^(%a[%w+.-]*)://([^/?#]*)(.*)$"
  if not scheme then return host(words) end
  local user, name = authority:match "^(.*)@(.*)$"
  local shown = host(name or authority)
  if user then shown = user .. "[@]" .. shown end
  return (SCHEMES[scheme:lower()] or scheme) .. "://" .. shown .. rest
end

local function user(words)
  local name, domain = words:match "^(.*)@(.*)$"
  return name and name .. "[@]" .. host(domain) or words
end

local function same(words) return words end

local WAYS = {
  url = url,
  user = user,
  hostname = host,
  ip_address = function(words)
    return words:find(":", 1, true) and (words:gsub(":", "[:]", 1)) or host(words)
  end,
}

--- Text that may hold URLs and addresses of mail.
---@param words string
---@return string
function M.text(words)
  local shown = words:gsub("%f[%w](%a+)://([^%s/?#\"'<>]*)", function(scheme, authority)
    if SCHEMES[scheme:lower()] then return url(scheme .. "://" .. authority) end
  end)
  return (shown:gsub("([%w._+-])@(%w[%w.-]*%w)", function(before, domain)
    return before .. "[@]" .. host(domain)
  end))
end

--- @param words string an identifier
--- @param kind string? its type; nil for a line that is no indicator
--- @return string
function M.indicator(words, kind)
  return M.text((WAYS[kind] or same)(words))
end

return M
