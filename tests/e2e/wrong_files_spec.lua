-- Wrong turns with files to upload, and with the machine that has them.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"
local wrong = require "e2e.support.wrong"

--- The command, with "@name" replaced by that file's path in the workspace.
local function words_of(w, params)
  local words = { "action", "upload_and_scan_file", "--simulate", "--format", "json" }
  for _, param in ipairs(params) do
    table.insert(words, "--param")
    table.insert(words, (param:gsub("@(%w+)", function(name) return w:path(name) end)))
  end
  return words
end

local FAR = { "linux_server_address=127.0.0.1:1", "linux_user=u" }

local function far(...)
  local params = { "file_paths=/x", table.unpack(FAR) }
  for _, param in ipairs { ... } do table.insert(params, param) end
  return params
end

describe("files to upload", function()
  for _, case in ipairs {
    { "none", { "file_paths=" }, says = "file_paths: there are none", exit = 2 },
    { "a user without a machine", { "file_paths=/x", "linux_user=u" },
      says = "is given without linux_server_address", exit = 2 },
    { "a machine without a user", { "file_paths=/x", "linux_server_address=h" },
      says = "linux_user: is needed with linux_server_address", exit = 2 },
    { "a machine that is none", { "file_paths=/x", "linux_server_address=a b", "linux_user=u" },
      says = "must be host or host:port", exit = 2 },
    { "a key file that is open", far "ssh_key=@open", says = "is open to others: chmod 600",
      exit = 2 },
    { "a passphrase without a key", far "ssh_key_passphrase=file:@key",
      says = "ssh_key_passphrase: is given without ssh_key", exit = 2 },
    { "a password in plain", far "linux_password=hunter22",
      says = "linux_password: the secret itself was given", exit = 1 },
    { "a file that is missing", { "file_paths=@none" }, says = "there is no such file", exit = 1 },
    { "a folder", { "file_paths=@folder" }, says = "is a folder", exit = 1 },
    { "an RSA key", far "ssh_key=@rsa", says = "it is an RSA key",
      also = { "ssh-keygen -t ed25519" }, exit = 1 },
    { "a machine that nobody answers for", far(), says = "no connection: Connection refused",
      exit = 1 },
    { "a path twice", { "file_paths=@open,@open", "upload=never" },
      says = "is given twice: it is one item",
      exit = 0 },
  } do
    it(case[1], function()
      workspace.with(function(w)
        w.env = { APOGEE_CONFIG = "" }
        w:write("open", "bytes")
        os.execute("mkdir " .. program.quote(w:path "folder"))
        if case[1] == "an RSA key" then
          assert(os.execute("ssh-keygen -q -t rsa -N '' -f " .. program.quote(w:path "rsa")))
        end
        os.execute("chmod 644 " .. program.quote(w:path "open"))
        wrong.check(case, w:run(words_of(w, case[2])))
      end)
    end)
  end
end)
