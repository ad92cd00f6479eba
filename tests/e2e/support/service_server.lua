-- A service for one test: lua5.4 service_server.lua LOG [CERTIFICATE KEY]. Prints its port, serves
-- one connection after the other, and logs each request as a line of JSON. Paths say what it does:
--   /echo          answers with all that it was sent
--   /status/N      that status
--   /go?to=URL     a redirect to that URL; /go?to=key: one that holds the key it was sent
--   /loop          a redirect to itself
--   /big           more than 2 MB, without a length
--   /head          64 headers of 4 kB
--   /slow          never an answer
--   /flaky/N       503 the first N times, with Retry-After: 0; then 200
--   /cut           hangs up when it has the request
--   everything else: 200 and {"ok":true}
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local socket = require "socket"

local log = assert(io.open(arg[1], "a"))
local tls = arg[2] and {
  mode = "server", protocol = "any", certificate = arg[2], key = arg[3], options = { "all" },
}
local flaky = {}

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function read_request(client)
  local first = client:receive "*l"
  if not first then return nil end
  local method, target = first:match "^(%u+) (%S+)"
  local request = { method = method, target = target, headers = {}, body = "" }
  local raw = { first }
  for line in function() return client:receive "*l" end do
    if line == "" then break end
    table.insert(raw, line)
    local name, value = line:match "^([^:]+):%s*(.*)$"
    if name then request.headers[name:lower()] = value end
  end
  local length = tonumber(request.headers["content-length"] or "0")
  if length > 0 then request.body = client:receive(length) or "" end
  request.raw = table.concat(raw, "\n")
  return request
end

local function answer(client, status, body, more)
  client:send(("HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s"):format(
    status, #body, more or "", body))
end

local function redirect(client, to) answer(client, 302, "", "Location: " .. to .. "\r\n") end

local pages = {}

function pages.echo(client, request)
  answer(client, 200, request.raw .. "\n\n" .. request.body,
    ("X-Echo: %s\r\nX-Ratelimit-%s: 1\r\nX-Two: a\r\nX-Two: b\r\n"):format(
      request.headers.key or "", request.headers.key or ""))
end

function pages.status(client, _, word)
  answer(client, tonumber(word), '{"status":' .. word .. "}")
end

function pages.go(client, request)
  local to = unescape(request.target:match "to=(.*)$")
  redirect(client, to == "key" and "/echo?key=" .. request.headers.key or to)
end

function pages.loop(client) redirect(client, "/loop") end

function pages.big(client)
  client:send "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
  for _ = 1, 40 do
    if not client:send(("x"):rep(65536)) then return end
  end
end

function pages.head(client)
  client:send "HTTP/1.1 200 OK\r\nConnection: close\r\n"
  for number = 1, 64 do
    if not client:send(("X-%d: %s\r\n"):format(number, ("x"):rep(4096))) then return end
  end
  client:send "\r\n"
end

function pages.slow(client)
  client:settimeout(30)
  client:receive "*l"
end

function pages.flaky(client, request, word)
  local key = request.target
  flaky[key] = (flaky[key] or 0) + 1
  if flaky[key] <= tonumber(word) then
    answer(client, 503, "", "Retry-After: 0\r\n")
  else
    answer(client, 200, '{"times":' .. flaky[key] .. "}")
  end
end

function pages.cut() end

local function serve(client)
  local request = read_request(client)
  if not request then return end
  log:write(cjson.encode(request), "\n")
  log:flush()
  local name, word = request.target:match "^/(%l*)/?([^?]*)"
  local page = pages[name]
  if page then return page(client, request, word) end
  answer(client, 200, '{"ok":true,"n":7}', "Content-Type: application/json\r\n")
end

local server = assert(socket.bind("127.0.0.1", 0))
print((select(2, server:getsockname())))
io.stdout:close()
while true do
  local client = server:accept()
  client:settimeout(10)
  if tls then
    local wrapped = require "ssl".wrap(client, tls)
    if wrapped and wrapped:dohandshake() then
      serve(wrapped)
      wrapped:close()
    end
  else
    serve(client)
  end
  client:close()
end
