-- A service that actions ask, as a process of its own.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"

local M = {}

local Service = {}
Service.__index = Service

--- The requests that it has had, in order: { method, target, headers, body, raw }.
function Service:requests()
  local requests = {}
  for line in (program.read(self.log) or ""):gmatch "[^\n]+" do
    table.insert(requests, cjson.decode(line))
  end
  return requests
end

--- A certificate for a name, in a folder; its own authority.
---@return string certificate, string key
local function certificate(folder, name)
  local cert, key = folder .. "/service.pem", folder .. "/service.key"
  assert(os.execute(("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test "
    .. "-addext subjectAltName=%s -keyout %s -out %s 2>/dev/null"):format(name, program.quote(key),
    program.quote(cert))))
  return cert, key
end

--- Starts a service, gives it to `use`, and stops it.
---@param folder string for its log and its certificate
---@param tls string? whom its certificate is for: "IP:127.0.0.1"; nil: plain http
---@param use fun(service: table) with url, host ("127.0.0.1:PORT"), ca (a path) and requests()
function M.with(folder, tls, use)
  local service = setmetatable({ log = os.tmpname() }, Service)
  local words = { program.quote(service.log) }
  if tls then
    local cert, key = certificate(folder, tls)
    service.ca = cert
    table.insert(words, program.quote(cert))
    table.insert(words, program.quote(key))
  end
  local command = "echo $$; exec lua5.4 tests/e2e/support/service_server.lua %s"
  local pipe = io.popen(command:format(table.concat(words, " ")))
  local pid, port = pipe:read("l", "l")
  service.host = "127.0.0.1:" .. tostring(port)
  service.url = (tls and "https://" or "http://") .. service.host
  local good, why = true, nil
  if port then good, why = pcall(use, service) end
  os.execute("kill " .. pid)
  pipe:close()
  os.remove(service.log)
  assert(port, "the service did not start")
  assert(good, why)
end

return M
