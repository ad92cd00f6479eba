-- A first configuration, from a key to a run that works.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local OTHER_KEY = ("fedcba98"):rep(8)

local function mode(path)
  local pipe = assert(io.popen("stat -c %a " .. program.quote(path)))
  local text = pipe:read "l"
  pipe:close()
  return text
end

--- A home without a configuration, and a simulator that is asked instead of VirusTotal.
local function with_home(args, use, scenario)
  workspace.simulated({ args = args, scenario = scenario }, function(w)
    w.env = { APOGEE_CONFIG = "", XDG_CONFIG_HOME = w:path "xdg", APOGEE_VT_URL = w.url }
    use(w, w:path "xdg/apogee/config.lua", w:path "xdg/apogee/vt.key")
  end)
end

local function is_silent_of_key(ran)
  assert.is_nil((ran.out .. ran.err):find(simulator.KEY, 1, true))
end

describe("init", function()
  for tier, args in pairs { public = { "--no-quota" }, premium = { "--premium", "--no-quota" } } do
    it("finds a " .. tier .. " key and writes what a run then works with", function()
      with_home(args, function(w, config, key)
        local ran = w:run({ "init" }, "  " .. simulator.KEY .. "\r\nmore\n")
        assert.equal(0, ran.exit, ran.err)
        assert.matches("the key works", ran.out)
        assert.matches("Tier: " .. tier, ran.out)
        is_silent_of_key(ran)
        assert.equal(simulator.KEY, program.read(key))
        assert.equal("600", mode(key))
        assert.equal("700", mode(w:path "xdg/apogee"))
        assert.matches('tier = "' .. tier .. '"', program.read(config))
        assert.is_nil(program.read(config):find(simulator.KEY, 1, true))
        assert.equal("", w:left_over())
        w.env.APOGEE_VT_URL = "" -- it is in the file
        ran = w:run { "action", "scan_hash", "--threshold", "3", "--entity", EICAR }
        assert.equal(0, ran.exit, ran.err)
      end)
    end)
  end

  it("counts what it asks: a run right behind it does not ask too often", function()
    with_home({}, function(w)
      w.env.APOGEE_STATE_DIR = "" -- the usual one
      assert.equal(0, w:run({ "init" }, simulator.KEY).exit)
      local asked = #w:requests()
      local quota = w:json { "quota", "--format", "json" }
      assert.equal(asked, quota.minute.used)
      assert.same({ { name = "init", today = asked, this_month = asked } }, quota.spent_by)
    end)
  end)

  it("writes over nothing without --force", function()
    with_home(nil, function(w, config, key)
      assert.equal(0, w:run({ "init" }, simulator.KEY).exit)
      for _, path in ipairs { config, key } do
        w:run({ "init", "--force" }, simulator.KEY)
        os.remove(path == config and key or config)
        local before = #w:requests()
        local ran = w:run({ "init" }, OTHER_KEY)
        assert.equal(2, ran.exit)
        assert.matches("is there already: %-%-force writes over it", ran.err)
        assert.equal(before, #w:requests())
      end
      assert.equal(0, w:run({ "init", "--force" }, OTHER_KEY).exit)
      assert.equal(OTHER_KEY, program.read(key))
    end)
  end)

  it("writes nothing when the key is refused, or nobody answers", function()
    with_home(nil, function(w, config, key)
      local ran = w:run({ "init" }, "not-a-key")
      assert.equal(3, ran.exit)
      assert.matches("nothing was written: VirusTotal refused the key", ran.err)
      assert.is_nil(program.read(config))
      assert.is_nil(program.read(key))
      w.env.APOGEE_VT_URL = "http://127.0.0.1:1/"
      ran = w:run({ "init", "--retries", "0" }, simulator.KEY)
      assert.equal(3, ran.exit)
      assert.matches("the key could not be tried .*%-%-no%-try", ran.err)
      assert.is_nil(program.read(key))
      is_silent_of_key(ran)
      ran = w:run({ "init", "--no-try" }, simulator.KEY)
      assert.equal(0, ran.exit, ran.err)
      assert.equal(simulator.KEY, program.read(key))
    end)
  end)

  it("says that it cannot tell the tier while the quota is spent", function()
    local scenario = ('return { keys = { ["%s"] = { tier = "premium", per_minute = 0, '
      .. 'per_day = 0, per_month = 0 } }, answers = { ["file/report *"] = { { status = 204 } } } }')
      :format(simulator.KEY)
    with_home(nil, function(w, config)
      local ran = w:run({ "init" }, simulator.KEY)
      assert.equal(0, ran.exit, ran.err)
      assert.matches("its quota is spent", ran.out)
      assert.matches('tier = "public"', program.read(config))
    end, scenario)
  end)

  it("rehearses with --simulate, without a key and without a file", function()
    with_home(nil, function(w, config, key)
      local ran = w:run { "init", "--simulate", "--tier", "premium" }
      assert.equal(0, ran.exit, ran.err)
      assert.matches("Tier: premium", ran.out)
      assert.matches("A rehearsal: nothing was written", ran.out)
      assert.matches("Tier: public", w:run({ "init", "--simulate" }).out)
      assert.is_nil(program.read(config))
      assert.is_nil(program.read(key))
      assert.equal(0, #w:requests())
    end)
  end)

  it("takes no key as a word, and says nothing of it", function()
    with_home(nil, function(w)
      for _, input in ipairs { "", "\n", "two words\n", "caf\u{e9}\n" } do
        local ran = w:run({ "init" }, input)
        assert.equal(2, ran.exit)
        assert.matches(input:find "%g" and "that is no key" or "no key was given", ran.err)
      end
      local ran = w:run({ "init", simulator.KEY })
      assert.equal(2, ran.exit)
      is_silent_of_key(ran)
    end)
  end)

  it("writes to --config", function()
    with_home(nil, function(w)
      local path = w:path 'a "b" folder/mine.lua'
      local ran = w:run({ "init", "--config", path }, simulator.KEY)
      assert.equal(0, ran.exit, ran.err)
      assert.equal(simulator.KEY, program.read(w:path 'a "b" folder/vt.key'))
      assert.equal(0, w:run({ "ping", "--config", path }).exit)
    end)
  end)

  it("does not show what is typed on a terminal", function()
    if not os.execute "command -v script >/dev/null" then
      pending "there is no script(1) to make a terminal with"
      return
    end
    with_home(nil, function(w, _, key)
      local typescript = w:path "typescript"
      -- The key is typed once the prompt is there.
      local command = ("{ until grep -qs 'not shown' %s; do sleep 0.02; done; echo %s; } | "
        .. "timeout 30 script -qfec %s %s >%s"):format(program.quote(typescript), simulator.KEY,
        program.quote(program.command({ "init" }, w:environment())), program.quote(typescript),
        program.quote(w:path "shown"))
      assert(os.execute(command))
      local shown = program.read(typescript) .. program.read(w:path "shown")
      assert.matches("VirusTotal API key %(not shown%): ", shown)
      assert.matches("the key works", shown)
      assert.is_nil(shown:find(simulator.KEY, 1, true))
      assert.equal(simulator.KEY, program.read(key))
    end)
  end)
end)
