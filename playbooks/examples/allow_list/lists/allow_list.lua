-- Whether an entity is on a list of one's own. Playbooks use it in `on`:
--   on = function(case) return case:of("url"):external():where(allow_list.is_unlisted) end
-- SPDX-License-Identifier: Apache-2.0
local allowed = require "lists.allowed"

local M = {}

local function set_of(list)
  local set = {}
  for _, word in ipairs(list) do set[word:lower()] = true end
  return set
end

local hosts, addresses, hashes = set_of(allowed.hosts), set_of(allowed.addresses),
  set_of(allowed.hashes)

-- The host itself, or one above it: a.b.example.org is below example.org, badexample.org is not.
local function is_allowed_host(host)
  host = host:lower():gsub("%.$", "")
  while host do
    if hosts[host] then return true end
    host = host:match "^[^.]+%.(.+)$"
  end
  return false
end

-- What stands between the scheme (and a user) and the port or path. A backslash ends it too, as
-- browsers have it.
local function host_of(url)
  local authority = url:match "^%a[%w+.-]*://([^/?#\\]*)"
  return authority and authority:gsub("^.*@", ""):gsub(":%d*$", "")
end

local RULES = {
  hostname = is_allowed_host,
  ip_address = function(address) return addresses[address:lower()] == true end,
  filehash = function(hash) return hashes[hash:lower()] == true end,
  url = function(url)
    local host = host_of(url)
    return host ~= nil and (is_allowed_host(host) or addresses[host] == true)
  end,
}

--- Whether an entity is on the list.
function M.is_listed(entity)
  local rule = RULES[entity.type]
  return rule ~= nil and rule(entity.identifier)
end

function M.is_unlisted(entity) return not M.is_listed(entity) end

return M
