-- The configuration: file, environment and command line, each stronger than the one before.
-- SPDX-License-Identifier: Apache-2.0
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

--- `show config` as a table: key -> { value, where it came from }.
local function shown(w, args)
  local ran = w:run { "show", "config", table.unpack(args or {}) }
  assert.equal(0, ran.exit, ran.err)
  local settings = {}
  for key, value, from in ran.out:gmatch "\n(%S+) = (.-)  # ([^\n]*)" do
    settings[key] = { value, from }
  end
  return settings, ran
end

local FILE = [[
return {
  virustotal = {
    url = "https://file.example.com/v2", api_key = "file:keys/vt.key", timeout = "1m30s",
    ca_file = "ca.pem", proxy = "http://ana@proxy.example.com:3128",
    proxy_password = "env:PROXY_PASSWORD", tier = { per_minute = 10 }, upload_max = "32MB",
  },
  jobs = 7, deadline = "1h30m", max_wait = 90,
  cache = { report = "2d" }, keep = { max = "1536MiB" },
  actions_path = { "actions", "/opt/actions" },
}]]

describe("a setting", function()
  it("is the command line's before the environment's before the file's before ours", function()
    workspace.with(function(w)
      local path = w:write("config.lua", FILE)
      local of_file = { '"https://file.example.com/v2"', path .. ": virustotal.url" }
      assert.same(of_file, shown(w)["virustotal.url"])
      w.env.APOGEE_VT_URL = "https://environment.example.com/v2"
      assert.same({ '"https://environment.example.com/v2"', "APOGEE_VT_URL" },
        shown(w)["virustotal.url"])
      assert.same({ '"https://option.example.com/v2"', "--url" },
        shown(w, { "--url", "https://option.example.com/v2" })["virustotal.url"])
      local none = w:write("none.lua", "return {}")
      assert.same({ "32", "default" }, shown(w, { "--config", none }).jobs)
    end)
  end)

  it("is used as it is shown", function()
    workspace.simulated({}, function(w)
      local url = w.url
      w:configure { virustotal = { url = "http://127.0.0.1:9/vtapi/v2", retries = 0 } }
      assert.equal(3, w:run({ "ping" }).exit)
      assert.equal(0, w:run({ "ping", "--url", url }).exit)
      w.env.APOGEE_VT_URL = url
      assert.equal(0, w:run({ "ping" }).exit)
      assert.equal(3, w:run({ "ping", "--url", "http://127.0.0.1:9/vtapi/v2" }).exit)
    end)
  end)

  it("is written as people write durations and sizes", function()
    workspace.with(function(w)
      local path = w:write("config.lua", FILE)
      local settings = shown(w)
      for key, value in pairs {
        ["virustotal.timeout"] = '"1m30s"', deadline = '"1h30m"', max_wait = '"1m30s"',
        ["cache.report"] = '"2d"', ["virustotal.upload_max"] = '"32MB"', ["keep.max"] = '"1536MiB"',
        ["virustotal.poll_interval"] = '"1m"', jobs = "7",
        ["virustotal.ca_file"] = '"' .. w:path "ca.pem" .. '"',
        actions_path = '{ "' .. w:path "actions" .. '", "/opt/actions" }',
        ["virustotal.tier"] = "{ per_minute = 10, per_day = 500, per_month = 15500, list = 4, "
          .. "premium = false }",
      } do
        assert.equal(value, settings[key][1], key)
      end
      assert.equal(path .. ": cache.report", settings["cache.report"][2])
      assert.equal('"2h"', shown(w, { "--deadline", "120m" }).deadline[1])
      assert.equal('"200MB"', shown(w, { "--upload-max", "200000000" })["virustotal.upload_max"][1])
    end)
  end)

  it("that is secret is stars, with the place where it is kept", function()
    workspace.with(function(w)
      local path = w:write("config.lua", FILE)
      w.env.PROXY_PASSWORD = "sesame-sesame"
      local settings, ran = shown(w)
      assert.same({ '"***"', "file:" .. w:path "keys/vt.key" .. ", by " .. path
        .. ": virustotal.api_key" }, settings["virustotal.api_key"])
      assert.same({ '"***"', "env:PROXY_PASSWORD, by " .. path .. ": virustotal.proxy_password" },
        settings["virustotal.proxy_password"])
      assert.is_nil((ran.out .. ran.err):find("sesame", 1, true))
      w.env.APOGEE_VT_API_KEY = simulator.KEY
      settings, ran = shown(w, { "--proxy-password", "hunter-hunter" })
      assert.equal("env:APOGEE_VT_API_KEY, by APOGEE_VT_API_KEY", settings["virustotal.api_key"][2])
      assert.same({ '"***"', "--proxy-password" }, settings["virustotal.proxy_password"])
      assert.is_nil((ran.out .. ran.err):find("hunter", 1, true))
      assert.is_nil((ran.out .. ran.err):find(simulator.KEY, 1, true))
    end)
  end)
end)

describe("the configuration file", function()
  it("is looked for below XDG_CONFIG_HOME, then below HOME", function()
    workspace.with(function(w)
      assert(os.execute(("mkdir -p %s/.config/apogee %s/xdg/apogee"):format(w.folder, w.folder)))
      w:write(".config/apogee/config.lua", "return { jobs = 3 }")
      w:write("xdg/apogee/config.lua", "return { jobs = 4 }")
      w.env = { APOGEE_CONFIG = "" }
      assert.same({ "3", w:path ".config/apogee/config.lua" .. ": jobs" }, shown(w).jobs)
      w.env.XDG_CONFIG_HOME = w:path "xdg"
      assert.equal("4", shown(w).jobs[1])
      assert.equal("4", shown(w, { "--config", w:path "xdg/apogee/config.lua" }).jobs[1])
    end)
  end)

  it("names the certificates to trust", function()
    workspace.simulated({ tls = true }, function(w)
      assert.equal(0, w:run({ "ping" }).exit)
      w:configure { virustotal = { url = w.url, retries = 0 } }
      assert.equal(3, w:run({ "ping" }).exit)
      w.env.APOGEE_CA_FILE = w:path "ca.pem"
      assert.equal(0, w:run({ "ping" }).exit)
    end)
  end)
end)
