-- The hosts that an action asks, as far as they are written down in what it gives to http.*, beside
-- those that its needs.http names.
-- SPDX-License-Identifier: Apache-2.0
local look_names = require "apogee.look_names"

local M = {}

local MAX_DEPTH = 8
local IS_LOOPBACK = { localhost = true, ["[::1]"] = true }

-- The texts that a value is or begins with: { { text, is_whole } }.
local function add_beginnings(look, found, value, depth)
  if not value or depth > MAX_DEPTH then return end
  if value.kind == "text" then
    table.insert(found, { text = value.text, is_whole = true })
  elseif value.kind == "begins" then
    local begun = {}
    add_beginnings(look, begun, value.first, depth + 1)
    for _, beginning in ipairs(begun) do
      table.insert(found, { text = beginning.text, is_whole = false })
    end
  elseif value.kind == "place" and not (value.call or value.is_open or value.method) then
    for _, kind in ipairs { "text", "begins" } do
      for _, written in ipairs(look:values(value.root, value.path, kind)) do
        add_beginnings(look, found, written, depth + 1)
      end
    end
  end
end

-- Nil where the host goes on in what is not written down: "https://" .. host
local function host_of(beginning)
  local scheme, host, stop = (beginning.text or ""):match "^(https?)://([^/?#%%@]+)(.?)"
  if not scheme or stop == "" and not beginning.is_whole or stop:find "[%%@]" then return nil end
  return scheme, host:lower()
end

local function is_loopback(host)
  local name = host:gsub(":%d+$", "")
  return IS_LOOPBACK[name] or name:find "^127%.%d+%.%d+%.%d+$" ~= nil
end

local function without_usual_port(host, port) return (host:gsub(":" .. port .. "$", "")) end

local function check_host(findings, action, place, scheme, host)
  if scheme == "http" and not is_loopback(host) then
    findings:problem(place, ("http://%s: plain http is for loopback alone: write https")
      :format(host))
    return
  end
  local port = scheme == "https" and 443 or 80
  for _, named in ipairs(action.http.hosts) do
    if without_usual_port(named:lower(), port) == without_usual_port(host, port) then return end
  end
  local hint = findings:hint(host, action.http.hosts)
  findings:problem(place, ("asks %s, which needs.http does not name%s"):format(host,
    hint ~= "" and hint or ": add it there"))
end

local function url_of(look, place, name)
  local first = place.call[1]
  if name ~= "request" then return first end
  for _, made in ipairs(look:tables(first)) do
    for _, item in ipairs(made.items) do
      if item.key == "url" then return item.value end
    end
  end
end

--- Hosts that needs.http does not name.
---@param look table
---@param findings table
---@param action table
function M.check(look, findings, action)
  if not action.http then return end
  for _, place in ipairs(look.places) do
    local base, path = look_names.only(look, place)
    local is_http = base and base.kind == "global" and base.name == "http" and place.call
    local beginnings = {}
    if is_http then add_beginnings(look, beginnings, url_of(look, place, path[1]), 0) end
    for _, beginning in ipairs(beginnings) do
      local scheme, host = host_of(beginning)
      if scheme then check_host(findings, action, place, scheme, host) end
    end
  end
end

return M
