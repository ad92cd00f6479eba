-- SPDX-License-Identifier: Apache-2.0
local check = require "apogee.check"
local fake = require "spec.support.engine"
local look_action = require "apogee.look_action"
local look_names = require "apogee.look_names"
local parse = require "apogee.parse"

local HEAD = [[
local action = require "apogee.action"
local enrichment = require "apogee.enrichment"
]]

local MANIFEST = [[
return action {
  id = "go", name = "Go", doc = "Goes.", accepts = { "url" }, returns = "is_risky",
  %s
  params = { { "threshold", type = "integer" } },
  run = function(ctx, entity)
    do %s end
    return ctx.params.threshold and ctx.not_found()
  end,
}
]]

-- Line 8 is the first of `body`, line 3 the first of `before`.
local function source(body, fields, before)
  return HEAD .. (before and before .. "\n" or "") .. MANIFEST:format(fields or "", body)
end

local function checked(text, modules)
  local files = { ["/a/go.lua"] = text }
  for name, module in pairs(modules or {}) do files["/a/" .. name .. ".lua"] = module end
  local ok, lines = check.file(fake.new { files = files }, "/a/go.lua")
  return lines:gsub("/a/go%.lua: OK[^\n]*\n$", ""), ok
end

local VT = 'needs = { "vt" },'
local HTTP = 'needs = { http = { "api.greynoise.io", "127.0.0.1:80" } },'
local OUT = 'outputs = { "Name", "* date" },'

describe("a look at an action", function()
  for pattern, names in pairs {
    ["* date"] = { " date", "Scan date", "a date date" }, ["Scan *"] = { "Scan ", "Scan date" },
    ["a*b*c"] = { "abc", "a-b-c", "abbc", "ab.c.c" }, ["*"] = { "x" }, ["**x"] = { "x", "ax" },
    ["%d*"] = { "%d", "%d1" }, [("*a"):rep(40)] = { ("a"):rep(70) },
  } do
    it("takes names for outputs like " .. pattern, function()
      local fields = ("outputs = { %q },"):format(pattern)
      for _, name in ipairs(names) do
        assert.equal("", (checked(source(('entity:enrich("%s", 1)'):format(name), fields))), name)
      end
    end)
  end

  for pattern, names in pairs {
    ["* date"] = { "date", " dates" }, ["a*b*c"] = { "ac", "acb", "ab", "xabc" },
    ["ab*ba"] = { "aba" }, ["%d*"] = { "5" }, [("*a"):rep(40)] = { ("a"):rep(70) .. "b" },
  } do
    it("takes no others for outputs like " .. pattern, function()
      local fields = ("outputs = { %q },"):format(pattern)
      for _, name in ipairs(names) do
        local lines = checked(source(('entity:enrich("%s", 1)'):format(name), fields))
        assert.matches("which outputs does not name", lines)
      end
    end)
  end
end)

describe("a look at an action finds", function()
  for _, case in ipairs {
    -- globals
    { "a global that is made", 'mesage = "x"',
      '8: mesage: a global, which all entities share: write "local mesage"' },
    { "a global function", "return",
      '3: help: a global, which all entities share: write "local help"',
      before = "function help() end" },
    { "a name that there is not", "return entiy",
      '8: entiy: there is no such name; did you mean "entity"?' },
    { "a name that nothing is near", "return zzzzzz", "8: zzzzzz: there is no such name" },
    { "what scripts do not have, with what they have", "unpack {}",
      "8: unpack: there is no such name: write table.unpack" },
    { "a name that it can do without", "local all = table.unpack or unpack return all",
      "8: warning: unpack: there is no such name: write table.unpack" },
    { "a name that is asked for", "if zzzzzz then zzzzzz.off() end",
      "8: warning: zzzzzz: there is no such name" },
    { "a name that is not there, it says", "return not zzzzzz",
      "8: warning: zzzzzz: there is no such name" },
    { "a name that is compared", "while 1 == zzzzzz do return end",
      "8: warning: zzzzzz: there is no such name" },
    { "a local that is out of its scope", "do local inner = 1 end return inner, ctx",
      "8: inner: there is no such name" },
    { "a function that a module does not have", 'return string.gsubb("x", "y", "z")',
      '8: string.gsubb: there is no such name; did you mean "gsub"?' },
    { "a function that a capability does not have", "return vt.file_reprot()",
      '8: vt.file_reprot: there is no such name; did you mean "file_report"?', fields = VT },
    { "a function of an alias", "local v = vt return v.await(), v.comment()",
      '8: vt.comment: there is no such name; did you mean "comments"?', fields = VT },
    -- ctx and entity
    { "an outcome that there is not", "return ctx.skiped()",
      '8: ctx.skiped: there is no such name; did you mean "skipped"?' },
    { "a method that entities do not have", "entity:enrch()",
      '8: entity:enrch: there is no such method; did you mean "enrich"?' },
    { "a field of an entity that is written", "entity.suspicious = true",
      "8: entity.suspicious: an entity is read-only: entity:enrich(...) and the other methods "
        .. "write on it" },
    { "a method in a helper", "help(entity)",
      '3: entity:marks_suspicious: there is no such method; did you mean "mark_suspicious"?',
      before = "local function help(it) it:marks_suspicious() end" },
    { "a verdict without a count", "entity:result { risky = true }",
      "8: entity:result: detections is missing: where nothing is counted, write "
        .. "detections = is_risky and 1 or 0, total = 1" },
    { "a verdict that is none", "entity:result { detections = 1 }",
      "8: entity:result: risky is missing: true or false" },
    { "a field that verdicts do not have",
      "entity:result { detections = 1, risky = true, totl = 3 }",
      '8: entity:result: there is no field totl; did you mean "total"?' },
    -- parameters
    { "a parameter that is not declared", "return ctx.params.risk",
      '8: ctx.params.risk: no such parameter is declared: '
        .. 'declare it in params: { "risk", type = "..." }' },
    { "a parameter in other letters", "return ctx.params.Threshold",
      '8: ctx.params.Threshold: no such parameter is declared; did you mean "threshold"?' },
    { "a parameter through a local", "local p = ctx.params\nlocal q = p\nreturn q.treshold",
      '10: ctx.params.treshold: no such parameter is declared; did you mean "threshold"?' },
    { "a parameter by its text", 'return ctx.params["treshold"]',
      '8: ctx.params.treshold: no such parameter is declared; did you mean "threshold"?' },
    { "a parameter in a helper that is given them", "help(ctx.params)",
      '3: ctx.params.treshold: no such parameter is declared; did you mean "threshold"?',
      before = "local function help(p) return p.treshold end" },
    { "a parameter in validate", "return",
      '6: ctx.params.treshold: no such parameter is declared; did you mean "threshold"?',
      fields = "\nvalidate = function(given) return given.treshold end," },
    -- capabilities
    { "a capability without needs", "return vt.ip_report()",
      '8: vt: is used, and needs does not name it: needs = { "vt" }' },
    { "a capability in a local", "local get = http.get return get()",
      '8: http: is used, and needs does not name it: needs = { http = { "HOST" } }' },
    { "a host that needs does not name",
      'return http.get("https://api.greynose.io/" .. entity.identifier)',
      '8: asks api.greynose.io, which needs.http does not name; did you mean "api.greynoise.io"?',
      fields = HTTP },
    { "a host that is far from all", 'return http.request { url = "https://elsewhere.example" }',
      "8: asks elsewhere.example, which needs.http does not name: add it there", fields = HTTP },
    { "a host in a constant", "return http.post(URL .. 'x', { once = 'x' })",
      "8: asks elsewhere.example, which needs.http does not name: add it there", fields = HTTP,
      before = 'local BASE = "https://elsewhere.example/v3"; local URL = BASE .. "/"' },
    { "a host in a pattern", 'return http.get(("https://elsewhere.example/%s"):format(ctx))',
      "8: asks elsewhere.example, which needs.http does not name: add it there", fields = HTTP },
    { "a host in an argument of a helper", 'return ask "https://elsewhere.example/"',
      "3: asks elsewhere.example, which needs.http does not name: add it there", fields = HTTP,
      before = "local function ask(url) return http.get(url) end" },
    { "another port", 'return http.get "https://api.greynoise.io:8443/"',
      '8: asks api.greynoise.io:8443, which needs.http does not name; did you mean '
        .. '"api.greynoise.io"?', fields = HTTP },
    { "plain http", 'return http.get "http://api.greynoise.io/"',
      "8: http://api.greynoise.io: plain http is for loopback alone: write https", fields = HTTP },
    { "a capability that is never used", "return",
      '5: warning: needs: vt is never used: take it out', fields = VT },
    -- outputs
    { "a field that outputs does not name", 'entity:enrich("Nme", 1)',
      '8: enriches "Nme", which outputs does not name; did you mean "Name"?', fields = OUT },
    { "a field that is far from all", 'entity:enrich("Other", 1)',
      '8: enriches "Other", which outputs does not name: add it there', fields = OUT },
    { "a field by a constant", "entity:enrich(FIELD, 1)",
      '8: enriches "Nme", which outputs does not name; did you mean "Name"?', fields = OUT,
      before = 'local FIELD = "Nme"', line = 9 },
    { "a field in a list", "enrichment.apply(entity, {}, FIELDS)",
      '4: enriches "Nme", which outputs does not name; did you mean "Name"?', fields = OUT,
      before = 'local FIELDS = {\n{ "Nme", "x" }, { "scan date", "y" } }' },
    { "a field where outputs names none", 'entity:enrich("Name", 1)',
      '8: warning: enriches "Name", and outputs does not name it: outputs = { "Name" }' },
    { "a field whose name is worked out", "entity:enrich(entity.type, 1)",
      "8: warning: enriches a field whose name is worked out: what outputs names cannot be "
        .. 'compared; a name with * there, such as "* category", stands for several',
      fields = 'outputs = { "Name" },' },
  } do
    it(case[1], function()
      local found, ok = checked(source(case[2], case.fields, case.before))
      local line, message = case[3]:match "^(%d+)(: .*)$"
      if case.before and line == "8" then line = "9" end
      assert.equal("/a/go.lua:" .. line .. message .. "\n", found)
      assert.equal(message:find "^: warning: " ~= nil, ok)
    end)
  end

  it("parameters that are never used, where they are declared", function()
    local found, ok = checked((source("return"):gsub('{ "threshold"',
      '{ "other", type = "string" },\n    %0')))
    assert.equal("/a/go.lua:6: warning: params.other: is never used: take it out, or read "
      .. "ctx.params.other\n", found)
    assert.is_true(ok)
  end)

  it("each of them, in the order of lines, with warnings at the end", function()
    local found = checked(source("b = 1\na = 2", VT))
    assert.equal('/a/go.lua:8: b: a global, which all entities share: write "local b"\n'
      .. '/a/go.lua:9: a: a global, which all entities share: write "local a"\n'
      .. "/a/go.lua:5: warning: needs: vt is never used: take it out\n", found)
  end)

  it("what is wrong in a module of the folder", function()
    local found = checked(source('return require("help").limit(ctx)'), {
      help = "local M = {}\nfunction M.limit(ctx)\n  return ctx.params.treshold\nend\nreturn M",
    })
    assert.equal("/a/help.lua:3: ctx.params.treshold: no such parameter is declared; did you mean "
      .. '"threshold"?\n', found)
  end)
end)

describe("a look at an action finds nothing wrong with", function()
  for _, case in ipairs {
    { "nothing at all", "return" },
    { "a capability that is asked for before it is used", "if vt then return vt.ip_report() end" },
    { "a capability that a helper uses", "help()", before = "local function help() vt.await() end",
      fields = VT },
    { "a capability that a module of ours uses", "return", fields = VT,
      before = 'local scan = require "apogee.scan"; local run = scan.run' },
    { "a host that is named", 'http.get("https://API.greynoise.io:443/v3/" .. ctx)',
      fields = HTTP },
    { "a loopback host that is named", 'http.get("http://127.0.0.1/" .. ctx)', fields = HTTP },
    { "a host that is worked out", 'http.get("https://" .. entity.identifier)', fields = HTTP },
    { "a host of which a part is worked out", 'http.get("https://api." .. entity.identifier)',
      fields = HTTP },
    { "a host of a pattern", 'http.get(("https://%s.example/"):format(ctx))', fields = HTTP },
    { "a URL of a service's answer", 'http.get(json.decode("x").url)', fields = HTTP },
    { "a URL that nobody asks", 'log.info("https://elsewhere.example/") http.get(ctx)',
      fields = HTTP },
    { "a verdict that is worked out", "entity:result(json.decode 'x')" },
    { "a verdict with a field that is worked out", "entity:result { [entity.type] = 1 }" },
    { "a whole verdict",
      "entity:result { detections = 1, total = 2, threshold = 3, risky = true }" },
    { "something of its own in ctx", "ctx.seen = true return ctx.seen" },
    { "a table of another's that is called p",
      'local p = { x = 1 } p = json.decode "{}" return p.y' },
    { "what may be something else", "local p = ctx.params if p then p = {} end return p.anything" },
    { "an argument that is sometimes another", "help(ctx.params) help({}) ",
      before = "local function help(p) return p.treshold end" },
    { "globals where _ENV is another", "local _ENV = { x = 1 } return x, y" },
    { "a field that stands for several", 'entity:enrich("Scan date", 1)', fields = OUT },
    { "a worked out field where one stands for several", "entity:enrich(entity.type, 1)",
      fields = OUT },
    { "what another function is called", "local other = { enrich = 1 } other:enrich('x')",
      fields = OUT },
    { "a function that it gives to a module", "function string.trim() end return string.trim()" },
  } do
    it(case[1], function()
      assert.equal("", (checked(source(case[2], case.fields, case.before))))
    end)
  end

  for _, case in ipairs {
    { "are given to what it does not know", "local all = {} all.f(ctx)" },
    { "are walked over", "for name in pairs(ctx.params) do log.info(name) end" },
    { "are asked for by a name that is worked out", "return ctx.params[entity.type]" },
    { "are kept in a table", "return { ctx.params }" },
    { "may be one of two", "local p = ctx.params or {} return p.other" },
  } do
    it("parameters that " .. case[1], function()
      local text = source(case[2]):gsub('{ "threshold"', '{ "other", type = "string" }, %0')
      assert.equal("", (checked(text)))
    end)
  end

  for _, id in ipairs {
    "get_domain_report", "ping", "scan_hash", "scan_ip", "scan_url", "upload_and_scan_file",
  } do
    it("the packaged " .. id, function()
      local file = assert(io.open("lua/actions/" .. id .. ".lua"))
      local text = file:read "a"
      file:close()
      assert.equal("", (checked(text)))
    end)
  end
end)

describe("the lists of a look are those of", function()
  local function names_in(list)
    local found = {}
    for line in io.lines("tests/spec/sandbox/names/" .. list) do
      local name = line:match "^([^:]+:?[%w_]*): %a+$"
      if name then table.insert(found, name) end
    end
    return found
  end

  it("the sandbox: what capabilities give", function()
    local given = {}
    for _, name in ipairs(names_in "action_with_needs.txt") do
      local module, member = name:match "^_G%.(%w+)%.([%w_]+)$"
      if look_names.CAPABILITIES[module] then
        given[module] = given[module] or {}
        table.insert(given[module], member)
      end
    end
    assert.same(given, look_names.CAPABILITIES)
  end)

  it("the sandbox: the methods of an entity", function()
    local methods = {}
    for line in io.lines "tests/spec/sandbox/names/action.txt" do
      local method = line:match "^entity:([%w_]+): function$"
      if method then table.insert(methods, method) end
    end
    table.sort(methods)
    assert.same(methods, look_names.METHODS)
  end)

  it("our modules: what they read of parameters, and what they need", function()
    local pipe = assert(io.popen "ls lua/apogee/*.lua")
    local found, requires = {}, {}
    for path in pipe:lines() do
      local file = assert(io.open(path))
      local parsed = parse.read(file:read "a")
      file:close()
      local module = { params = {} }
      local name = path:match "^lua/(.*)%.lua$":gsub("/", ".")
      for _, place in ipairs(parsed.places) do
        local is_params = place.root.name == "ctx" and place.path[1] == "params"
        if is_params then table.insert(module.params, place.path[2]) end
        local global = place.root.global
        if look_names.CAPABILITIES[global or ""] then module.needs = global end
        if global == "require" and place.call[1] then
          table.insert(requires, { name, place.call[1].text })
        end
      end
      found[name] = module
    end
    pipe:close()
    for _, pair in ipairs(requires) do
      local needed = found[pair[2]]
      if needed then found[pair[1]].needs = found[pair[1]].needs or needed.needs end
    end
    for name, module in pairs(found) do
      if not module.needs and #module.params == 0 then found[name] = nil end
    end
    assert.same(found, look_action.MODULES)
  end)
end)
