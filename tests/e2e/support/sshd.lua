-- A real OpenSSH server for one test, as an ordinary user (nobody, when the tests run as root),
-- with keys, configuration and files of its own, on a port of loopback that was free.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local socket = require "socket"

local quote = program.quote

local Server = {}
Server.__index = Server

local LIMIT_S = 20

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function run(command, ...)
  local words = {}
  for index, word in ipairs { ... } do words[index] = quote(word) end
  assert(os.execute(command:format(table.unpack(words)) .. " >/dev/null 2>&1"), command)
end

local IS_ROOT = output "id -u" == "0"

--- A path in the server's folder.
function Server:path(name) return self.folder .. "/" .. name end

--- A file there, of the server's user.
---@param mode string? of chmod
function Server:write(name, text, mode)
  program.write(self:path(name), text)
  if IS_ROOT then run("chown nobody %s", self:path(name)) end
  run("chmod %s %s", mode or "600", self:path(name))
  return self:path(name)
end

--- Makes a key for a user or the server.
---@return string path of the private key; the public one is beside it
function Server:make_key(name, kind, passphrase)
  os.remove(self:path(name))
  os.remove(self:path(name .. ".pub"))
  run("ssh-keygen -q -t %s -N %s -C test -f %s", kind, passphrase or "", self:path(name))
  return self:path(name)
end

--- Who has the private key may log in.
function Server:authorize(...)
  local lines = {}
  for _, name in ipairs { ... } do
    table.insert(lines, program.read(self:path(name .. ".pub")))
  end
  self:write("authorized_keys", table.concat(lines))
end

--- A known_hosts with a key of the server, or of another.
function Server:know(name)
  local line = ("[127.0.0.1]:%d %s"):format(self.port, program.read(self:path(name .. ".pub")))
  return self:write("known_hosts", line)
end

--- The fingerprint of a key.
function Server:fingerprint(name)
  return output("ssh-keygen -lf " .. quote(self:path(name .. ".pub"))):match "SHA256:%S+"
end

--- How often somebody has begun to log in, or has logged in.
function Server:log() return program.read(self:path "log") or "" end

function Server:connections()
  local _, count = self:log():gsub("Connection from ", "")
  return count
end

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

local function answers(port)
  local client = socket.connect("127.0.0.1", port)
  if not client then return false end
  client:settimeout(5)
  local banner = client:receive "*l"
  client:close()
  return banner ~= nil and banner:find "^SSH" ~= nil
end

local function is_alive(pid) return os.execute("kill -0 " .. pid .. " 2>/dev/null") end

local function wait_until_it_listens(server)
  local last = socket.gettime() + LIMIT_S
  while socket.gettime() < last and is_alive(server.pid) do
    if answers(server.port) then return true end
    socket.select(nil, nil, 0.02)
  end
end

local function start(server)
  server.port = free_port()
  local user = IS_ROOT and "setpriv --reuid nobody --regid nogroup --clear-groups " or ""
  server.pid = output(("%s/usr/sbin/sshd -D -e -f %s -p %d 2>%s >/dev/null & echo $!"):format(
    user, quote(server:path "sshd_config"), server.port, quote(server:path "log")))
  if wait_until_it_listens(server) then return true end
  os.execute("kill " .. server.pid .. " 2>/dev/null")
end

local function configure(server)
  server:write("sshd_config", ([[
ListenAddress 127.0.0.1
HostKey %s/host_ed25519
AuthorizedKeysFile %s/authorized_keys
StrictModes no
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
LogLevel VERBOSE
MaxStartups 200
Subsystem sftp internal-sftp
]]):format(server.folder, server.folder))
end

local M = {}

--- Starts a server with a host key "host_ed25519" and a user key "user_ed25519" that may log in,
--- gives it to `use`, and stops it.
---@param use fun(server: table) with port, user, folder, address
function M.with(use)
  local server = setmetatable({ folder = output "mktemp -d /tmp/apogee-sshd-XXXXXX" }, Server)
  server.user = IS_ROOT and "nobody" or output "id -un"
  run("chmod 755 %s", server.folder)
  if IS_ROOT then run("chown nobody %s", server.folder) end
  server:make_key("host_ed25519", "ed25519")
  if IS_ROOT then run("chown nobody %s", server:path "host_ed25519") end
  server:make_key("user_ed25519", "ed25519")
  server:authorize "user_ed25519"
  configure(server)
  local has_started = start(server) or start(server) or start(server)
  server.address = ("127.0.0.1:%d"):format(server.port)
  local good, why = has_started, server:log()
  if has_started then good, why = pcall(use, server) end
  os.execute("kill " .. server.pid .. " 2>/dev/null")
  os.execute("rm -rf " .. quote(server.folder))
  assert(good, why)
end

--- A scripted server that takes one connection, logs in by the password "correct horse" only, and
--- in which every path is a file of 1,000,000 zero bytes. Gives itself to `use`.
---@param use fun(server: table) with address, fingerprint, password
function M.with_password(use)
  local folder = output "mktemp -d /tmp/apogee-peer-XXXXXX"
  local key, bin = folder .. "/host", assert(os.getenv "APOGEE_BIN"):gsub("bin/[^/]*$", "")
  run("ssh-keygen -q -t ed25519 -N '' -C test -f %s", key)
  local pipe = assert(io.popen(("echo $$; exec %s %s 2>/dev/null"):format(
    quote(bin .. "tests/ssh_peer"), quote(key))))
  local pid, port = pipe:read("l", "l")
  local good, why = port ~= nil, "ssh_peer did not start: " .. bin
  if port then
    good, why = pcall(use, {
      address = "127.0.0.1:" .. port, password = "correct horse",
      fingerprint = output("ssh-keygen -lf " .. quote(key .. ".pub")):match "SHA256:%S+",
    })
  end
  os.execute("kill " .. pid .. " 2>/dev/null")
  pipe:close()
  os.execute("rm -rf " .. quote(folder))
  assert(good, why)
end

local LIAR = "tests/e2e/support/sftp_liar.py"

--- Servers whose SFTP lies, all with one host key and the password "correct horse". Gives them to
--- `use`.
---@param beginnings string[] how each begins, see sftp_liar.py; "" is honest until there is a path
---@param use fun(server: table) with addresses by beginning, fingerprint, password, lies (a list)
function M.with_liars(beginnings, use)
  local folder = output "mktemp -d /tmp/apogee-peer-XXXXXX"
  local key, bin = folder .. "/host", assert(os.getenv "APOGEE_BIN"):gsub("bin/[^/]*$", "")
  run("ssh-keygen -q -t ed25519 -N '' -C test -f %s", key)
  local server = {
    addresses = {}, lies = {}, password = "correct horse",
    fingerprint = output("ssh-keygen -lf " .. quote(key .. ".pub")):match "SHA256:%S+",
  }
  for lie in output("python3 -B " .. LIAR .. " --list"):gmatch "[^\n]+" do
    table.insert(server.lies, lie)
  end
  local peers, good, why = {}, true, nil
  for _, beginning in ipairs(beginnings) do
    local pipe = assert(io.popen(("echo $$; exec %s %s python3 -B %s %s 2>/dev/null"):format(
      quote(bin .. "tests/ssh_peer"), quote(key), LIAR, beginning)))
    local pid, port = pipe:read("l", "l")
    table.insert(peers, { pid = pid, pipe = pipe })
    server.addresses[beginning] = port and "127.0.0.1:" .. port
    good = good and port ~= nil
  end
  if good then good, why = pcall(use, server) end
  for _, peer in ipairs(peers) do
    os.execute("kill " .. peer.pid .. " 2>/dev/null")
    peer.pipe:close()
  end
  os.execute("rm -rf " .. quote(folder))
  assert(good, why or "ssh_peer did not start: " .. bin)
end

--- An agent that holds a key; gives its socket to `use`.
function M.with_agent(key, use)
  local said = output "ssh-agent -s"
  local path, pid = said:match "SSH_AUTH_SOCK=([^;]+)", said:match "SSH_AGENT_PID=(%d+)"
  local good, why = pcall(function()
    run("SSH_AUTH_SOCK=%s ssh-add %s", path, key)
    use(path)
  end)
  os.execute("kill " .. pid)
  assert(good, why)
end

return M
