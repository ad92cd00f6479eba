-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local loader = require "apogee.loader"

local PATH = "/actions/a.lua"

local function read(source)
  return loader.read(fake.new { files = { [PATH] = source } }, PATH)
end

--- The fields of a good manifest with some replaced; an empty text leaves one out.
local function action(fields)
  local all = {
    id = '"a"', name = '"A"', doc = '"Does a."', accepts = '{ "filehash" }',
    returns = '"is_risky"', run = "function() end",
  }
  for key, value in pairs(fields or {}) do all[key] = value end
  local lines = { 'return require "apogee.action" {' }
  for _, key in ipairs { "id", "name", "doc", "accepts", "returns", "run", "provider", "needs",
    "params", "run_case", "each", "extra" } do
    if all[key] and all[key] ~= "" then
      table.insert(lines, key == "extra" and all[key] or key .. " = " .. all[key] .. ",")
    end
  end
  table.insert(lines, "}")
  return table.concat(lines, "\n")
end

describe("a manifest", function()
  it("becomes an action with canonical types and defaults", function()
    local result = assert(read(action {
      accepts = '{ "FILEHASH", "IP Address" }', needs = '{ "vt" }',
      params = '{ { "n", type = "integer", default = 3 } }',
    }))
    assert.same({ "filehash", "ip_address" }, result.accepts)
    assert.same({ "vt" }, result.needs)
    assert.same({ { id = "n", type = "integer", default = 3 } }, result.params)
    assert.equal("A", result.provider)
    assert.equal(PATH, result.path)
    assert.is_function(result.run)
  end)

  for _, param in ipairs {
    { type = "number", min = 0, max = 1, zero = '"x"', enum = "{ 1 }" },
    { type = "integer", min = 1, max = 1, zero = '"x"', enum = "{ 1 }" },
    { type = "string", pattern = '"x"', enum = '{ "x" }' },
  } do
    it("may say more of a parameter: a " .. param.type, function()
      local words = { '"n"' }
      for key, value in pairs(param) do
        table.insert(words, key .. " = " .. (key == "type" and '"' .. value .. '"' or value))
      end
      local params = "{ { " .. table.concat(words, ", ") .. " } }"
      assert.equal("n", assert(read(action { params = params })).params[1].id)
    end)
  end

  it("may work on the whole case", function()
    local result = assert(read(action { accepts = "", run = "", run_case = "function() end" }))
    assert.same({}, result.accepts)
  end)

  it("may name the hosts that it asks over http", function()
    local result = assert(read(action { needs = '{ "vt", http = { "api.example.com" } }' }))
    assert.same({ "vt", "http" }, result.needs)
  end)
end)

describe("an error in a manifest names file, line, field and nearest:", function()
  local function param(text) return { params = "{ " .. text .. " }" } end

  for _, case in ipairs {
    { "an unknown key", { extra = "acepts = {}," },
      '8: acepts: unknown key; did you mean "accepts"?' },
    { "an unknown type that none is near", { accepts = '{ "zzzzzz" }' },
      '5: accepts: unknown type "zzzzzz"; there are: filehash, ip_address, url, hostname, user, '
        .. "file" },
    { "an unknown type", { accepts = '{ "filehsh" }' },
      '5: accepts: unknown type "filehsh"; did you mean "filehash"?' },
    { "types that are no list", { accepts = '{ type = "url" }' },
      '5: accepts: must be a list of types: { "filehash" }' },
    { "an unknown capability", { needs = '{ "sfttp" }' },
      '8: needs: unknown "sfttp"; did you mean "sftp"?' },
    { "hosts that are no list", { needs = '{ http = "a" }' },
      '8: needs.http: must be a list of hosts: http = { "api.example.com" }' },
    { "no hosts", { needs = "{ http = {} }" }, "8: needs.http: must name 1 to 32 hosts" },
    { "a host that is none", { needs = '{ http = { "https://a/" } }' },
      '8: needs.http: "https://a/" is no host' },
    { "http without hosts", { needs = '{ "http" }' },
      '8: needs: http names its hosts: needs = { http = { "api.example.com" } }' },
    { "a rate of nothing", { extra = "rate = { 1 }," },
      '8: rate: goes with needs = { http = { "HOST" } }' },
    { "a rate that is none", { needs = '{ http = { "a" } }', extra = "rate = { 0 }," },
      '9: rate: must be like { 10, per = "minute" }, with 1 to 10000' },
    { "a rate of another while",
      { needs = '{ http = { "a" } }', extra = 'rate = { 1, per = "minutes" },' },
      '9: rate.per: must be second, minute, hour or day; did you mean "minute"?' },
    { "too many retries", { needs = '{ http = { "a" } }', extra = "retries = 11," },
      "9: retries: must be a whole number from 0 to 10" },
    { "secrets that are no names", { extra = 'secrets = { "a b" },' },
      "8: secrets: a name is letters, digits and _" },
    { "secrets that are no list", { extra = 'secrets = { k = "env:K" },' },
      '8: secrets: must be a list of names: { "abuseipdb_key" }' },
    { "a wrong Lua type", { name = "7" }, "3: name: must be a string, not a number" },
    { "a missing field", { doc = "" }, "1: doc: is missing" },
    { "a missing id", { id = "" }, "1: id: is missing" },
    { "a missing name", { name = "" }, "1: name: is missing" },
    { "a missing result", { returns = "" }, "1: returns: is missing" },
    { "needs that are no names", { needs = "{ 7 }" },
      '8: needs: must be a list of names: { "vt" }' },
    { "a parameter whose name is none", param '{ "a b", type = "string" }',
      "8: params.1: the name must be letters, digits and _" },
    { "a label with a line break", param '{ "n", type = "string", label = "a\\nb" }',
      "8: params.n.label: must be one line of text" },
    { "an id of other letters", { id = '"Scan-Hash"' },
      "2: id: must be lower-case letters, digits and _" },
    { "a name with a line break", { name = '"A\\nB"' }, "3: name: must be one line of text" },
    { "another result", { returns = '"is_riskyy"' },
      '6: returns: must be is_risky or is_success; did you mean "is_risky"?' },
    { "no function", { run = "" }, "1: run: is missing: the function that runs for each entity" },
    { "two functions", { run_case = "function() end" },
      "8: run_case: an action has run or run_case, not both" },
    { "types for run_case", { run = "", run_case = "function() end" },
      "7: run_case: works on the whole case: accepts and each go with run" },
    { "no types for run", { accepts = "{}" },
      "5: accepts: is missing: the types of entities that run is for" },
    { "a parameter without a type", param '{ "n" }', "8: params.n.type: is missing" },
    { "a parameter without a name", param '{ type = "string" }',
      "8: params.1: the name is missing: it comes first" },
    { "a parameter of an unknown type", param '{ "n", type = "intger" }',
      '8: params.n.type: unknown type; did you mean "integer"?' },
    { "an unknown key of a parameter", param '{ "n", type = "string", requird = true }',
      '8: params.n.requird: unknown key; did you mean "required"?' },
    { "a bound of a text", param '{ "n", type = "string", min = 1 }',
      "8: params.n.min: has no meaning for a string" },
    { "bounds the wrong way round", param '{ "n", type = "integer", min = 2, max = 1 }',
      "8: params.n.min: is larger than max" },
    { "a broken pattern", param '{ "n", type = "string", pattern = "[" }',
      "8: params.n.pattern: is no Lua pattern" },
    { "a default that does not fit", param '{ "n", type = "integer", min = 1, default = 0 }',
      "8: params.n.default: 0 is too small: it must be 1 or more" },
    { "a parameter twice", param '{ "n", type = "string" }, { "N", type = "string" }',
      "8: params.N: is there twice" },
    { "a parameter that is no table", param '"n"',
      '8: params.1: must be a table: { "name", type = "string" }' },
    { "parameters by name", param 'n = { type = "string" }',
      '8: params.n: params is a list: { "n", type = "string" }' },
  } do
    it(case[1], function()
      local result, message = read(action(case[2]))
      assert.is_nil(result)
      assert.equal(PATH .. ":" .. case[3], message)
    end)
  end

  it("all of them at once", function()
    local _, message = read(action { name = "7", extra = "acepts = {}," })
    assert.equal(2, select(2, message:gsub(PATH, "")))
  end)

  for _, case in ipairs {
    { "a table without the word action", "return { id = 'a' }",
      "is no action: it does not return action { ... }" },
    { "a playbook", 'return require "apogee.playbook" {}',
      "is no action: it does not return action { ... }" },
    { "a number", "return 7", "is no action: it does not return action { ... }" },
    { "a metatable", 'return require "apogee.action"(setmetatable({}, {}))',
      "a table with a metatable is no data" },
  } do
    it(case[1], function()
      local result, message = read(case[2])
      assert.is_nil(result)
      assert.equal(PATH .. ": " .. case[3], message)
    end)
  end

  it("what the file raised", function()
    local result, message = read "local x = nil\nreturn x.y"
    assert.is_nil(result)
    assert.matches("^/actions/a.lua:2: ", message)
  end)
end)
