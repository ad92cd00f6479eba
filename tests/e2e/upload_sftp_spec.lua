-- Upload and Scan File over SFTP, against a real OpenSSH server.
-- SPDX-License-Identifier: Apache-2.0
local sshd = require "e2e.support.sshd"
local workspace = require "e2e.support.workspace"

local SCENARIO = "return { scan_ms = 100 }"

local function params_of(server, given)
  local params = {
    linux_server_address = server.address, linux_user = server.user,
    ssh_key = server:path "user_ed25519",
  }
  if given.known ~= false then
    params.ssh_known_hosts = server:know(given.known or "host_ed25519")
  end
  for id, value in pairs(given.params or {}) do params[id] = value or nil end
  return params
end

local function arguments(paths, params)
  local words = {}
  for index, path in ipairs(paths) do words[index] = (path:gsub(",", "\\,")) end
  local args = {
    "action", "upload_and_scan_file", "--format", "json",
    "--param", "file_paths=" .. table.concat(words, ","),
  }
  for id, value in pairs(params) do
    table.insert(args, "--param")
    table.insert(args, id .. "=" .. value)
  end
  return args
end

local function by_path(document)
  local entities = {}
  for _, entity in ipairs(document.entities or {}) do entities[entity.identifier] = entity end
  return entities
end

local function sent(w)
  local found = {}
  for _, request in ipairs(w:requests()) do
    if request.endpoint == "file/scan" then table.insert(found, request) end
  end
  return found
end

--- Runs the action on files of a server. given: { params, known, before = function(server), env }
local function scan(given, paths_of, check)
  sshd.with(function(server)
    workspace.simulated({ scenario = SCENARIO, env = given.env }, function(w)
      local paths = paths_of(server, w)
      if given.before then given.before(server, w) end
      local document, ran = w:json(arguments(paths, params_of(server, given)))
      check(document, ran, by_path(document), w, server)
    end)
  end)
end

local function two_files(server)
  return { server:write("a.bin", "bytes of a"), server:write("b.bin", "bytes of b") }
end

local function all_fail(document, ran, w, parts)
  assert.equal(1, ran.exit, ran.err)
  assert.equal(2, #document.entities)
  for _, entity in ipairs(document.entities) do
    assert.equal("failed", entity.outcome)
    for _, part in ipairs(parts) do
      assert.is_truthy(entity.reason:find(part, 1, true), entity.reason .. " lacks " .. part)
    end
  end
  assert.equal(0, #w:requests())
end

describe("over SFTP", function()
  it("files are scanned over one connection, keyed by their paths", function()
    scan({}, function(server)
      local paths = {}
      for i = 1, 20 do paths[i] = server:write(("f%d.bin"):format(i), "bytes of " .. i) end
      return paths
    end, function(document, ran, found, w, server)
      assert.equal(0, ran.exit, ran.err)
      assert.same({ checked = 20, of = 20 }, document.coverage)
      assert.equal("scanned", found[server:path "f7.bin"].outcome)
      assert.is_table(document.json_result[server:path "f7.bin"])
      local _, logins = server:log():gsub("Accepted publickey", "")
      assert.equal(1, logins)
      assert.equal(20, #sent(w))
    end)
  end)

  for name, file in pairs {
    ["a blank"] = "a b.bin", ["a comma"] = "a,b.bin", ["a quote"] = 'a"b\'c.bin',
    ["UTF-8"] = "größe-文件.bin", ["a backslash"] = "a\\b.bin",
  } do
    it("a file may have " .. name .. " in its name", function()
      scan({}, function(server) return { server:write(file, "bytes") } end,
        function(_, ran, found, _, server)
          assert.equal(0, ran.exit, ran.err)
          assert.equal("scanned", found[server:path(file)].outcome)
        end)
    end)
  end

  it("what is wrong with one file does not touch the others", function()
    scan({}, function(server)
      server:write("closed.bin", "x", "000")
      os.execute("mkdir " .. server:path "folder")
      os.execute("ln -s good.bin " .. server:path "link.bin")
      server:write("empty.bin", "")
      return {
        server:path "missing.bin", server:path "closed.bin", server:path "folder",
        server:path "link.bin", server:path "empty.bin", server:write("good.bin", "fine"),
      }
    end, function(_, ran, found, w, server)
      assert.equal(1, ran.exit)
      for _, name in ipairs { "missing.bin", "closed.bin", "folder", "link.bin" } do
        assert.equal("failed", found[server:path(name)].outcome, name)
        assert.is_truthy(#found[server:path(name)].reason > 5)
      end
      assert.equal("skipped", found[server:path "empty.bin"].outcome)
      assert.equal("scanned", found[server:path "good.bin"].outcome)
      assert.equal(1, #sent(w))
    end)
  end)

  it("upload = unknown reads a file once, and sends only what is not known", function()
    scan({ params = { upload = "unknown" } }, function(server)
      return { server:write("hello.txt", "hello world\n"), server:write("new.bin", "unseen 5") }
    end, function(_, ran, found, w, server)
      assert.equal(0, ran.exit, ran.err)
      assert.equal("reported", found[server:path "hello.txt"].outcome)
      local fields = found[server:path "hello.txt"].enrichment.VirusTotal
      assert.equal("a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447",
        fields.Sha256)
      assert.equal("scanned", found[server:path "new.bin"].outcome)
      assert.equal(1, #sent(w))
      assert.equal("new.bin", sent(w)[1].filename)
    end)
  end)

  it("a folder gives its regular files", function()
    sshd.with(function(server)
      workspace.simulated({ scenario = SCENARIO }, function(w)
        os.execute("mkdir " .. server:path "q" .. " && chmod 755 " .. server:path "q")
        server:write("q/b.bin", "b")
        server:write("q/a b.bin", "a")
        os.execute("mkdir " .. server:path "q/below")
        local params = params_of(server, { params = { folder = server:path "q" } })
        local document, ran = w:json(arguments({}, params))
        assert.equal(0, ran.exit, ran.err)
        assert.equal(2, #document.entities)
        assert.equal("scanned", by_path(document)[server:path "q/a b.bin"].outcome)
        params.folder = server:path "none"
        document, ran = w:json(arguments({}, params))
        assert.equal(1, ran.exit)
        assert.equal("failed", document.entities[1].outcome)
        assert.equal(server:path "none/", document.entities[1].identifier)
      end)
    end)
  end)
end)

describe("the machine", function()
  it("that is not known fails each file, with its key and the command to trust it", function()
    sshd.with(function(server)
      workspace.simulated({}, function(w)
        w:write("known", "")
        local params = params_of(server, { known = false })
        params.ssh_known_hosts = w:path "known"
        local document, ran = w:json(arguments(two_files(server), params))
        all_fail(document, ran, w, { server:fingerprint "host_ed25519", "ssh-keyscan" })
      end)
    end)
  end)

  it("whose key has changed fails each file, with both fingerprints", function()
    sshd.with(function(server)
      workspace.simulated({}, function(w)
        server:make_key("other", "ed25519")
        local document, ran =
          w:json(arguments(two_files(server), params_of(server, { known = "other" })))
        all_fail(document, ran, w,
          { server:fingerprint "host_ed25519", server:fingerprint "other" })
        assert.equal(1, server:connections() - 1, "one connection, beside the one of the start")
      end)
    end)
  end)

  it("is trusted by a fingerprint", function()
    sshd.with(function(server)
      workspace.simulated({ scenario = SCENARIO }, function(w)
        local params = params_of(server, {
          known = false, params = { ssh_host_key = server:fingerprint "host_ed25519" },
        })
        local _, ran = w:json(arguments(two_files(server), params))
        assert.equal(0, ran.exit, ran.err)
        server:make_key("other", "ed25519")
        params.ssh_host_key = server:fingerprint "other"
        local document, refused = w:json(arguments({ server:write("c", "c"), server:path "a.bin" },
          params))
        assert.equal(1, refused.exit)
        for _, entity in ipairs(document.entities) do assert.equal("failed", entity.outcome) end
      end)
    end)
  end)

  it("that nobody answers for fails each file", function()
    sshd.with(function(server)
      workspace.simulated({}, function(w)
        local document, ran = w:json(arguments(two_files(server),
          params_of(server, { params = { linux_server_address = "127.0.0.1:1" } })))
        all_fail(document, ran, w, { "127.0.0.1:1", "refused" })
      end)
    end)
  end)
end)

describe("the login", function()
  it("by a key that may not fails each file, and is tried once", function()
    sshd.with(function(server)
      workspace.simulated({}, function(w)
        server:make_key("stranger", "ed25519")
        local document, ran = w:json(arguments(two_files(server),
          params_of(server, { params = { ssh_key = server:path "stranger" } })))
        all_fail(document, ran, w, { server.user .. "@127.0.0.1" })
        assert.equal(1, server:connections() - 1)
      end)
    end)
  end)

  it("by an RSA key is refused with the reason", function()
    sshd.with(function(server)
      workspace.simulated({}, function(w)
        server:make_key("rsa", "rsa")
        local document, ran = w:json(arguments(two_files(server),
          params_of(server, { params = { ssh_key = server:path "rsa" } })))
        all_fail(document, ran, w, { "it is an RSA key", "ssh-keygen -t ed25519" })
      end)
    end)
  end)

  it("by a locked key works with its passphrase, which is nowhere to be read", function()
    sshd.with(function(server)
      local canary = "canary-b4d9-passphrase"
      server:make_key("locked", "ed25519", canary)
      server:authorize "locked"
      workspace.simulated({ scenario = SCENARIO }, function(w)
        w:write("passphrase", canary .. "\n")
        os.execute("chmod 600 " .. w:path "passphrase")
        local params = params_of(server, { params = {
          ssh_key = server:path "locked", ssh_key_passphrase = "file:" .. w:path "passphrase",
        } })
        local args = arguments(two_files(server), params)
        for _, word in ipairs { "-v", "-v" } do table.insert(args, word) end
        local _, ran = w:json(args)
        assert.equal(0, ran.exit, ran.err)
        assert.is_nil((ran.out .. ran.err):find(canary, 1, true))
        local holders = io.popen(("grep -rla %s %s"):format(canary, w.folder)):read "a"
        assert.equal(w:path "passphrase" .. "\n", holders)
      end)
    end)
  end)

  it("by a password in plain warns, and shows it nowhere", function()
    sshd.with(function(server)
      local canary = "canary-77aa-password"
      workspace.simulated({}, function(w)
        local params = params_of(server, { params = { linux_password = canary, ssh_key = false } })
        local args = arguments(two_files(server), params)
        for _, word in ipairs { "-v", "-v" } do table.insert(args, word) end
        local document, ran = w:json(args)
        all_fail(document, ran, w, { server.user .. "@127.0.0.1" })
        assert.is_truthy(ran.err:find("linux_password: the secret itself was given", 1, true))
        assert.is_nil((ran.out .. ran.err):find(canary, 1, true))
        assert.equal("", io.popen(("grep -rla %s %s"):format(canary, w.folder)):read "a")
      end)
    end)
  end)

  it("by a password works, and the password is nowhere to be read", function()
    sshd.with_password(function(server)
      workspace.simulated({ scenario = SCENARIO }, function(w)
        w:write("password", server.password .. "\n")
        os.execute("chmod 600 " .. w:path "password")
        local args = arguments({ "/srv/sample.bin" }, {
          linux_server_address = server.address, linux_user = "ana",
          linux_password = "file:" .. w:path "password", ssh_host_key = server.fingerprint,
        })
        for _, word in ipairs { "-v", "-v" } do table.insert(args, word) end
        local document, ran = w:json(args)
        assert.equal(0, ran.exit, ran.err)
        local entity = by_path(document)["/srv/sample.bin"]
        assert.equal("scanned", entity.outcome)
        local digest = io.popen "head -c 1000000 /dev/zero | sha256sum":read "a":match "^%x+"
        assert.equal(digest, entity.enrichment.VirusTotal.Sha256)
        assert.is_nil((ran.out .. ran.err):find(server.password, 1, true))
        local holders =
          io.popen(("grep -rla '%s' %s"):format(server.password, w.folder)):read "a"
        assert.equal(w:path "password" .. "\n", holders)
      end)
    end)
  end)

  it("works by an agent", function()
    sshd.with(function(server)
      sshd.with_agent(server:path "user_ed25519", function(socket)
        workspace.simulated({ scenario = SCENARIO, env = { SSH_AUTH_SOCK = socket } }, function(w)
          local params = params_of(server, { params = { ssh_key = false } })
          local _, ran = w:json(arguments(two_files(server), params))
          assert.equal(0, ran.exit, ran.err)
        end)
      end)
    end)
  end)
end)

describe("before anything is sent", function()
  for name, case in pairs {
    ["no file"] = { { "file_paths=" }, "file_paths: there are none" },
    ["only commas"] = { { "file_paths= , ,, " }, "file_paths: there are none" },
    ["a user without an address"] = {
      { "file_paths=/x", "linux_user=bob" }, "linux_user: is given without linux_server_address" },
    ["an address without a user"] = {
      { "file_paths=/x", "linux_server_address=h" }, "linux_user: is needed with" },
    ["a key without an address"] = {
      { "file_paths=/x", "ssh_key=%KEY" }, "ssh_key: is given without linux_server_address" },
    ["an address that is none"] = {
      { "file_paths=/x", "linux_server_address=a/b", "linux_user=u" },
      "must be host or host:port" },
    ["a port that is none"] = {
      { "file_paths=/x", "linux_server_address=h:99999", "linux_user=u" },
      "the port must be 1 to 65535" },
    ["a key file that is open to others"] = {
      { "file_paths=/x", "linux_server_address=h", "linux_user=u", "ssh_key=%OPEN" },
      "is open to others" },
    ["a key file that is missing"] = {
      { "file_paths=/x", "linux_server_address=h", "linux_user=u", "ssh_key=/none" },
      "cannot be read" },
    ["a passphrase without a key"] = {
      { "file_paths=/x", "linux_server_address=h", "linux_user=u", "ssh_key_passphrase=file:%KEY" },
      "ssh_key_passphrase: is given without ssh_key" },
    ["a password from nowhere"] = {
      { "file_paths=/x", "linux_server_address=h", "linux_user=u", "linux_password=env:NO_SUCH" },
      "NO_SUCH is not set" },
    ["a pin that is none"] = {
      { "file_paths=/x", "linux_server_address=h", "linux_user=u", "ssh_host_key=MD5:00" },
      "has not the form" },
    ["an upload word that is none"] = { { "file_paths=/x", "upload=maybe" }, "is not one of" },
    ["a threshold of 0"] = { { "file_paths=/x", "threshold=0" }, "0 would mark every entity" },
    ["a threshold of -1"] = { { "file_paths=/x", "threshold=-1" }, "-1 is too small" },
    ["a threshold of 2.5"] = { { "file_paths=/x", "threshold=2.5" }, "must be a whole number" },
    ["a threshold of abc"] = { { "file_paths=/x", "threshold=abc" }, "must be a whole number" },
  } do
    it(name .. " is refused with exit 2", function()
      workspace.simulated({}, function(w)
        local places = { KEY = w:path "key", OPEN = w:write("open", "x") }
        os.execute("chmod 644 " .. w:path "open")
        local args = { "action", "upload_and_scan_file" }
        for _, param in ipairs(case[1]) do
          table.insert(args, "--param")
          table.insert(args, (param:gsub("%%(%u+)", places)))
        end
        local ran = w:run(args)
        assert.equal(2, ran.exit, ran.err)
        assert.is_truthy(ran.err:find(case[2], 1, true), ran.err)
        assert.equal("", ran.out)
        assert.equal(0, #w:requests())
      end)
    end)
  end
end)
