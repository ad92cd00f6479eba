-- Wrong turns before anything is sent: the key, the command line, scripts, the configuration.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"
local wrong = require "e2e.support.wrong"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"

local function mode(bits, path)
  assert(os.execute("chmod " .. bits .. " " .. program.quote(path)))
end

--- The command, with "@name" replaced by that file's path in the workspace.
local function words_of(w, args)
  local words = {}
  for index, word in ipairs(args) do
    words[index] = word:gsub("@([%w.]+)", function(name) return w:path(name) end)
  end
  return words
end

local function try(case)
  workspace.with(function(w)
    w.env = { APOGEE_CONFIG = "" }
    for name, value in pairs(case.env or {}) do w.env[name] = value end
    for name, text in pairs(case.files or {}) do w:write(name, text) end
    if case.prepare then case.prepare(w) end
    local args = words_of(w, case.args)
    table.insert(args, "--output")
    table.insert(args, w:path "result")
    if case.is_offline then args[#args], args[#args - 1] = nil, nil end
    wrong.check(case, w:run(args))
    assert.is_nil(program.read(w:path "result"))
    assert.equal("", io.popen("ls -A " .. w.folder .. " | grep apogee-"):read "a")
  end)
end

local function each(cases)
  for _, case in ipairs(cases) do
    case.exit = 2
    it(case[1] .. " is a sentence and exit 2", function() try(case) end)
  end
end

local ASK = { "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR }

local function ask(...)
  local args = table.move(ASK, 1, #ASK, 1, {})
  for _, word in ipairs { ... } do table.insert(args, word) end
  return args
end

local function simulate(...) return ask("--simulate", ...) end

local function playbook(text)
  return { ["p.lua"] = 'return require "apogee.playbook" {\n' .. text .. "}\n" }
end

local RUN = { "run", "@p.lua", "--simulate", "--entity", EICAR }

describe("the key", function()
  each {
    { "none", args = ask(), says = "there is no API key: set APOGEE_VT_API_KEY, or",
      also = { "; --simulate needs none" } },
    { "none for ping", args = { "ping" }, says = "there is no API key",
      also = { "apogee: error: there is no API key" } },
    { "a file that others can read", args = ask("--api-key", "file:@key"),
      prepare = function(w) mode("644", w:path "key") end,
      says = "run chmod 600 on it", also = { "others can read" } },
    { "a file that is not there", args = ask("--api-key", "file:@nokey"), says = "cannot open" },
    { "a link", args = ask("--api-key", "file:@link"), says = "it is a symbolic link",
      prepare = function(w) os.execute(("ln -s key %s"):format(w:path "link")) end },
    { "an empty file", args = ask("--api-key", "file:@empty"), files = { empty = "" },
      prepare = function(w) mode("600", w:path "empty") end, says = "virustotal.api_key is empty" },
    { "a variable that is not set", args = ask("--api-key", "env:NO_SUCH"),
      says = "the environment variable NO_SUCH is not set" },
    { "a credential outside of systemd", args = ask("--api-key", "credential:vt"),
      says = "works under systemd with LoadCredential= only" },
    { "itself in the configuration", args = ask("--config", "@c.lua"),
      files = { ["c.lua"] = ("return { virustotal = { api_key = %q } }"):format(simulator.KEY) },
      says = "never the secret itself" },
  }

  it("given itself on the command line is warned of, and not repeated", function()
    workspace.simulated({}, function(w)
      local ran = w:run(ask("--api-key", simulator.KEY))
      assert.equal(0, ran.exit)
      assert.matches("the secret itself was given", ran.err)
      assert.is_nil(ran.err:find(simulator.KEY, 1, true))
    end)
  end)
end)

describe("the command line", function()
  each {
    { "an unknown command", args = { "actoin" }, is_offline = true,
      says = 'unknown command "', also = { 'did you mean "action"?' } },
    { "an unknown option", args = simulate "--formta=json", says = "unknown option" },
    { "a mistyped parameter", args = simulate "--treshold=5",
      says = "unknown option", also = { "did you mean --threshold?" } },
    { "a parameter without its value", args = simulate "--threshold", says = "needs a value" },
    { "an option without its value", args = simulate "--jobs", is_offline = true,
      says = "needs a value" },
    { "a value of the wrong kind", args = simulate("--timeout", "soon"),
      says = "it must be a duration from", also = { 'like "60s"', 'not "soon"' } },
    { "a format that is none", args = simulate("--format", "xml"),
      says = "it must be json, ndjson, table, csv, markdown or html" },
    { "an unknown action", args = { "action", "scan_hsh" },
      says = 'there is no action "', also = { 'did you mean "scan_hash"?' } },
    { "an unknown playbook", args = { "run", "triag" },
      says = 'there is no playbook "', also = { 'did you mean "triage"?' } },
    { "a playbook's file that is not there", args = { "run", "@p.lua" }, says = "no such file" },
    { "no playbook at all", args = { "run" }, says = "is missing: which" },
    { "one word too many", args = { "run", "triage", "hashes.txt" }, says = "is one too many",
      also = { "--entities FILE" } },
    { "an unknown parameter", args = simulate("--param", "treshold=3"),
      says = "unknown parameter", also = { 'did you mean "threshold"?' } },
    { "a required parameter left out", says = "is required",
      args = { "action", "scan_hash", "--simulate", "--entity", EICAR },
      also = { "give --threshold N" } },
    { "a parameter of the wrong kind", says = "must be a whole number",
      args = { "action", "scan_hash", "--simulate", "--param", "threshold=many" } },
    { "a parameter out of its range", says = "it must be 1 or more",
      args = { "action", "scan_hash", "--simulate", "--param", "threshold=0" } },
    { "an unknown step", args = { "run", "triage", "--simulate", "--only", "hash" },
      says = "no step has this name or tag", also = { 'did you mean "hashes"?' } },
    { "an unknown type", args = { "action", "scan_hash", "--simulate", "--param", "threshold=3",
        "--entity", "filehsh:" .. EICAR },
      says = "there is no type", also = { 'did you mean "filehash"?' } },
    { "an entity that is none", args = simulate("--entity", "10.0.0.0/8"), says = "no indicator" },
    { "a scenario without the simulator", args = ask("--scenario", "@s.lua"),
      says = "--scenario goes with --simulate" },
  }
end)

describe("a script", function()
  each {
    { "of broken Lua", args = RUN, files = { ["p.lua"] = "return {\n  x = = 1,\n}\n" },
      says = "unexpected symbol near", also = { "p.lua:2: " } },
    { "that is no playbook", args = RUN, files = { ["p.lua"] = "return 5\n" },
      says = "is no playbook: it does not return playbook { ... }" },
    { "that returns nothing", args = RUN, files = { ["p.lua"] = "local x = 1\n" },
      says = "returns nothing" },
    { "that raises", args = RUN, files = { ["p.lua"] = "\nerror 'boom'\n" },
      says = "p.lua:2: boom" },
    { "that does not end", args = RUN, files = { ["p.lua"] = "while true do end\n" },
      says = "ran for more than" },
    { "that wants what it may not have", args = RUN, says = "attempt to index a nil value",
      files = { ["p.lua"] = "os.remove 'x'\n" }, also = { "p.lua:1: " } },
    { "with an unknown key", args = RUN, says = "unknown key", also = { 'did you mean "steps"?' },
      files = playbook 'name = "P", stepps = {}' },
    { "with an unknown action in a step", args = RUN, says = 'there is no action "',
      files = playbook 'name = "P", steps = { { "a", action = "scan_hsh", on = "filehash" } }',
      also = { "p.lua:2: steps.a.action", 'did you mean "scan_hash"?' } },
    { "with an unknown type in a step", args = RUN, says = "unknown type",
      files = playbook 'name = "P", steps = { { "a", action = "scan_ip", on = "ip_adress" } }',
      also = { 'did you mean "ip_address"?' } },
    { "with an unknown parameter in a step", args = RUN, says = "has no such parameter",
      files = playbook [[name = "P", steps = {
        { "a", action = "scan_ip", on = "ip_address", with = { treshold = 1 } } } ]],
      also = { 'did you mean "threshold"?' } },
    { "that is no action", args = { "action", "@p.lua", "--simulate" },
      files = { ["p.lua"] = "return 5\n" }, says = "is no action" },
  }
end)

describe("the configuration", function()
  local function with(name, text, fields)
    local case = {
      name, args = { "show", "config", "--config", "@c.lua" }, is_offline = true,
      files = { ["c.lua"] = text },
    }
    for key, value in pairs(fields) do case[key] = value end
    return case
  end
  each {
    with("with an unknown key", "return { jobbs = 3 }",
      { says = "unknown key", also = { "jobbs: did you mean jobs?" } }),
    with("with an unknown key inside", "return { virustotal = { timout = '1s' } }",
      { says = "unknown key", also = { "did you mean virustotal.timeout?" } }),
    with("with a value of the wrong kind", "return { deadline = '3 parsecs' }",
      { says = "must be a duration from", also = { "c.lua: deadline", '"10m"' } }),
    with("with a password in the proxy", "return { virustotal = { proxy = 'http://a:pw@b:1' } }",
      { says = "that is virustotal.proxy_password" }),
    with("of broken Lua", "return {\n  jobs = = 3,\n}\n",
      { says = "unexpected symbol near", also = { "c.lua:2: " } }),
    with("that returns no table", "return 5", { says = "the file does not return a table" }),
    with("that others may write", "return {}",
      { says = "others may write it: run chmod go-w on it",
        prepare = function(w) mode("666", w:path "c.lua") end }),
    { "that is not there", args = { "show", "config", "--config", "@c.lua" }, is_offline = true,
      says = "names a configuration file that is not there" },
    { "with a URL that is none in the environment", args = { "show", "config" }, is_offline = true,
      env = { APOGEE_VT_URL = "http://www.virustotal.com/vtapi/v2" },
      says = "it must be an https URL", also = { "APOGEE_VT_URL" } },
    { "with a folder of actions that is a list", is_offline = true,
      args = { "show", "config", "--config", "@c.lua" },
      files = { ["c.lua"] = "return { actions_path = { 5 } }" },
      says = "actions_path must be" },
  }
end)
