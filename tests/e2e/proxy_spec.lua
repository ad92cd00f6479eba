-- Through a proxy that wants a password, which is a secret like the key.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local proxy = require "e2e.support.proxy"
local workspace = require "e2e.support.workspace"
local wrong = require "e2e.support.wrong"

local PASSWORD = "open-sesame"

--- A simulator, a proxy before it, and a configuration that names the proxy.
local function through_proxy(given, use)
  workspace.simulated({ tls = given.tls }, function(w)
    local log = w:path "proxy.log"
    proxy.with("ana:" .. PASSWORD, log, function(address)
      w:write("password", (given.password or PASSWORD) .. "\n")
      assert(os.execute("chmod 600 " .. program.quote(w:path "password")))
      w:configure { virustotal = {
        url = w.url, retries = 0, ca_file = given.tls and w:path "ca.pem" or nil,
        proxy = "http://ana@" .. address,
        proxy_password = given.password ~= false and "file:" .. w:path "password" or nil,
      } }
      use(w, function() return program.read(log) or "" end)
    end)
  end)
end

describe("a proxy", function()
  it("is asked to tunnel HTTPS, so that it sees the host and nothing else", function()
    through_proxy({ tls = true }, function(w, log)
      local ran = w:run { "ping", "--format", "json", "-v", "-v" }
      assert.equal(0, ran.exit, ran.err)
      assert.matches("^CONNECT 127%.0%.0%.1:%d+ HTTP/1%.1\n$", log())
      assert.equal(1, #w:requests())
      assert.is_nil((ran.out .. ran.err):find(PASSWORD, 1, true))
    end)
  end)

  it("is asked for plain HTTP on loopback too", function()
    through_proxy({}, function(w, log)
      assert.equal(0, w:run({ "ping" }).exit)
      assert.matches("^GET http://127%.0%.0%.1:%d+/vtapi/v2/ip%-address/report%?", log())
    end)
  end)

  for name, case in pairs {
    ["with a wrong password"] = { password = "wrong-password" },
    ["without a password"] = { password = false },
  } do
    it(name .. " refuses, and that is said", function()
      through_proxy({ tls = true, password = case.password }, function(w)
        local ran = w:run { "ping", "--format", "json" }
        wrong.check({ exit = 3, says = "response 407", also = { "virustotal.proxy" } }, ran)
        assert.is_nil((ran.out .. ran.err):find("wrong-password", 1, true))
        assert.same({}, w:requests())
      end)
      through_proxy({ password = case.password }, function(w)
        wrong.check({ exit = 3, says = "the proxy wants a name" },
          w:run { "ping", "--format", "json" })
      end)
    end)
  end

  it("that is not there is said", function()
    workspace.simulated({}, function(w)
      w:configure { virustotal = { url = w.url, retries = 0, proxy = "http://127.0.0.1:9" } }
      local ran = w:run { "ping", "--format", "json" }
      wrong.check({ exit = 3, says = "Failed to connect to", also = { "virustotal.proxy" } }, ran)
    end)
  end)

  it("is not that of the environment", function()
    workspace.simulated({}, function(w)
      w.env = { http_proxy = "http://127.0.0.1:9", https_proxy = "http://127.0.0.1:9",
        ALL_PROXY = "http://127.0.0.1:9" }
      assert.equal(0, w:run({ "ping" }).exit)
    end)
  end)

  it("is not used for the simulator of --simulate", function()
    workspace.simulated({}, function(w)
      w:configure { virustotal = { url = w.url, proxy = "http://127.0.0.1:9" } }
      assert.equal(0, w:run({ "ping", "--simulate" }).exit)
    end)
  end)
end)
