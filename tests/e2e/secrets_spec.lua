-- A canary: a key that must turn up nowhere but in what is sent to the service.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local CANARY = "cafe" .. ("0badf00d"):rep(7) .. "cafe"
local EICAR = "44d88612fea8a8f36de82e1278abb02f"

local function holds(text) return text:lower():find(CANARY, 1, true) ~= nil end

local function check_folder(w, ran)
  assert.is_false(holds(ran.out), "the key is on standard output")
  assert.is_false(holds(ran.err), "the key is on standard error")
  local found = io.popen(("grep -rlai %s %s"):format(CANARY, program.quote(w.folder))):read "a"
  assert.equal(w:path "key" .. "\n", found, "only the key's own file holds it")
end

local function with_canary(given, use)
  workspace.simulated(given, function(w)
    w:write("key", CANARY .. "\n")
    use(w)
  end)
end

describe("the key", function()
  it("is in no output, log or record of a run that goes well", function()
    with_canary({}, function(w)
      check_folder(w, w:run {
        "run", "triage", "--entities", "playbooks/triage-indicators.txt", "-v", "-v",
        "--format", "json", "--output", w:path "result.json",
      })
    end)
  end)

  for name, scenario in pairs {
    ["is refused"] = "{ status = 403 }",
    ["meets a server that fails"] = "{ status = 500, body = 'echo' }",
    ["meets broken JSON"] = "{ garbage = true }",
    ["meets a cut connection"] = "{ cut = 'middle' }",
    ["is sent back by the server"] = ("{ status = 200, body = %q }")
      :format(('{"response_code":-1,"verbose_msg":"bad apikey %s"}'):format(CANARY)),
  } do
    it("is in none of one that " .. name, function()
      with_canary({
        scenario = "return { answers = { ['* *'] = { " .. scenario .. " } } }",
        settings = { virustotal = { retries = 1 } },
      }, function(w)
        local ran = w:run {
          "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR, "-v", "-v",
          "--log-format", "json", "--format", "ndjson", "--output", w:path "result.json",
        }
        os.remove(w:path "scenario.lua")
        check_folder(w, ran)
      end)
    end)
  end

  it("in an environment variable is gone from the process", function()
    with_canary({
      scenario = "return { answers = { ['file/report *'] = { { delay_ms = 30000 } } } }",
    }, function(w)
      local env = w:environment()
      w:configure { virustotal = { url = w.url, api_key = "env:MY_KEY" } }
      env.MY_KEY = CANARY
      local process = program.start({
        "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR,
      }, env)
      -- The state is opened once the key was read.
      assert(simulator.wait("[ -e " .. w:path "state/apogee.db" .. " ]", 10))
      local environ = io.popen(("tr '\\0' '\\n' </proc/%d/environ 2>/dev/null"):format(process.pid))
      assert.is_false(holds(environ:read "a"))
      local arguments = io.popen(("tr '\\0' ' ' </proc/%d/cmdline"):format(process.pid)):read "a"
      assert.is_false(holds(arguments))
      process:signal "TERM"
      assert.is_false(holds(process:wait(5).err))
    end)
  end)

  it("is not given to a redirect's target", function()
    with_canary({
      scenario = "return { answers = { ['file/report *'] = { { status = 302 } } } }",
    }, function(w)
      local document, ran = w:json {
        "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR, "--format", "json",
      }
      assert.equal(1, ran.exit)
      assert.equal("failed", document.entities[1].outcome)
      assert.equal(1, #w:requests())
    end)
  end)
end)

describe("a secret in a script", function()
  local ACTION = [[
    return require "apogee.action" {
      id = "peek", name = "Peek", doc = "Tries to read a secret.", returns = "is_success",
      accepts = { "filehash" },
      params = {
        { "one", type = "secret" }, { "two", type = "secret" }, { "other", type = "secret" },
      },
      run = function(ctx, entity)
        local s = ctx.params.one
        local function try(name, fn)
          local ok, value = pcall(fn)
          log.warn("%s: %s", name, ok and tostring(value) or "no")
        end
        try("tostring", function() return tostring(s) end)
        try("format", function() return ("%s"):format(s) end)
        try("concat", function() return s .. "" end)
        try("index", function() return s.text end)
        try("length", function() return #s end)
        try("metatable", function() return getmetatable(s) end)
        try("rawlen", function() return rawlen(s) end)
        try("json", function() return json.encode { s } end)
        try("byte", function() return ("").byte(s) end)
        try("same", function() return s == ctx.params.two end)
        try("different", function() return s == ctx.params.other end)
        try("enrich", function() entity:enrich("s", s) end)
        log.warn(s)
        error(s)
      end,
    }
  ]]

  it("is an opaque handle: stars, and equal to itself", function()
    workspace.with(function(w)
      os.execute("mkdir " .. w:path "actions")
      w:write("actions/peek.lua", ACTION)
      w:write("secret", CANARY .. "\n")
      w:write("other", "another-secret\n")
      os.execute(("chmod 600 %s %s"):format(w:path "secret", w:path "other"))
      w.env = { APOGEE_CONFIG = "", APOGEE_ACTIONS_PATH = w:path "actions" }
      local ran = w:run {
        "action", "peek", "--simulate", "--entity", EICAR, "--format", "json",
        "--param", "one=file:" .. w:path "secret", "--param", "two=" .. CANARY,
        "--param", "other=file:" .. w:path "other",
      }
      assert.equal(1, ran.exit)
      assert.is_false(holds(ran.out))
      assert.is_false(holds(ran.err))
      for _, line in ipairs {
        "tostring: ***", "format: ***", "concat: ***", "index: no", "length: no", "json: no",
        "byte: no", "different: false", "metatable: false",
      } do
        assert.is_truthy(ran.err:find(line, 1, true), line .. " is not in " .. ran.err)
      end
      assert.is_truthy(ran.out:find('"reason":"***"', 1, true), ran.out)
    end)
  end)
end)
