-- `apogee new`: the first files of an action or a playbook.
-- SPDX-License-Identifier: Apache-2.0
local DONE, WRONG_USAGE, NOT_WRITTEN = 0, 2, 7

local HTTP_ACTION = "kit.new_http_action"
local KINDS = { action = "kit.new_action", playbook = "kit.new_playbook" }

local IS_ACRONYM = {}
for word in ("api asn dns http id ioc ip md5 sftp sha1 sha256 ssl tls url vt"):gmatch "%S+" do
  IS_ACRONYM[word] = true
end

local function capital(word)
  return IS_ACRONYM[word] and word:upper() or word:gsub("^%l", string.upper)
end

-- abuse_score: Abuse Score; abuse_ip: Abuse IP
local function title_of(id)
  return (id:gsub("_+$", ""):gsub("_+", " "):gsub("%w+", capital))
end

local function id_of(path)
  local id = path:match "([^/]*)/*$"
  if id:find "^%l[%l%d_]*$" and #id <= 64 then return id end
  local better = id:lower():gsub("[^%l%d_]+", "_"):gsub("^[%d_]+", ""):sub(1, 64)
  return nil, ('"%s" is no name: it has lower-case letters, digits and _, and begins with a '
    .. "letter%s"):format(id, better ~= "" and ", like " .. better or "")
end

local function is_loopback(host)
  return host:find "^127%." or host:find "^localhost" or host:find "^%[::1%]"
end

local function values_of(id, host)
  return {
    ID = id, NAME = title_of(id), HOST = host,
    SCHEME = host and (is_loopback(host) and "http" or "https"),
  }
end

local function filled(template, values) return (template:gsub("@(%u+)@", values)) end

local function write_all(given, folder, values, templates)
  local made, why = given.make_folder(folder)
  if not made then return NOT_WRITTEN, folder .. ": " .. why end
  for _, file in ipairs(templates) do
    local path = folder .. "/" .. filled(file.name, values)
    local written, wrong = given.write_new(path, filled(file.text, values))
    if not written then return NOT_WRITTEN, path .. ": " .. wrong end
    print(path)
  end
  return DONE
end

return function(given)
  local kind, path = table.unpack(given.words)
  if not KINDS[kind] then
    return WRONG_USAGE, ('"%s" is neither action nor playbook: new action NAME, or new playbook '
      .. "NAME"):format(kind)
  end
  if given.http and kind ~= "action" then return WRONG_USAGE, "--http goes with new action" end
  local id, message = id_of(path)
  if not id then return WRONG_USAGE, message end
  local folder = path:gsub("/+$", "")
  local templates = require(given.http and HTTP_ACTION or KINDS[kind])
  local values = values_of(id, given.http)
  for _, file in ipairs(templates) do
    local there = folder .. "/" .. filled(file.name, values)
    if given.is_there(there) then
      return WRONG_USAGE, there .. " is there already, and is not written over"
    end
  end
  local code, why = write_all(given, folder, values, templates)
  if code == DONE then
    print(("\nTry it:\n  apogee check %s/%s.lua\n  apogee test %s"):format(folder, id, folder))
  end
  return code, why
end
