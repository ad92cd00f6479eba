-- A proxy for one test: lua5.4 proxy_server.lua NAME:PASSWORD LOG. Prints its port, serves one
-- connection after the other, and logs each request's first line. Tunnels (CONNECT) and forwards.
-- SPDX-License-Identifier: Apache-2.0
local mime = require "mime"
local socket = require "socket"

local WANTED = "Basic " .. mime.b64(arg[1])
local REFUSAL = "HTTP/1.1 407 Proxy Authentication Required\r\n"
  .. 'Proxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

local function read_head(client)
  local lines, fields = {}, {}
  for line in function() return client:receive "*l" end do
    if line == "" then return lines, fields end
    table.insert(lines, line)
    local name, value = line:match "^([^:]+):%s*(.*)$"
    if name then fields[name:lower()] = value end
  end
end

--- Hands bytes on in both directions until one side is done.
local function relay(one, other)
  one:settimeout(0)
  other:settimeout(0)
  local to = { [one] = other, [other] = one }
  while true do
    for _, from in ipairs(socket.select({ one, other }, nil, 10)) do
      local bytes, problem, partial = from:receive(16384)
      to[from]:settimeout(10)
      to[from]:send(bytes or partial)
      to[from]:settimeout(0)
      if problem == "closed" then return end
    end
  end
end

local function serve(client, log)
  local lines, fields = read_head(client)
  if not lines then return end
  log:write(lines[1], "\n")
  log:flush()
  if fields["proxy-authorization"] ~= WANTED then return client:send(REFUSAL) end
  local method, host, port, path = lines[1]:match "^(%u+) h?t?t?p?:?/?/?([%d.]+):(%d+)(%S*)"
  local upstream = assert(socket.connect(host, tonumber(port)))
  if method == "CONNECT" then
    client:send "HTTP/1.1 200 Connection established\r\n\r\n"
  else
    lines[1] = method .. " " .. path .. " HTTP/1.1"
    upstream:send(table.concat(lines, "\r\n") .. "\r\n\r\n")
  end
  relay(client, upstream)
  upstream:close()
end

local server = assert(socket.bind("127.0.0.1", 0))
local log = assert(io.open(arg[2], "a"))
print((select(2, server:getsockname())))
io.stdout:close()
while true do
  local client = server:accept()
  serve(client, log)
  client:close()
end
