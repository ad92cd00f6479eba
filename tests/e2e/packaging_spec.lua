-- What `cmake --install` puts in place, and what systemd says of its units.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local BIN = assert(os.getenv "APOGEE_BIN")
local BUILD = BIN:match "^(.*)/bin/apogee$"
local PREFIX = "/usr/local"

-- Of 100; systemd calls up to 20 "OK". Network, the host's root and sockets are what is left.
local EXPOSURE_MOST = 12

local function shell(command)
  local out_path = os.tmpname()
  local _, _, code = os.execute(("(%s) >%s 2>&1"):format(command, out_path))
  local out = program.read(out_path)
  os.remove(out_path)
  return code, out
end

local function install(w)
  local code, out = shell(("DESTDIR=%s cmake --install %s"):format(program.quote(w:path "root"),
    program.quote(BUILD)))
  assert(code == 0, out)
  return w:path "root" .. PREFIX
end

local function absolute(path)
  if path:sub(1, 1) == "/" then return path end
  return os.getenv "PWD" .. "/" .. path
end

--- The service and the timer as installed, with the program where this test finds it.
local function units(w)
  local folder = install(w) .. "/lib/systemd/system/"
  local service = assert(program.read(folder .. "apogee@.service"))
  local text, count = service:gsub(PREFIX .. "/bin/apogee", absolute(BIN))
  assert.equal(1, count)
  local quoted = program.quote(w:path "apogee@nightly.timer")
  assert(os.execute(("cp %s %s"):format(program.quote(folder .. "apogee@.timer"), quoted)))
  return w:write("apogee@nightly.service", text), w:path "apogee@nightly.timer", text
end

describe("an installation", function()
  it("below DESTDIR is whole and runs", function()
    workspace.with(function(w)
      local prefix = install(w)
      for _, name in ipairs { "share/man/man1/apogee.1",
        "share/man/man5/apogee-action.5", "share/man/man5/apogee-playbook.5",
        "share/bash-completion/completions/apogee", "lib/systemd/system/apogee@.service",
        "lib/systemd/system/apogee@.timer", "share/apogee/actions/scan_hash.lua",
        "share/apogee/playbooks/triage.lua" } do
        assert.is_string(program.read(prefix .. "/" .. name), name)
      end
      local code, out = shell(program.quote(prefix .. "/bin/apogee")
        .. " run triage --simulate --no-state --format json --entity http://malware.example.com/")
      assert.equal(0, code, out)
      assert.matches('"schema": *"apogee.run/1"', out)
    end)
  end)

  it("has a service whose command line runs as systemd would run it", function()
    workspace.simulated({}, function(w)
      local _, _, text = units(w)
      local state, credentials = w:path "var/apogee", w:path "credentials"
      assert(os.execute(("mkdir -m 700 -p %s %s && cp -p %s %s"):format(program.quote(state),
        program.quote(credentials), program.quote(w:path "key"),
        program.quote(credentials .. "/vt.key"))))
      w:write("triage.entities", "http://malware.example.com/\n")
      local command = assert(text:match "\nExecStart=(.-[^\\])\n"):gsub("\\\n", "")
      local lines = {
        "umask 077", "HOME=/", "CREDENTIALS_DIRECTORY=" .. credentials,
        "STATE_DIRECTORY=" .. state,
      }
      for line in text:gmatch '\nEnvironment=([^\n]+)' do
        table.insert(lines, (line:gsub('^"?([%u_]+)=(.-)"?$', "%1='%2'")))
      end
      for name in table.concat(lines, "\n"):gmatch "([%u_]+)=" do
        table.insert(lines, "export " .. name)
      end
      local script = table.concat(lines, "\n") .. "\n" .. command .. "\n"
      script = script:gsub("%%i", "triage"):gsub("%%S", w:path "var"):gsub("/etc/apogee", w.folder)
      w:configure { virustotal = { url = w.url, api_key = "file:/missing" } }
      local code, out = shell("env -i sh " .. program.quote(w:write("service.sh", script)))
      assert.equal(0, code, out)
      assert.equal("", out)
      local result = assert(program.read(state .. "/triage.json"))
      assert.equal("completed", cjson.decode(result).status)
      assert.is_string(program.read(state .. "/apogee.db"))
      assert.is_string(program.read(state .. "/locks/triage"))
    end)
  end)

  it("has units that systemd takes, and calls hardened", function()
    if not os.execute "command -v systemd-analyze >/dev/null" then
      pending "systemd-analyze is not on this machine: the units were not checked"
      return
    end
    workspace.with(function(w)
      local service, timer = units(w)
      local code, out = shell(("systemd-analyze verify --man=no %s %s"):format(
        program.quote(service), program.quote(timer)))
      assert.equal(0, code, out)
      assert.equal("", out)
      code, out = shell(("systemd-analyze security --no-pager --offline=yes --threshold=%d %s")
        :format(EXPOSURE_MOST, program.quote(service)))
      assert.equal(0, code, out)
    end)
  end)
end)
