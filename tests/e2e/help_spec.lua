-- Help that teaches: of the program, of commands, actions and exit codes.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"

local function shown(...)
  local ran = program.run { ... }
  assert.equal(0, ran.exit, ran.err)
  assert.equal("", ran.err)
  return ran.out
end

describe("help", function()
  it("begins with examples", function()
    for _, command in ipairs { "run", "action", "plan", "report", "cache" } do
      assert.matches("^Usage: apogee " .. command .. " [^\n]*\n\nExamples:\n  apogee ",
        shown("help", command))
      assert.equal(shown(command, "--help"), shown("help", command))
    end
    assert.matches("Examples:\n  apogee run triage %-%-simulate", shown "help")
    assert.equal(shown "--help", shown "help")
  end)

  it("has examples that work", function()
    workspace.simulated({}, function(w)
      w:write("hashes.txt", EICAR .. "\n")
      for _, command in ipairs { "action", "plan" } do
        local lines = shown("help", command):gsub("\\\n *", "")
        local count = 0
        for line in lines:match("Examples:\n(.-)\n\n"):gmatch "apogee ([^\n]+)" do
          local args = {}
          for word in line:gmatch "%S+" do
            table.insert(args, word:match "%.txt$" and w:write(word, EICAR .. "\n") or word)
          end
          local ran = w:run(args)
          assert.equal(0, ran.exit, line .. ": " .. ran.err)
          count = count + 1
        end
        assert.is_true(count >= 2)
      end
    end)
  end)

  it("is silent when its reader has read enough", function()
    for _, words in ipairs { "help plan", "--help", "help", "run --help", "--explain-exit" } do
      local err = os.tmpname()
      program.write(err .. ".there", "")
      -- The reader has gone before the first word.
      os.execute(([[
        { while [ -e ERR.there ]; do :; done; %s/bin/apogee %s 2>ERR; echo $? >ERR.exit; } |
        { exec <&-; rm ERR.there; }]]):format(program.BUILD, words):gsub("ERR", err))
      assert.equal("", program.read(err), words)
      assert.equal("0\n", program.read(err .. ".exit"), words)
      os.remove(err)
      os.remove(err .. ".exit")
    end
  end)

  it("names the command that was meant", function()
    local ran = program.run { "help", "rnu" }
    assert.equal(2, ran.exit)
    assert.matches('unknown command "rnu": did you mean "run"?', ran.err, 1, true)
  end)

  it("of an action is its own page, also behind other options", function()
    local page = shown("action", "scan_hash", "--help")
    assert.equal(page, shown("show", "scan_hash"))
    assert.equal(page, shown("action", "scan_hash", "--threshold", "5", "-h"))
    assert.matches("SYNOPSIS\n    apogee action scan_hash %-%-threshold N", page)
    assert.matches("PARAMETERS\n    %-%-threshold N %(integer, 1 or more; required%)", page)
    assert.matches("OUTPUTS\n    is_risky: .*Detecting Engines", page)
    assert.equal(shown("run", "triage", "--help"), shown("show", "triage"))
    assert.matches("^Usage: apogee action NAME", shown("action", "--help"))
    local ran = program.run { "action", "scan_hsh", "--help" }
    assert.equal(2, ran.exit)
    assert.matches('did you mean "scan_hash"?', ran.err, 1, true)
  end)

  it("has no parameter that an option hides", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local path = w:write("slow.lua", [[return require "apogee.action" { id = "slow",
        name = "Slow", doc = "Waits.", accepts = { "url" }, returns = "is_success",
        params = { { "timeout", type = "integer", required = true } }, run = function(ctx)
          return ctx.failed("it was " .. ctx.params.timeout) end }]])
      local page = w:run({ "action", path, "--help" }).out
      assert.matches("apogee action [^ ]*slow%.lua %-%-param timeout=N", page)
      local document = w:json { "action", path, "--timeout", "7s", "--param", "timeout=9",
        "--no-state", "--format", "json", "--entity", "url:http://a.example/" }
      assert.equal("it was 9", document.entities[1].reason)
    end)
  end)
end)

describe("parameters as options", function()
  it("are those of the action and of the playbook", function()
    workspace.simulated({}, function(w)
      local document = w:json { "action", "scan_hash", "--threshold", "64", "--entity", EICAR,
        "--format", "json" }
      assert.equal(64, document.entities[1].verdict.threshold)
      document = w:json { "run", "--threshold=2", "triage", "--submit-unknown", "--entity", EICAR,
        "--format", "json" }
      assert.same({ threshold = 2, address_threshold = 25, submit_unknown = true },
        document.params)
      assert.equal(cjson.null, document.entities[1].malformed or cjson.null)
    end)
  end)

  it("hide a secret that was typed, and do not keep it", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local path = w:write("log_in.lua", [[return require "apogee.action" { id = "log_in",
        name = "Log in", doc = "Logs in.", accepts = { "url" }, returns = "is_success",
        params = { { "pass_word", type = "secret" } }, run = function(ctx)
          return ctx.failed("no") end }]])
      local ran = w:run { "action", path, "--pass-word", "hunter2hunter2", "--entity",
        "url:http://a.example/", "--format", "json" }
      assert.equal(1, ran.exit, ran.err)
      assert.matches("pass_word: the secret itself was given", ran.err)
      assert.is_nil((ran.out .. ran.err):find("hunter2", 1, true))
      assert.is_nil(os.execute("grep -rq hunter2 " .. program.quote(w:path "state")))
    end)
  end)
end)

describe("--explain-exit", function()
  it("says what each code means and what to do", function()
    local all = shown "--explain-exit"
    for _, code in ipairs { 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12 } do
      local one = shown("--explain-exit", tostring(code))
      assert.matches("^" .. code .. " +%l", one)
      assert.truthy(all:find(one, 1, true), one)
    end
    assert.matches("apogee resume", shown("--explain-exit", "4"))
  end)

  it("knows no other", function()
    for _, code in ipairs { "8", "137", "x", "" } do
      local ran = program.run { "--explain-exit", code }
      assert.equal(2, ran.exit)
      assert.matches("is no exit code of apogee", ran.err)
    end
  end)
end)
