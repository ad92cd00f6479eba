-- SPDX-License-Identifier: Apache-2.0
local server = require "apogee.server"

describe("server.parse takes", function()
  for _, case in ipairs {
    { "files.example.com", "files.example.com" },
    { "files.example.com:22", "files.example.com", 22 },
    { "192.0.2.1:65535", "192.0.2.1", 65535 },
    { "2001:db8::1", "2001:db8::1" },
    { "::1", "::1" },
    { "[2001:db8::1]", "2001:db8::1" },
    { "[2001:db8::1]:2222", "2001:db8::1", 2222 },
    { "[fe80::1%eth0]:22", "fe80::1%eth0", 22 },
    { "srv_01", "srv_01" },
  } do
    it(case[1], function()
      local host, port = server.parse(case[1])
      assert.equal(case[2], host)
      assert.equal(case[3], port)
    end)
  end
end)

describe("server.parse refuses", function()
  for _, case in ipairs {
    { "", "must be host" }, { ":22", "must be host" }, { "a b", "must be host" },
    { "a/b", "must be host" }, { "a:b", "must be host" }, { "user@host", "must be host" },
    { "-oProxyCommand=x", "must be host" }, { "-host", "must be host" },
    { "h:0", "1 to 65535" }, { "h:65536", "1 to 65535" },
    { "h:99999999999999999999", "1 to 65535" }, { "...", "must be host" },
    { "[::1]x", "1 to 65535" }, { "[::1]:", "1 to 65535" }, { "[host]:22", "must be host" },
  } do
    it('"' .. case[1] .. '"', function()
      local host, why = server.parse(case[1])
      assert.is_nil(host)
      assert.is_truthy(why:find(case[2], 1, true), why)
    end)
  end
end)
