-- Wrong turns when writing: a disk that fills, a place that cannot be written, a reader that goes.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"
local wrong = require "e2e.support.wrong"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local NDJSON = {
  "run", "triage", "--simulate", "--entities", "playbooks/triage-indicators.txt", "--quiet",
  "--format", "ndjson",
}

local function scan(...)
  return { "action", "scan_hash", "--simulate", "--param", "threshold=3", "--entity", EICAR, ... }
end

--- Runs a line of the shell, in which %s is the program with its arguments.
local function shell(w, line, args)
  local out, err = w:path "out", w:path "err"
  local env = w:environment()
  env.APOGEE_CONFIG = ""
  local command = ("( %s ) >%s 2>%s"):format(line:format(program.command(args, env)), out, err)
  local _, how, code = os.execute(command)
  assert.equal("exit", how)
  return { out = program.read(out), err = program.read(err), exit = code }
end

local FULL = "cannot be written: the disk is full"

describe("a result", function()
  for _, case in ipairs {
    { "to a disk that is full", line = "%s >/dev/full", args = scan(), says = FULL },
    { "to a disk that is full, while it comes", line = "%s >/dev/full", args = NDJSON,
      says = FULL },
    { "to a file on a disk that is full", line = "%s", args = scan("--output", "/dev/full"),
      says = FULL },
    { "to a standard output that is closed", line = "%s >&-", args = NDJSON,
      says = "cannot be written: Bad file descriptor" },
    { "to a folder", line = "%s", args = scan("--output", "/tmp"), says = "it is a folder" },
    { "to a folder that is not there", line = "%s", args = scan("--output", "/no/such/folder"),
      says = "cannot be written: No such file" },
    { "of entities to a disk that is full", line = "%s >/dev/full",
      args = { "entities", "--entity", "8.8.8.8" }, says = "could not be written" },
  } do
    it(case[1] .. " is a sentence and exit 7", function()
      case.exit = 7
      workspace.with(function(w) wrong.check(case, shell(w, case.line, case.args)) end)
    end)
  end

  it("to nobody any more is a sentence and exit 7", function()
    workspace.with(function(w)
      local ran = shell(w, "{ %s; echo $? >" .. w:path "code" .. "; } | true", NDJSON)
      ran.exit = math.tointeger(tonumber(program.read(w:path "code")))
      wrong.check({ exit = 7, says = "its reader has gone" }, ran)
    end)
  end)

  it("larger than a file may be leaves what was there, and nothing beside it", function()
    workspace.with(function(w)
      local path = w:write("result.json", "old")
      local ran = shell(w, "ulimit -f 1; %s", scan("--format", "json", "--output", path))
      assert.equal(7, ran.exit)
      assert.equal("old", program.read(path))
      assert.equal("", io.popen("ls -A " .. w.folder .. " | grep apogee-"):read "a")
    end)
  end)
end)

describe("the state", function()
  local function hashes(w)
    local lines = {}
    for number = 1, 100 do lines[number] = ("%032x"):format(number) end
    return w:write("hashes.txt", table.concat(lines, "\n"))
  end

  it("that cannot grow ends the run with a sentence and exit 7", function()
    workspace.with(function(w)
      local ran = shell(w, "ulimit -f 8; %s", {
        "action", "scan_hash", "--simulate", "--tier", "premium", "--param", "threshold=3",
        "--entities", hashes(w), "--output", w:path "result.json",
      })
      wrong.check({
        exit = 7, says = "the record of the run cannot be written",
        also = { w:path "state", "--state-dir" },
      }, ran)
      assert.is_nil(program.read(w:path "result.json"))
      assert.equal("", io.popen("ls -A " .. w.folder .. " | grep apogee-"):read "a")
    end)
  end)

  for name, path in pairs {
    ["below a file"] = "/dev/null/state", ["where nothing can be made"] = "/proc/state",
  } do
    it(name .. " is a sentence and exit 7, and nothing is asked", function()
      workspace.with(function(w)
        wrong.check({ exit = 7, says = "the state cannot be written", also = { path } },
          shell(w, "%s", scan("--state-dir", path)))
      end)
    end)
  end

  it("without a home is a sentence and exit 7", function()
    local ran = program.run(scan(), "", {})
    wrong.check({ exit = 7, says = "there is no folder for the state: set HOME" }, ran)
  end)
end)
