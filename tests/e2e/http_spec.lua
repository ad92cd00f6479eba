-- The capability `http`: actions that ask a service on loopback, and what the service sees of it.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local service = require "e2e.support.service"
local workspace = require "e2e.support.workspace"

local KEY = "canary/9f8e7d&\"6c5b"
local MANIFEST = [[
return require "apogee.action" {
  id = "asker", name = "Asker", doc = "Asks a service.", accepts = { "hostname" },
  returns = "is_success", needs = { http = { %s } }, %s
  run = function(ctx, entity)
    local URL = %q
    local function say(name, value) entity:enrich(name, value) end
    %s
    return ctx.reported()
  end,
}
]]

--- Writes the action asker, whose run has `URL`, `ctx`, `entity` and say(name, value).
local function write_action(w, url, hosts, body, more)
  w:write("asker.lua", MANIFEST:format(('"%s"'):format(table.concat(hosts, '", "')), more or "",
    url, body))
end

--- A workspace and a service; the configuration has the secret "key".
local function with(given, use)
  workspace.with(function(w)
    service.with(w.folder, given.tls, function(s)
      w:write("service.secret", KEY .. "\n")
      assert(os.execute("chmod 600 " .. program.quote(w:path "service.secret")))
      w:configure {
        virustotal = { url = "http://127.0.0.1:1", ca_file = s.ca },
        secrets = given.secrets or { key = "file:service.secret" },
      }
      use(w, s)
    end)
  end)
end

local function run(w, more)
  return w:json {
    "action", w:path "asker.lua", "--entity", "hostname:a.example.com", "--format", "json",
    table.unpack(more or {}),
  }
end

--- What the action said of its entity.
local function said_in(document) return document.entities[1].enrichment.Asker or {} end

--- What the action says of one run of `body`.
---@return table said, table[] requests, table ran
local function ask(given, body)
  local said, requests, ran
  with(given, function(w, s)
    local hosts = given.hosts or { s.host }
    write_action(w, given.url or s.url, hosts, body, given.more)
    local document
    document, ran = run(w)
    said, requests = said_in(document), s:requests()
    said.outcome, said.reason = document.entities[1].outcome, document.entities[1].reason
  end)
  return said, requests, ran
end

local ERROR = 'local answer, message, code = %s say("message", message) say("code", code) '
  .. 'say("status", answer and answer.status)'

local function failing(given, call)
  local said, requests = ask(given, ERROR:format(call))
  return said, requests
end

describe("http", function()
  it("asks a named host over TLS and gives its answer", function()
    local said, requests = ask({ tls = "IP:127.0.0.1" }, [[
      local answer = assert(http.get(URL .. "/ok", { query = { q = "a b&c", n = 7, flag = true } }))
      say("status", answer.status) say("body", answer.body) say("n", answer.json().n)
      say("type", answer.headers["content-type"])
    ]])
    assert.equal(200, said.status)
    assert.equal(7, said.n)
    assert.equal("application/json", said.type)
    assert.equal("/ok?flag=true&n=7&q=a%20b%26c", requests[1].target)
  end)

  it("refuses a certificate for another name, and one that nobody vouches for", function()
    assert.equal("tls", failing({ tls = "DNS:other.example.com" }, 'http.get(URL .. "/ok")').code)
    with({ tls = "IP:127.0.0.1" }, function(w, s)
      w:configure { virustotal = { url = "http://127.0.0.1:1", verify_ssl = false } }
      write_action(w, s.url, { s.host }, ERROR:format 'http.get(URL .. "/ok")')
      assert.equal("tls", said_in((run(w))).code)
      assert.same({}, s:requests())
    end)
  end)

  for name, call in pairs {
    ["another port"] = 'http.get("http://127.0.0.1:9/ok")',
    ["another address of loopback"] = 'http.get("http://127.0.0.2:" .. URL:match "%d+$" .. "/ok")',
    ["a name that begins like the host"] = 'http.get(URL .. ".example.com/ok")',
    ["the host as a user"] = 'http.get(URL .. "@evil.example.com/ok")',
    ["a file"] = 'http.get "file:///etc/passwd"',
  } do
    it("refuses " .. name, function()
      local said, requests = failing({}, call)
      assert.is_truthy(said.code == "denied" or said.code == "invalid" or said.code == "tls",
        said.code)
      assert.same({}, requests)
    end)
  end

  it("refuses a host that has a private address", function()
    local said = failing({ hosts = { "10.0.0.1" } }, 'http.get "https://10.0.0.1/"')
    assert.equal("denied", said.code)
    assert.matches("private", said.message)
  end)

  it("refuses plain http to a host that is not loopback", function()
    local said = failing({ hosts = { "www.example.com" } }, 'http.get "http://www.example.com/"')
    assert.equal("denied", said.code)
    assert.equal("www.example.com: plain http is for loopback alone: write https", said.message)
  end)

  it("says what to add to the manifest where a host is not named", function()
    local said = failing({}, 'http.get("https://api.greynose" .. ".io/")')
    assert.equal("the action's needs do not name api.greynose.io: add it to needs.http",
      said.message)
    said = failing({}, 'http.get("http://127.0.0.1" .. ":9/ok")')
    assert.equal("the action's needs do not name 127.0.0.1:9: add it to needs.http", said.message)
  end)
end)

describe("a secret", function()
  it("is sent in headers, query, form and json, and never read", function()
    local said, requests, ran = ask({}, [[
      local key = secret "key"
      assert(http.get(URL .. "/echo", {
        query = { k = key }, headers = { Key = key, Authorization = "Bearer " .. key .. "!" },
      }))
      assert(http.post(URL .. "/echo", { once = "1", form = { k = key } }))
      assert(http.post(URL .. "/echo", { once = "2", json = { k = key, list = { 1 } } }))
      assert(http.request { url = URL .. "/echo", method = "PUT", once = "3", body = "<" .. key })
      say("text", tostring(key)) say("joined", tostring("Bearer " .. key))
      say("length", pcall(function() return #key end))
      say("format", pcall(string.format, "%q", key))
      say("json", pcall(json.encode, { key }))
    ]])
    local escaped = "canary%2F9f8e7d%26%226c5b"
    assert.equal("/echo?k=" .. escaped, requests[1].target)
    assert.equal(KEY, requests[1].headers.key)
    assert.equal("Bearer " .. KEY .. "!", requests[1].headers.authorization)
    assert.equal("k=" .. escaped, requests[2].body)
    assert.equal("application/x-www-form-urlencoded", requests[2].headers["content-type"])
    assert.equal('{"k":"canary/9f8e7d&\\"6c5b","list":[1]}', requests[3].body)
    assert.equal("application/json", requests[3].headers["content-type"])
    assert.equal("PUT", requests[4].method)
    assert.equal("<" .. KEY, requests[4].body)
    assert.equal('secret "key"', said.text)
    assert.equal("Bearer ***", said.joined)
    assert.is_false(said.length)
    assert.is_false(said.format)
    assert.is_false(said.json)
    assert.is_nil(ran.err:find("canary", 1, true))
  end)

  it("that a server sends back is masked, in each of its spellings", function()
    local said = ask({}, [[
      local key = secret "key"
      local answer = assert(http.get(URL .. "/echo", { query = { k = key },
        headers = { Key = key } }))
      say("body", answer.body) say("header", answer.headers["x-echo"])
      say("two", answer.headers["x-two"])
      say("json", assert(http.post(URL .. "/echo", { once = "1", json = { key } })).body)
    ]])
    for _, text in ipairs { said.body, said.header, said.json } do
      assert.is_nil(text:find("canary", 1, true), text)
      assert.is_truthy(text:find("****", 1, true), text)
    end
    assert.equal("a, b", said.two)
  end)

  it("is in no output, log, record or state", function()
    with({}, function(w, s)
      write_action(w, s.url, { s.host }, [[
        local key = secret "key"
        assert(http.post(URL .. "/echo", { once = "k", form = { k = key } }))
        say("body", assert(http.get(URL .. "/echo?x=" .. key)).body)
        assert(http.get(URL .. "/cut", { headers = { Key = key } }))
      ]], "retries = 0,")
      local ran = w:run {
        "action", w:path "asker.lua", "--entity", "hostname:a.example.com", "-v", "-v",
        "--format", "json", "--output", w:path "result.json",
      }
      assert.equal(1, ran.exit)
      assert.is_nil((ran.out .. ran.err):find("canary", 1, true))
      local found = io.popen(("grep -rla canary %s"):format(program.quote(w.folder))):read "a"
      assert.equal(w:path "service.secret" .. "\n", found)
    end)
  end)

  it("that is a whole URL is shown nowhere, and goes to named hosts only", function()
    with({ secrets = { hook = "file:hook.secret" } }, function(w, s)
      w:write("hook.secret", s.url .. "/hook/T0-private-B1\n")
      assert(os.execute("chmod 600 " .. program.quote(w:path "hook.secret")))
      write_action(w, s.url, { s.host }, 'say("status", assert(http.post(secret "hook", '
        .. '{ once = "1", json = { text = "hi" } })).status)')
      assert.equal(200, said_in((run(w))).status)
      assert.equal("/hook/T0-private-B1", s:requests()[1].target)
      write_action(w, s.url, { "api.example.com" },
        ERROR:format 'http.post(secret "hook", { once = "1" })')
      local document, ran = run(w)
      assert.equal("denied", said_in(document).code)
      assert.is_nil((ran.out .. ran.err):find("private-B1", 1, true))
      assert.is_nil(said_in(document).message:find("127.0.0.1", 1, true))
      assert.equal(1, #s:requests())
    end)
  end)

  it("that the configuration lacks is exit 2 before anything is sent", function()
    with({ secrets = { other = "file:service.secret" } }, function(w, s)
      write_action(w, s.url, { s.host }, 'http.get(URL, { headers = { K = secret "key" } })')
      local ran = w:run { "action", w:path "asker.lua", "--entity", "hostname:a.example.com" }
      assert.equal(2, ran.exit)
      assert.matches('the configuration has no secret "key"', ran.err, 1, true)
      assert.same({}, s:requests())
    end)
  end)

  for name, case in pairs {
    ["that is no source"] = { { key = "abcdefgh" }, "secrets.key must be file:PATH" },
    ["whose file is not there"] = { { key = "file:nowhere" }, "secrets.key: cannot open" },
    ["whose variable is not set"] = { { key = "env:NOT_SET" }, "NOT_SET is not set" },
    ["that is too short to mask"] = { { key = "file:short" }, "could not be masked" },
  } do
    it(name .. " is exit 2", function()
      with({ secrets = case[1] }, function(w, s)
        w:write("short", "abc\n")
        assert(os.execute("chmod 600 " .. program.quote(w:path "short")))
        write_action(w, s.url, { s.host }, 'http.get(URL, { headers = { K = secret "key" } })')
        local ran = w:run { "action", w:path "asker.lua", "--entity", "hostname:a.example.com" }
        assert.equal(2, ran.exit)
        assert.matches(case[2], ran.err, 1, true)
        assert.is_nil(ran.err:find("abcdefgh", 1, true))
      end)
    end)
  end

  it("of a name that is worked out is refused when it is used", function()
    local said, requests = ask({}, 'http.get(URL, { headers = { K = secret("k" .. "ey") } })')
    assert.equal("failed", said.outcome)
    assert.matches('manifest does not name the secret "key"', said.reason, 1, true)
    assert.same({}, requests)
    said = ask({ more = 'secrets = { "key" },' },
      'say("s", http.get(URL, { headers = { K = secret("k" .. "ey") } }).status)')
    assert.equal(200, said.s)
  end)
end)

describe("a redirect", function()
  it("within the host keeps the secret; the script sees the last answer", function()
    local said, requests = ask({}, [[
      local answer = assert(http.get(URL .. "/go?to=/ok", { headers = { Key = secret "key" } }))
      say("body", answer.body)
    ]])
    assert.equal('{"ok":true,"n":7}', said.body)
    assert.equal(KEY, requests[2].headers.key)
  end)

  it("to another named host loses the secret", function()
    with({}, function(w, s)
      service.with(w.folder, nil, function(other)
        write_action(w, s.url, { s.host, other.host }, ([[
          local answer = assert(http.get(URL .. "/go?to=%s/ok",
            { headers = { Key = secret "key", Plain = "p" } }))
          say("status", answer.status)
        ]]):format(other.url))
        assert.equal(200, said_in((run(w))).status)
        assert.is_nil(other:requests()[1].headers.key)
        assert.equal("p", other:requests()[1].headers.plain)
      end)
    end)
  end)

  for name, case in pairs {
    ["to a host that is not named"] = { "/go?to=http://127.0.0.1:9/ok", "denied" },
    ["that holds the secret"] = { "/go?to=key", "denied" },
    ["to a file"] = { "/go?to=file:///etc/passwd", "invalid" },
    ["without an end"] = { "/loop", "bad_answer" },
  } do
    it(name .. " is not followed", function()
      local said, requests = failing({},
        ('http.get(URL .. %q, { headers = { Key = secret "key" } })'):format(case[1]))
      assert.equal(case[2], said.code)
      assert.is_true(#requests >= 1 and #requests <= 6)
    end)
  end

  it("of a POST is an answer", function()
    local said, requests = failing({}, 'http.post(URL .. "/go?to=/ok", { once = "1" })')
    assert.equal(302, said.status)
    assert.equal(1, #requests)
  end)
end)

describe("an entity that must not leave", function()
  it("is told to nobody", function()
    with({}, function(w, s)
      write_action(w, s.url, { s.host }, ERROR:format 'http.get(URL .. "/ok")')
      assert.equal("denied", said_in((run(w, { "--tlp", "red" }))).code)
      assert.same({}, s:requests())
      assert.equal(200, said_in((run(w, { "--tlp", "green" }))).status)
    end)
  end)
end)

describe("limits of http:", function()
  for name, case in pairs {
    ["a huge body"] = { 'http.get(URL .. "/big")', "too_large" },
    ["huge headers"] = { 'http.get(URL .. "/head")', "too_large" },
    ["a body over max_bytes"] = { 'http.get(URL .. "/ok", { max_bytes = 10 })', "too_large" },
    ["a server that never answers"] = { 'http.get(URL .. "/slow", { timeout = 0.3 })', "timeout" },
    ["a server that hangs up"] = { 'http.get(URL .. "/cut")', "network" },
  } do
    it(name, function()
      assert.equal(case[2], failing({ more = "retries = 0," }, case[1]).code)
    end)
  end

  it("a body that fits max_bytes", function()
    assert.equal(200, failing({}, 'http.get(URL .. "/big", { max_bytes = 4194304 })').status)
  end)

  for name, call in pairs {
    ["a header of two lines"] = 'http.get(URL, { headers = { A = "b\\r\\nEvil: 1" } })',
    ["a header's name of two lines"] = 'http.get(URL, { headers = { ["A\\r\\nB"] = "c" } })',
    ["a header that is the engine's"] = 'http.get(URL, { headers = { Host = "b" } })',
    ["a URL of two lines"] = 'http.get(URL .. "/a\\r\\nEvil: 1")',
    ["a NUL in a URL"] = 'http.get(URL .. "/a\\0b")',
    ["another method"] = 'http.request { url = URL, method = "GET / HTTP/1.1\\r\\nX:" }',
    ["an unknown option"] = "http.get(URL, { headrs = {} })",
    ["a POST without once"] = "http.post(URL, { json = {} })",
    ["a GET with once"] = 'http.get(URL, { once = "a" })',
    ["a GET with a body"] = 'http.request { url = URL, body = "a" }',
    ["two bodies"] = 'http.post(URL, { once = "a", body = "a", form = {} })',
    ["a timeout without end"] = "http.get(URL, { timeout = 1/0 })",
    ["a table in a header"] = "http.get(URL, { headers = { A = {} } })",
  } do
    it(name .. " is a mistake that sends nothing", function()
      local said, requests = ask({}, "local answer, _, code = " .. call
        .. ' say("code", code) assert(not answer)')
      assert.is_true(said.outcome == "failed" or said.code == "invalid", said.outcome)
      assert.same({}, requests)
    end)
  end
end)

describe("a try that fails", function()
  it("is made again for a GET, as often as the manifest says", function()
    local said, requests = failing({ more = "retries = 2," }, 'http.get(URL .. "/flaky/2")')
    assert.equal(200, said.status)
    assert.equal(3, #requests)
    said, requests = failing({ more = "retries = 1," }, 'http.get(URL .. "/flaky/2")')
    assert.equal(503, said.status)
    assert.equal(2, #requests)
  end)

  it("is made once for a POST", function()
    local said, requests = failing({ more = "retries = 5," },
      'http.post(URL .. "/flaky/2", { once = "1" })')
    assert.equal(503, said.status)
    assert.equal(1, #requests)
  end)
end)

describe("the rate of a manifest", function()
  it("holds requests back until they are due", function()
    with({}, function(w, s)
      w.env.APOGEE_CLOCK = "60"
      write_action(w, s.url, { s.host }, [[
        local begun = clock.now()
        for number = 1, 5 do assert(http.get(URL .. "/" .. number)) end
        say("took", clock.now() - begun)
      ]], 'rate = { 2, per = "minute" },')
      local document = run(w)
      assert.is_true(said_in(document).took >= 119, "five at two a minute")
      assert.equal(5, #s:requests())
    end)
  end)
end)
