-- Get Domain Report from the outside: which domain is asked for, and for whom.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local workspace = require "e2e.support.workspace"

--- Runs the action on entities and gives what was asked and what became of each.
local function reports(entities, check, given)
  given = given or {}
  workspace.simulated({ scenario = given.scenario }, function(w)
    local args = { "action", "get_domain_report", "--format", "json" }
    for _, word in ipairs(given.args or {}) do table.insert(args, word) end
    for _, entity in ipairs(entities) do
      table.insert(args, "--entity")
      table.insert(args, entity)
    end
    local document, ran = w:json(args)
    local asked, found = {}, {}
    for _, request in ipairs(w:requests()) do
      assert.equal("domain/report", request.endpoint)
      table.insert(asked, request.resources[1])
    end
    table.sort(asked)
    for _, entity in ipairs(document.entities) do found[entity.identifier] = entity end
    check(asked, found, document, ran)
  end)
end

describe("get_domain_report asks for", function()
  for entity, domain in pairs {
    ["hostname:www.example.co.uk"] = "example.co.uk",
    ["hostname:WWW.Example.COM."] = "example.com",
    ["hostname:mail.example.com:25"] = "example.com",
    ["user:ana@mail.example.org"] = "example.org",
    ["url:https://login.example.net:8443/a@evil.com?x=b@c.org"] = "example.net",
    ["url:http://ana:secret@a.b.example.com/"] = "example.com",
    ["hostname:www.bücher.de"] = "xn--bcher-kva.de",
    ["url:http://bücher.de/"] = "xn--bcher-kva.de",
    ["hostname:pages.github.io"] = "pages.github.io",
  } do
    it(domain .. " where it is given " .. entity, function()
      reports({ entity }, function(asked, _, document, ran)
        assert.equal(0, ran.exit)
        assert.same({ domain }, asked)
        assert.equal(1, document.coverage.checked)
      end)
    end)
  end

  it("the host as it is where exact_host is set", function()
    reports({ "hostname:www.example.co.uk" }, function(asked)
      assert.same({ "www.example.co.uk" }, asked)
    end, { args = { "--param", "exact_host=true" } })
  end)

  it("one domain once, for all entities that share it", function()
    local entities = {
      "url:http://example.com/a", "url:http://www.example.com/b", "hostname:mail.example.com",
      "user:ana@example.com",
    }
    reports(entities, function(asked, found, document)
      assert.same({ "example.com" }, asked)
      assert.equal(4, document.coverage.checked)
      assert.equal(4, #document.json_result)
      assert.equal(1, document.cost.requests)
      for _, name in ipairs { "http://example.com/a", "mail.example.com", "ana@example.com" } do
        assert.equal("reported", found[name].outcome)
        assert.is_true(found[name].enriched)
        assert.equal("https://www.virustotal.com/gui/domain/example.com", found[name].link)
      end
      assert.equal("http://example.com/a", document.json_result[1].Entity)
    end)
  end)
end)

describe("get_domain_report does not ask for", function()
  for entity, reason in pairs {
    ["user:EXAMPLE\\ana"] = "a user without a domain",
    ["user:ana"] = "a user without a domain",
    ["url:http://192.0.2.1/x"] = "an IP address, not a host name",
    ["url:http://[2001:db8::1]/x"] = "an IP address, not a host name",
    ["hostname:srv01"] = "a name of one label",
    ["hostname:srv01.corp.internal"] = "under no listed public suffix",
    ["hostname:co.uk"] = "a public suffix itself",
  } do
    it(entity .. ": " .. reason, function()
      reports({ entity }, function(asked, _, document, ran)
        assert.equal(0, ran.exit)
        assert.same({}, asked)
        assert.equal("skipped", document.entities[1].outcome)
        assert.equal(reason, document.entities[1].reason)
        assert.is_true(document.result.value)
      end)
    end)
  end
end)

describe("get_domain_report", function()
  it("tells a domain that is not known from an answer that is none", function()
    reports({ "hostname:unknown.org", "hostname:wrong.org" }, function(_, found, document, ran)
      assert.equal(1, ran.exit)
      assert.equal("not_found", found["unknown.org"].outcome)
      assert.equal("failed", found["wrong.org"].outcome)
      assert.matches("no such domain", found["wrong.org"].reason)
      assert.same({ checked = 1, of = 2 }, document.coverage)
      assert.same({}, document.json_result)
    end, { scenario = [[return { answers = {
      ["domain/report unknown.org"] = { { code = 0 } },
      ["domain/report wrong.org"] = { { code = -1, verbose_msg = "no such domain" } },
    } }]] })
  end)

  it("writes the fields of the reference, and those of vendors that came later", function()
    reports({ "hostname:example.com" }, function(_, found, document)
      local fields = found["example.com"].enrichment.VirusTotal
      assert.same({
        ["Categories"] = "news, business", ["BitDefender Category"] = "business",
        ["Alexa Category"] = "news", ["BitDefender domain info"] = "clean",
        ["Webutation domain info"] = "Verdict: safe, Safety score: 100, Adult content: no",
        ["Dr.Web category"] = "known", ["whois"] = "Registrar: X", ["verbose_msg"] = "found",
      }, fields)
      assert.equal(54, document.json_result[1].EntityResult.undetected)
      assert.equal(cjson.null, document.json_result[1].EntityResult["Opera domain info"])
    end, { scenario = [[return { answers = { ["domain/report *"] = { [=[{
      "response_code": 1, "verbose_msg": "found", "categories": ["news", "business"],
      "BitDefender category": "business", "Alexa category": "news", "undetected": 54,
      "BitDefender domain info": "clean", "Dr.Web category": "known", "whois": "Registrar: X",
      "Opera domain info": null,
      "Webutation domain info": { "Safety score": 100, "Adult content": "no", "Verdict": "safe" }
    }]=] } } }]] })
  end)
end)
