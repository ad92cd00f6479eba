-- Canaries: every kind of secret that there is, in runs that use them all. None may turn up in a
-- spelling of its own anywhere but in its file and on its way: not in what is printed or logged, in
-- the state, a report or a file that is left or open, in an argument or in the environment.
-- SPDX-License-Identifier: Apache-2.0
local mime = require "mime"
local program = require "e2e.support.program"
local proxy = require "e2e.support.proxy"
local service = require "e2e.support.service"
local simulator = require "e2e.support.simulator"
local sshd = require "e2e.support.sshd"
local workspace = require "e2e.support.workspace"

local quote = program.quote

local KEY = "cafe" .. ("0badf00d"):rep(7) .. "cafe"
local PASSPHRASE = "passphrase-canary-b4d9"
local PROXY_PASSWORD = "proxy-canary-7d1f"
local HTTP_SECRET = "http/canary&\"9f8e"
local LOCAL_FILE = "a file that is uploaded"

local function hex(text)
  return (text:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

local function percent(text)
  return (text:gsub("[^%w._~-]", function(char) return ("%%%02X"):format(char:byte()) end))
end

--- How a secret may be written: as it is, for JSON, a URL, in hexadecimal, and in base64 from each
--- place of a triple (what its neighbours have a part in is left out).
local function spellings(secret)
  local all = {
    secret, (secret:gsub('[\\"]', "\\%0")), (secret:gsub('[\\"/]', "\\%0")), percent(secret),
    percent(secret):lower(), (percent(secret):gsub("%%20", "+")), hex(secret), secret:reverse(),
  }
  for shift = 0, 2 do
    table.insert(all, (mime.b64(("x"):rep(shift) .. secret)):sub(shift == 0 and 1 or 5, -5))
  end
  return all
end

local Watch = {}
Watch.__index = Watch

--- Fails when a text holds a secret.
function Watch:check(text, what)
  text = text:lower()
  for name, words in pairs(self.words) do
    for _, spelling in ipairs(words) do
      assert(not text:find(spelling:lower(), 1, true), ("%s: %s: %s"):format(what, name, spelling))
    end
  end
end

--- Fails when a file of the folder holds one, but for those where they are given.
function Watch:check_folder(what)
  local found = io.popen(("grep -rlaiF --exclude-dir=secrets -f %s %s"):format(
    quote(self.w:path "secrets/patterns"), quote(self.w.folder))):read "a"
  assert(found == "", what .. ": " .. found)
end

function Watch:check_ran(ran, what)
  self:check(ran.out, what .. ", standard output")
  self:check(ran.err, what .. ", standard error")
  self:check_folder(what)
end

--- Fails when a process shows one: its arguments, its environment, its files (deleted ones too) and
--- those of its children. What the kernel hides from us it hides from others.
function Watch:check_process(pid)
  local command = "for p in %d $(pgrep -P %d); do cat /proc/$p/cmdline /proc/$p/environ; "
    .. "for f in /proc/$p/fd/*; do [ -f $f ] && cat $f; done; done 2>/dev/null"
  local pipe = io.popen(command:format(pid, pid))
  local shown = pipe:read "a"
  pipe:close()
  assert(shown:find("apogee", 1, true), "the process shows nothing")
  self:check(shown, "the process")
end

local ASKER = [[
return require "apogee.action" {
  id = "asker", name = "Asker", doc = "Asks a service.", accepts = { "hostname" },
  returns = "is_success", needs = { http = { %q } }, retries = 0,
  params = { { "page", type = "string" }, { "token", type = "secret" } },
  run = function(ctx, entity)
    local key = secret "service"
    local answer, message = http.get(%q .. ctx.params.page, {
      headers = { Key = key, Authorization = "Bearer " .. key }, query = { k = key }, timeout = 30,
    })
    log.warn("%%s %%s %%s", tostring(key), tostring(ctx.params.token), "Bearer " .. key)
    entity:enrich("body", answer and answer.body or message)
    entity:enrich("echo", answer and answer.headers["x-echo"])
    if answer then http.post(%q .. "/echo", { once = entity.identifier, json = { key } }) end
    return answer and ctx.reported() or ctx.failed(message)
  end,
}
]]

local BOOK = [[
local playbook = require "apogee.playbook"
local function upload(name, with)
  with.threshold = 3
  return { name, action = "upload_and_scan_file", on_error = "continue", with = with }
end
return playbook {
  name = "All of it",
  params = { { "password", type = "secret" }, { "page", type = "string", default = "/echo" } },
  steps = {
    { "hashes", action = "scan_hash", on_error = "continue", with = { threshold = 3 } },
    { "urls", action = "scan_url", on_error = "continue", with = { threshold = 3 } },
    { "domains", action = "get_domain_report", on_error = "continue" },
    { "ips", action = "scan_ip", on_error = "continue", with = { threshold = 3 } },
    upload("here", { file_paths = %q }),
    upload("locked", { file_paths = %q, linux_server_address = %q, linux_user = %q, ssh_key = %q,
      ssh_key_passphrase = %q, ssh_known_hosts = %q }),
    upload("password", { file_paths = "/far.bin", linux_server_address = %q, linux_user = "ana",
      linux_password = "$password", ssh_host_key = %q }),
    { "asker", action = "asker", on_error = "continue",
      with = { page = "$page", token = "$password" } },
  },
}
]]

local ENTITIES = {
  "--entity", "44d88612fea8a8f36de82e1278abb02f", "--entity", "http://malware.example.com/",
  "--entity", "hostname:example.com", "--entity", "192.0.2.7",
}

local SCANS = "return { scan_ms = 1%s }"

local function all_servers(given, use)
  sshd.with(function(server)
    sshd.with_password(function(peer)
      local scenario = SCANS:format(given.answers and ", answers = " .. given.answers or "")
      workspace.simulated({ tls = true, scenario = scenario }, function(w)
        service.with(w.folder, nil, function(asked)
          local credentials = "ana:" .. (given.proxy_password or PROXY_PASSWORD)
          proxy.with(credentials, w:path "proxy.log", function(address)
            use(w, { server = server, peer = peer, asked = asked, proxy = address })
          end)
        end)
      end)
    end)
  end)
end

local function make_secrets(w, all)
  local server = all.server
  assert(os.execute("mkdir -m 700 " .. quote(w:path "secrets")))
  for name, text in pairs {
    key = KEY, passphrase = all.passphrase or PASSPHRASE, proxy = PROXY_PASSWORD,
    service = HTTP_SECRET, password = all.password or all.peer.password,
  } do
    w:write("secrets/" .. name, text .. "\n")
  end
  assert(os.execute("chmod 600 " .. quote(w:path "secrets") .. "/*"))
  server:make_key("locked", "ed25519", PASSPHRASE)
  server:authorize "locked"
  local words = {
    key = spellings(KEY), passphrase = spellings(PASSPHRASE), proxy = spellings(PROXY_PASSWORD),
    service = spellings(HTTP_SECRET), password = spellings(all.password or all.peer.password),
    private_key = { program.read(server:path "locked"):match "\n[^\n]*\n([^\n]+)\n" },
  }
  local patterns = {}
  for _, list in pairs(words) do
    for _, spelling in ipairs(list) do table.insert(patterns, spelling) end
  end
  w:write("secrets/patterns", table.concat(patterns, "\n") .. "\n")
  return setmetatable({ w = w, words = words }, Watch)
end

--- A workspace in which everything is there, and a watch over it.
---@param given table { answers = of the scenario, and what differs: proxy_password, passphrase,
---  password }
---@param use fun(w: table, watch: table, run: fun(more: string[]): string[], all: table)
local function with(given, use)
  all_servers(given, function(w, all)
    local server = all.server
    all.passphrase, all.password = given.passphrase, given.password
    local watch = make_secrets(w, all)
    for _, name in ipairs { "actions", "tmp" } do
      assert(os.execute("mkdir " .. quote(w:path(name))))
    end
    w.env = { TMPDIR = w:path "tmp" }
    w:write("actions/asker.lua", ASKER:format(all.asked.host, all.asked.url, all.asked.url))
    w:write("book.lua", BOOK:format(w:write("here.bin", LOCAL_FILE),
      server:write("there.bin", "a file that is there"), server.address, server.user,
      server:path "locked", "file:" .. w:path "secrets/passphrase", server:know "host_ed25519",
      all.peer.address, all.peer.fingerprint))
    w:configure {
      virustotal = {
        url = w.url, ca_file = w:path "ca.pem", retries = 0, timeout = "20s",
        api_key = "file:" .. w:path "secrets/key", proxy = "http://ana@" .. all.proxy,
        proxy_password = "file:" .. w:path "secrets/proxy",
      },
      jobs = 1, actions_path = { "actions" },
      secrets = { service = "file:" .. w:path "secrets/service" },
    }
    use(w, watch, function(more)
      local args = { "run", w:path "book.lua", "-vv", table.unpack(ENTITIES) }
      return table.move(more, 1, #more, #args + 1, args)
    end, all)
  end)
end

local function outcomes(document)
  local all = {}
  for _, step in ipairs(document.steps) do
    for _, entity in ipairs(step.entities) do all[step.step] = entity.outcome end
  end
  return all
end

describe("the watch", function()
  it("sees a secret in each of its spellings, in a text and in a file", function()
    workspace.with(function(w)
      local words = { proxy = spellings(PROXY_PASSWORD), service = spellings(HTTP_SECRET) }
      local watch = setmetatable({ w = w, words = words }, Watch)
      assert(os.execute("mkdir " .. quote(w:path "secrets")))
      w:write("secrets/patterns", table.concat(words.proxy, "\n") .. "\n")
      watch:check("ana:proxy-canary-7d1", "a text")
      for _, text in ipairs {
        PROXY_PASSWORD, PROXY_PASSWORD:upper(), mime.b64("ana:" .. PROXY_PASSWORD .. "x"),
        mime.b64("a:" .. PROXY_PASSWORD), mime.b64("an:" .. PROXY_PASSWORD), hex(PROXY_PASSWORD),
      } do
        assert.has_error(function() watch:check("before " .. text .. " after", "a text") end)
        w:write("file", "before\0" .. text .. "\0after")
        assert.has_error(function() watch:check_folder "a file" end)
        w:write("file", "")
        watch:check_folder "no file"
      end
      for _, text in ipairs { 'http/canary&\\"9f8e', "http%2fcanary%26%229f8e" } do
        assert.has_error(function() watch:check(text, "a text") end)
      end
    end)
  end)
end)

describe("no secret turns up", function()
  it("in a run that uses them all, whatever is asked of it then", function()
    with({}, function(w, watch, run, all)
      local ran = w:run(run {
        "--format", "json", "--output", w:path "result.json", "--poll-interval", "10ms",
        "--param", "password=file:" .. w:path "secrets/password", "--metrics", w:path "metrics",
      })
      watch:check_ran(ran, "the run")
      local document = require "cjson".decode(program.read(w:path "result.json"))
      local found = outcomes(document)
      for _, step in ipairs { "hashes", "urls", "domains", "ips", "asker" } do
        assert(found[step] == "reported" or found[step] == "scanned", step .. ": " .. ran.err)
      end
      for _, step in ipairs { "here", "locked", "password" } do
        assert(found[step] == "scanned", step .. ": " .. ran.err)
      end
      assert.equal(HTTP_SECRET, all.asked:requests()[1].headers.key)
      assert.matches("CONNECT", program.read(w:path "proxy.log"))
      for _, format in ipairs { "json", "ndjson", "table", "csv", "markdown", "html" } do
        watch:check_ran(w:run { "report", "last", "--format", format }, format)
      end
      for _, args in ipairs {
        { "ping" }, { "runs" }, { "quota" }, { "cache" }, { "doctor" }, { "show", "config" },
        { "plan", w:path "book.lua", table.unpack(ENTITIES) }, { "resume" }, { "list" },
      } do
        local words = table.move(args, 1, #args, 1, {})
        table.insert(words, "-vv")
        watch:check_ran(w:run(words), args[1])
      end
    end)
  end)

  it("in a process that runs, though one was typed, nor in one that is ended and gone on with",
    function()
      with({}, function(w, watch, run, all)
        local process = program.start(run {
          "--format", "ndjson", "--log-format", "json", "--poll-interval", "10ms",
          "--param", "password=" .. all.peer.password, "--param", "page=/slow",
        }, w:environment())
        local is_there = simulator.wait("grep -q slow " .. quote(all.asked.log), 30)
        watch:check_process(process.pid)
        watch:check_folder "a run on its way"
        process:signal "TERM"
        local ran = process:wait(20)
        assert(is_there, ran.err)
        watch:check_ran(ran, "a run that was ended")
        watch:check_ran(w:run {
          "resume", "-vv", "--deadline", "1s",
          "--param", "password=file:" .. w:path "secrets/password",
        }, "a run that is gone on with")
      end)
    end)

  for name, given in pairs {
    ["when the proxy refuses"] = { proxy_password = "another" },
    ["when the passphrase is wrong"] = { passphrase = "passphrase-canary-ffff" },
    ["when the password is wrong"] = { password = "password-canary-eeee" },
    ["when the key is refused"] = {
      answers = "{ ['* *'] = { { status = 403 } } }",
    },
    ["when the server sends the key back"] = {
      answers = ([[{ ["* *"] = { { body = '{"response_code":0,"verbose_msg":"%s","%s":1}' } } }]])
        :format(KEY, KEY),
    },
    ["when all is garbage"] = {
      answers = "{ ['* *'] = { { garbage = true } } }",
    },
  } do
    it(name, function()
      with(given, function(w, watch, run)
        local ran = w:run(run {
          "--format", "json", "--param", "password=file:" .. w:path "secrets/password",
          "--poll-interval", "10ms",
        })
        os.remove(w:path "scenario.lua")
        assert.is_true(ran.exit == 1 or ran.exit == 3, ran.err)
        watch:check_ran(ran, name)
      end)
    end)
  end

  it("in what is left by a process that was killed", function()
    with({}, function(w, watch, run)
      for _, point in ipairs {
        "before_request:1", "after_answer:2", "before_write:2", "after_write:3", "before_keep:1",
        "after_keep:1", "before_end:1", "after_end:1",
      } do
        local env = w:environment()
        env.APOGEE_FAILPOINT = point
        local ran = program.start(run {
          "--skip", "locked", "--skip", "password", "--format", "json", "--output",
          w:path "result.json", "--poll-interval", "10ms",
          "--param", "password=file:" .. w:path "secrets/password",
        }, env):wait(30)
        assert.equal(137, ran.exit, point .. ": " .. ran.err)
        watch:check_ran(ran, point)
        w:forget()
      end
    end)
  end)
end)
