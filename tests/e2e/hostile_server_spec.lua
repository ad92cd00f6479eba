-- Servers that mean harm, where VirusTotal, a service or a proxy should be: bad TLS, redirects,
-- answers that lie, do not end, grow or stop. A run ends by its deadline and says what was wrong,
-- takes little more memory than with an honest server, and gives the key to nobody else.
-- SPDX-License-Identifier: Apache-2.0
local hostile = require "e2e.support.hostile"
local program = require "e2e.support.program"

local CANARY = "cafe" .. ("0badf00d"):rep(7) .. "cafe"
local HASH = "44d88612fea8a8f36de82e1278abb02f"
local SCAN = { "action", "scan_hash", "--param", "threshold=3", "--entity", HASH }
local TIMEOUT_S = 1

local function holds(text, words) return text:find(words, 1, true) ~= nil end

local function with(use, wants_bad_tls)
  hostile.with(wants_bad_tls, function(w, server)
    w:write("key", CANARY .. "\n")
    w:configure { virustotal = {
      url = "https://127.0.0.1:1", ca_file = server.ca, retries = 0, timeout = TIMEOUT_S .. "s",
      comments = "none",
    } }
    use(w, server)
  end)
end

local function case_of(url, ...)
  local args = table.move(SCAN, 1, #SCAN, 1, {})
  for _, word in ipairs { ... } do table.insert(args, word) end
  return { args = args, env = { APOGEE_VT_URL = url } }
end

--- Fails unless a run ended as it must, whatever the server did.
---@param honest table a run with an honest server
local function check(w, name, case, ran, honest, deadline_s)
  hostile.check_end(w, name, case, ran, deadline_s or TIMEOUT_S)
  local more_kib = ran.peak_kib - honest.peak_kib
  assert(more_kib <= hostile.MORE_KIB, ("%s: %d KiB more"):format(name, more_kib))
  assert(not holds((ran.out .. ran.err):lower(), CANARY), name .. ": the key is in the output")
  assert(not ran.err:find "[%z\1-\9\11-\31\127]", name .. ": a control character")
  assert(ran.document, name .. ": no document: " .. ran.err)
end

--- Fails unless the report says of the entity what is expected: { exit, outcome, words }.
local function check_said(name, ran, expected)
  local entity = ran.document.entities[1]
  local said = ("%s: exit %d: %s: %s"):format(name, ran.exit, entity.outcome,
    tostring(entity.reason))
  assert(ran.exit == expected[1] and entity.outcome == expected[2], said)
  assert(not expected[3] or holds(tostring(entity.reason), expected[3]), said)
end

local function keys(map)
  local names = {}
  for name in pairs(map) do table.insert(names, name) end
  table.sort(names)
  return names
end

-- ---- TLS ----

local PROBLEM = "SSL certificate problem: "
local NAME = "no alternative certificate subject name matches"
local BAD_TLS = {
  ["expired"] = PROBLEM .. "certificate has expired",
  ["not-yet-valid"] = PROBLEM .. "certificate is not yet valid",
  ["other-name"] = NAME,
  ["other-address"] = NAME,
  ["address-as-name"] = NAME,
  ["nul-in-name"] = NAME,
  ["wildcard"] = NAME,
  ["self-signed"] = PROBLEM .. "self-signed certificate",
  ["unknown-ca"] = PROBLEM .. "unable to get local issuer certificate",
  ["missing-issuer"] = PROBLEM .. "unable to get local issuer certificate",
  ["issuer-is-no-ca"] = PROBLEM .. "invalid CA certificate",
  ["issuer-may-not-sign"] = PROBLEM .. "invalid CA certificate",
  ["issuer-expired"] = PROBLEM .. "certificate has expired",
  ["path-too-long"] = PROBLEM .. "path length constraint exceeded",
  ["outside-of-constraint"] = PROBLEM .. "permitted subtree violation",
  ["for-clients-only"] = PROBLEM .. "unsuitable certificate purpose",
  ["unknown-critical"] = PROBLEM .. "unhandled critical extension",
  ["rsa-512"] = PROBLEM .. "EE certificate key too weak",
  ["rsa-1024"] = PROBLEM .. "EE certificate key too weak",
  ["signed-by-md5"] = PROBLEM .. "CA signature digest algorithm too weak",
  ["signed-by-sha1"] = PROBLEM .. "CA signature digest algorithm too weak",
  ["tls-1.0"] = "alert protocol version",
  ["tls-1.1"] = "alert protocol version",
  ["null-cipher"] = "handshake failure",
  ["no-certificate"] = "handshake failure",
  ["plain-http"] = "wrong version number",
  ["tls-ssh"] = "wrong version number",
  ["tls-alert"] = "handshake failure",
  ["tls-hang-up"] = "SSL_ERROR_SYSCALL",
  ["tls-record-too-long"] = "packet length too long",
  ["tls-empty-records"] = "record too small",
  ["tls-handshake-without-end"] = "excessive message size",
  ["tls-mute"] = "timed out",
  ["tls-drip"] = "timed out",
}
-- Their names are of a host that has one.
local ON_LOCALHOST = { ["nul-in-name"] = true, ["wildcard"] = true }
-- Where no request of ours could be told from what harms.
local HONEST_LISTENERS = { good = true, elsewhere = true, http = true }

describe("TLS of a server that means harm", function()
  it("is refused, with the reason, before anything is sent", function()
    with(function(w, server)
      local cases = { good = case_of(server:url "good") }
      for name in pairs(server.ports) do
        if not HONEST_LISTENERS[name] then
          assert(BAD_TLS[name], name .. ": nobody expects it")
          cases[name] = case_of(server:url(name, "", ON_LOCALHOST[name] and "localhost"))
        end
      end
      local all = hostile.run(w, cases)
      check_said("good", all.good, { 0, "reported" })
      assert(holds(server:requests("good")[1], CANARY), "the log would not show a leak")
      for _, name in ipairs(keys(BAD_TLS)) do
        check(w, name, cases[name], all[name], all.good)
        check_said(name, all[name], { 3, "failed", BAD_TLS[name] })
        assert.same({}, server:requests(name), name)
      end
    end, true)
  end)
end)

-- ---- answers ----

local REPORTED = { 0, "reported" }
local ELSEWHERE = { 1, "failed", "which sends elsewhere" }
local TOO_LARGE = { 1, "failed", "the answer is larger than" }
local HEAD_TOO_LARGE = { 1, "failed", "the head of the answer is larger than" }
local TIMED_OUT = { 3, "failed", "timed out" }
local NO_JSON = { 1, "failed", "not valid JSON at byte" }
local NO_HTTP = { 3, "failed", "Received HTTP/0.9" }
local CUT = { 3, "failed", "transfer closed with" }
local CHUNK = { 3, "failed", "chunked-encoding" }
local VERSION = { 3, "failed", "Unsupported HTTP version" }
local CODE = { 3, "failed", "Unsupported response code" }
local RESET = { 3, "failed", "Connection reset" }
local REFUSED = { 3, "forbidden", "HTTP 401" }

local PAGES = {
  ["honest"] = REPORTED,
  ["redirect-301"] = ELSEWHERE, ["redirect-302"] = ELSEWHERE, ["redirect-303"] = ELSEWHERE,
  ["redirect-307"] = ELSEWHERE, ["redirect-308"] = ELSEWHERE,
  ["redirect-with-the-query"] = ELSEWHERE, ["redirect-to-http"] = ELSEWHERE,
  ["redirect-to-file"] = ELSEWHERE, ["redirect-to-gopher"] = ELSEWHERE,
  ["redirect-to-userinfo"] = ELSEWHERE, ["redirect-to-itself"] = ELSEWHERE,
  ["redirect-to-nothing"] = ELSEWHERE, ["redirect-to-two-lines"] = ELSEWHERE,
  ["redirect-without-end"] = ELSEWHERE, ["other-ways-elsewhere"] = REPORTED,
  ["wants-basic"] = REFUSED, ["wants-ntlm"] = REFUSED,
  ["wants-proxy-password"] = { 1, "failed", "HTTP 407" },

  ["endless-body"] = TOO_LARGE, ["endless-chunks"] = TOO_LARGE,
  ["endless-tiny-chunks"] = TOO_LARGE, ["endless-json"] = TOO_LARGE,
  ["endless-chunk-extension"] = TIMED_OUT, ["endless-chunk-size"] = CHUNK,
  ["endless-trailers"] = HEAD_TOO_LARGE, ["endless-trailer"] = CHUNK,
  ["endless-headers"] = HEAD_TOO_LARGE, ["endless-header"] = HEAD_TOO_LARGE,
  ["endless-folded-header"] = HEAD_TOO_LARGE, ["endless-status-line"] = HEAD_TOO_LARGE,
  ["endless-continues"] = HEAD_TOO_LARGE, ["endless-hints"] = HEAD_TOO_LARGE,
  ["endless-cookies"] = HEAD_TOO_LARGE,

  ["length-too-long"] = CUT, ["length-too-short"] = NO_JSON,
  ["length-negative"] = { 3, "failed", "Invalid Content-Length" },
  ["length-of-2-to-the-64"] = REPORTED, ["length-of-2-to-the-62"] = CUT,
  ["length-of-a-gigabyte"] = CUT, ["length-is-no-number"] = NO_JSON, ["length-twice"] = REPORTED,
  ["length-and-chunked"] = CHUNK, ["chunk-of-2-to-the-64"] = CHUNK, ["chunk-of-2-to-the-63"] = CUT,
  ["chunk-negative"] = CHUNK, ["chunk-too-short"] = CHUNK, ["chunk-of-garbage"] = CHUNK,
  ["an-answer-too-many"] = REPORTED,

  ["bomb-of-gzip"] = NO_JSON, ["bomb-of-deflate"] = NO_JSON, ["bomb-of-gzip-twice"] = NO_JSON,
  ["bomb-in-transfer"] = TOO_LARGE, ["bomb-in-transfer-twice"] = TOO_LARGE,
  ["encoding-unknown"] = REPORTED, ["encodings-without-end"] = REPORTED,
  ["gzip-that-is-none"] = { 3, "failed", "content unencoding" },

  ["mute"] = TIMED_OUT, ["mute-after-the-head"] = TIMED_OUT, ["mute-in-the-body"] = TIMED_OUT,
  ["drip-of-the-status"] = TIMED_OUT, ["drip-of-headers"] = TIMED_OUT,
  ["drip-of-the-body"] = TIMED_OUT, ["drip-of-chunks"] = TIMED_OUT,
  ["drip-of-continues"] = TIMED_OUT,

  ["cut-before-the-status"] = { 3, "failed", "Empty reply" },
  ["cut-in-the-status"] = { 3, "failed", "Empty reply" }, ["cut-in-the-head"] = NO_JSON,
  ["cut-in-the-body"] = CUT, ["cut-in-a-chunk"] = CUT, ["cut-before-the-last-chunk"] = CUT,
  ["cut-without-a-length"] = NO_JSON, ["ended-without-a-length"] = REPORTED,
  ["reset-before-the-status"] = RESET, ["reset-in-the-body"] = RESET,

  ["status-204-with-body"] = { 1, "limited" },
  ["status-without-words"] = VERSION, ["status-of-letters"] = VERSION,
  ["status-of-five-digits"] = CODE, ["status-negative"] = CODE, ["status-zero"] = CODE,
  ["status-100-for-good"] = NO_HTTP, ["status-101"] = { 1, "failed", "HTTP 101" },
  ["status-999"] = { 1, "failed", "HTTP 999" }, ["version-9"] = VERSION,
  ["version-of-letters"] = REPORTED, ["version-2-at-once"] = REPORTED,
  ["icy"] = NO_HTTP, ["rtsp"] = NO_HTTP, ["http-0.9"] = NO_HTTP, ["random-bytes"] = NO_HTTP,
  ["frames-of-http-2"] = NO_HTTP, ["nul-in-the-head"] = { 3, "failed", "Nul byte in header" },
  ["header-without-colon"] = { 3, "failed", "Header without colon" },
  ["header-of-escapes"] = REPORTED, ["another-type"] = NO_JSON,
  ["retry-after-for-ever"] = { 1, "failed", "HTTP 503" },
  ["page-of-escapes"] = { 1, "failed", "HTTP 500" },
}

--- Each page of the server is expected, and each that is expected is one of the server's.
local function check_pages(server)
  table.sort(server.pages)
  assert.same(keys(PAGES), server.pages)
end

describe("in VirusTotal's place, a server that means harm", function()
  it("gets the key and nothing else, and each answer is told for what it is", function()
    with(function(w, server)
      check_pages(server)
      local cases = {}
      for name in pairs(PAGES) do cases[name] = case_of(server:url("good", name)) end
      -- It says that the quota is spent, which is waited for as long as the run may last.
      table.insert(cases["status-204-with-body"].args, "--deadline=1s")
      local all = hostile.run(w, cases)
      for _, name in ipairs(keys(PAGES)) do
        check(w, name, cases[name], all[name], all.honest)
        check_said(name, all[name], PAGES[name])
      end
      for name in pairs(server.ports) do
        if name ~= "good" then assert.same({}, server:requests(name), name) end
      end
      for _, request in ipairs(server:requests "good") do
        assert.matches("^POST /[%w.-]+/file/report HTTP/1.1\r\n", request)
        assert.is_nil(request:find "\nCookie:")
        assert.is_nil(request:find "\nAuthorization:")
      end
    end)
  end)

  it("does not outlast the run's deadline, whatever a request may take", function()
    with(function(w, server)
      local cases = { honest = case_of(server:url("good", "honest")) }
      for _, name in ipairs { "mute", "mute-in-the-body", "drip-of-headers", "drip-of-the-body" } do
        cases[name] = case_of(server:url("good", name), "--deadline", "1s", "--timeout", "60s")
      end
      for _, name in ipairs { "tls-mute", "tls-drip" } do
        cases[name] = case_of(server:url(name), "--deadline", "1s", "--timeout", "60s")
      end
      local all = hostile.run(w, cases)
      for name, ran in pairs(all) do
        check(w, name, cases[name], ran, all.honest, 1)
        if name ~= "honest" then check_said(name, ran, { 1, "not_asked" }) end
      end
    end)
  end)

  it("cannot plant an answer for the next request on its connection", function()
    with(function(w, server)
      w:configure { virustotal = {
        url = server:url("good", "an-answer-too-many"), ca_file = server.ca, retries = 0,
        tier = { per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = false },
      } }
      local ran = w:run {
        "action", "scan_hash", "--param", "threshold=3", "--jobs", "1", "--format", "json",
        "--entity", HASH, "--entity", ("275a021b"):rep(4),
      }
      assert.equal(2, #server:requests "good")
      assert.is_true(holds(ran.out, '"verbose_msg": "found"'), ran.out)
      assert.is_false(holds(ran.out, "planted"))
    end)
  end)
end)

-- ---- a service of an action ----

local ACTION = [[
return require "apogee.action" {
  id = "asker", name = "Asker", doc = "Asks a service.", accepts = { "hostname" },
  returns = "is_success", needs = { http = { %q } }, retries = 0, secrets = { "key" },
  run = function(ctx, entity)
    local page = entity.identifier:match "^(.*)%%.example%%.com$":gsub("%%-%%-", ".")
    local answer, message, code = http.get(%q .. page .. "/ok?k=" .. secret "key", {
      timeout = %d, headers = { Key = secret "key" },
    })
    entity:enrich("code", code or answer.status)
    entity:enrich("body", answer and answer.body:sub(1, 100) or message)
    return ctx.reported()
  end,
}
]]

-- By how the page's name begins. Where a connection is used again, what one page leaves there may
-- spoil the next: for all others, only that they end.
local SERVICE_CODES = {
  ["redirect-"] = " denied invalid bad_answer 200.0 ", ["redirect-3"] = " denied ",
  ["redirect-with"] = " denied 200.0 ", ["redirect-to-http"] = " denied ",
  ["redirect-to-file"] = " invalid ", ["redirect-to-gopher"] = " invalid ",
  ["redirect-to-userinfo"] = " invalid ", ["redirect-to-itself"] = " denied ",
  ["endless-"] = " too_large timeout network ", ["endless-body"] = " too_large ",
  ["endless-header"] = " too_large timeout ", ["mute"] = " timeout ", ["drip-"] = " timeout ",
  ["cut-in-the-body"] = " network ", ["bomb-in-transfer"] = " too_large ",
}

describe("in a service's place, a server that means harm", function()
  it("ends no later, and its redirects lead nowhere with the secret", function()
    with(function(w, server)
      local host = ("127.0.0.1:%d"):format(server.ports.good)
      w:write("asker.lua", ACTION:format(host, server:url "good", TIMEOUT_S))
      w:configure {
        virustotal = { url = "https://127.0.0.1:1", ca_file = server.ca },
        secrets = { key = "file:" .. w:path "key" },
      }
      assert(os.execute("chmod 600 " .. program.quote(w:path "key")))
      local function case_with(pages)
        local args = { "action", w:path "asker.lua" }
        for _, page in ipairs(pages) do
          table.insert(args, "--entity")
          table.insert(args, "hostname:" .. page:gsub("%.", "--") .. ".example.com")
        end
        return { args = args }
      end
      local cases = { honest = case_with { "honest" }, all = case_with(server.pages) }
      local all = hostile.run(w, cases)
      check(w, "all", cases.all, all.all, all.honest, 3 * TIMEOUT_S)
      assert.equal(#server.pages, #all.all.document.entities)
      for _, entity in ipairs(all.all.document.entities) do
        local said, code = entity.identifier, tostring(entity.enrichment.Asker.code)
        for prefix, codes in pairs(SERVICE_CODES) do
          local fits = said:sub(1, #prefix) ~= prefix or holds(codes, " " .. code .. " ")
          assert(fits, ("%s: %s: %s"):format(said, code, entity.enrichment.Asker.body))
        end
      end
      for name in pairs(server.ports) do
        if name ~= "good" then assert.same({}, server:requests(name), name) end
      end
      assert(holds(server:requests("good")[1], "Key: " .. CANARY), "the log shows no secret")
    end)
  end)
end)

-- ---- a proxy ----

local NO_TUNNEL = { 3, "failed" }
local PROXY_PAGES = {
  ["endless-headers"] = HEAD_TOO_LARGE, ["endless-header"] = NO_TUNNEL,
  ["endless-continues"] = NO_TUNNEL, ["endless-body"] = NO_TUNNEL,
  ["endless-chunks"] = NO_TUNNEL, ["mute"] = TIMED_OUT, ["drip-of-headers"] = TIMED_OUT,
  ["redirect-302"] = NO_TUNNEL, ["wants-ntlm"] = NO_TUNNEL, ["cut-in-the-head"] = NO_TUNNEL,
  ["random-bytes"] = NO_TUNNEL, ["reset-before-the-status"] = NO_TUNNEL, ["honest"] = NO_TUNNEL,
  ["length-of-2-to-the-62"] = NO_TUNNEL, ["status-101"] = NO_TUNNEL,
}

describe("a proxy that means harm", function()
  it("gets no key, and ends no later than a server", function()
    with(function(w, server)
      local cases = { ["no proxy"] = case_of(server:url("good", "honest")) }
      for page in pairs(PROXY_PAGES) do
        local proxy = ("http://%s@127.0.0.1:%d"):format(page, server.ports.http)
        local settings = ("return { virustotal = { ca_file = %q, retries = 0, timeout = '%ds', "
          .. "comments = 'none', api_key = %q, proxy = %q, proxy_password = %q } }"):format(
          server.ca, TIMEOUT_S, "file:" .. w:path "key", proxy, "file:" .. w:path "password")
        cases[page] = case_of(server:url("good", "honest"))
        cases[page].env.APOGEE_CONFIG = w:write(page .. ".lua", settings)
      end
      w:write("password", "proxy-password\n")
      assert(os.execute("chmod 600 " .. program.quote(w:path "password")))
      local all = hostile.run(w, cases)
      for name, ran in pairs(all) do
        check(w, name, cases[name], ran, all["no proxy"])
        check_said(name, ran, PROXY_PAGES[name] or REPORTED)
        assert(not holds(ran.out .. ran.err, "proxy-password"), name)
      end
      assert.equal(1, #server:requests "good")
      for _, request in ipairs(server:requests "http") do
        assert.matches("^CONNECT 127%.0%.0%.1:%d+ HTTP/1%.1\r\n", request)
        assert.is_false(holds(request, CANARY))
      end
    end)
  end)
end)
