-- What `cmake --install` puts in place, and what systemd says of its units.
-- SPDX-License-Identifier: Apache-2.0
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
      for _, name in ipairs { "share/man/man1/apogee.1", "lib/systemd/system/apogee@.service",
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

  it("has units whose command line the program knows", function()
    workspace.with(function(w)
      local _, _, text = units(w)
      local command = assert(text:match "\nExecStart=(.-[^\\])\n")
      local known = program.run({ "run", "--help" }).out
      local count = 0
      for option in command:gmatch "%-%-[%l-]+" do
        assert.is_truthy(known:find(option:gsub("%-", "%%-") .. "[ \n]"), option)
        count = count + 1
      end
      assert.is_true(count >= 5)
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
