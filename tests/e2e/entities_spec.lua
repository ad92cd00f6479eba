-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"

describe("apogee entities", function()
  it("shows the type of each indicator, refanged, in the order given", function()
    local ran = program.run(
      { "entities", "-" },
      "hxxp://a[.]example[.]com/X\n8.8.8[.]8\n# a comment\nwww.example.org\n10.0.0.5\n"
    )
    assert.equal(0, ran.exit)
    assert.equal(
      "url         http://a.example.com/X\n"
        .. "ip_address  8.8.8.8\n"
        .. "hostname    www.example.org\n"
        .. "ip_address  10.0.0.5  (internal)\n",
      ran.out
    )
  end)

  it("merges spellings of one indicator and says so with the line", function()
    local ran = program.run(
      { "entities", "--format", "json", "-" },
      "44d88612fea8a8f36de82e1278abb02f\n44D88612FEA8A8F36DE82E1278ABB02F\n"
    )
    local list = cjson.decode(ran.out)
    assert.equal(1, #list)
    assert.same({ "44D88612FEA8A8F36DE82E1278ABB02F" }, list[1].aliases)
    assert.matches(":2: ", ran.err)
  end)

  it("takes a host name and its ASCII form as one entity, also in a URL", function()
    local ran = program.run({ "entities", "--format", "json", "-" }, "bücher.example\n"
      .. "xn--bcher-kva.example\nhttp://xn--bcher-kva.example/a\nhttp://BÜCHER.example/a\n")
    local list = cjson.decode(ran.out)
    assert.equal(2, #list)
    assert.equal("bücher.example", list[1].identifier)
    assert.same({ "xn--bcher-kva.example" }, list[1].aliases)
    assert.same({ "http://BÜCHER.example/a" }, list[2].aliases)
    assert.matches(":2: merged: the same as bücher.example", ran.err)
  end)

  it("goes on after a bad line and says why it is skipped", function()
    local ran = program.run({ "entities", "-" }, "8.8.8.8\nnot an indicator at all\n1.1.1.1\n")
    assert.equal(0, ran.exit)
    assert.matches("skipped: ", ran.out)
    assert.matches("1%.1%.1%.1", ran.out)
  end)

  for _, case in ipairs {
    { name = "JSON", text = '["8.8.8.8",{"identifier":"a.example.com","type":"HOSTNAME"}]' },
    { name = "NDJSON", text = '{"identifier":"8.8.8.8"}\n{"identifier":"a.example.com"}\n' },
    { name = "CSV", text = "indicator,type\n8.8.8.8,ip_address\na.example.com,hostname\n" },
    {
      name = "a SecOps-like case",
      text = '{"entities":[{"identifier":"8.8.8.8","type":"ADDRESS"},'
        .. '{"identifier":"A.EXAMPLE.COM","type":"HOSTNAME"}]}',
    },
  } do
    it("reads " .. case.name, function()
      local path = program.file(case.text)
      local ran = program.run { "entities", "--format", "json", path }
      os.remove(path)
      assert.equal(0, ran.exit, ran.err)
      local list = cjson.decode(ran.out)
      assert.equal("ip_address", list[1].type)
      assert.equal("hostname", list[2].type)
    end)
  end

  for _, case in ipairs {
    { name = "a missing file", args = { "entities", "/nonexistent/x.txt" }, says = "x%.txt" },
    { name = "no file", args = { "entities" }, says = "no entities file" },
    { name = "an unknown format", args = { "entities", "--format", "xml", "-" }, says = "xml" },
    { name = "an unknown option", args = { "entities", "--frmat", "json" }, says = "%-%-frmat" },
    { name = "a bad --entity", args = { "entities", "--entity", "filehsh:x" }, says = "filehash" },
    { name = "a mistyped command", args = { "entitles" }, says = 'did you mean "entities"' },
  } do
    it("refuses " .. case.name .. " with a sentence and exit 2", function()
      local ran = program.run(case.args)
      assert.equal(2, ran.exit)
      assert.equal("", ran.out)
      assert.matches(case.says, ran.err)
    end)
  end

  it("refuses a binary file by name", function()
    local path = program.file("8.8.8.8\n\0\1\2")
    local ran = program.run { "entities", path }
    os.remove(path)
    assert.equal(2, ran.exit)
    assert.matches("binary", ran.err)
  end)

  it("ends with 7 when its output cannot be written", function()
    local bin = os.getenv "APOGEE_BIN"
    local _, _, code =
      os.execute(("'%s' entities --entity 8.8.8.8 >/dev/full 2>/dev/null"):format(bin))
    assert.equal(7, code)
  end)
end)

describe("apogee", function()
  it("says its version", function()
    assert.matches("^apogee %d+%.%d+%.%d+\n$", program.run({ "--version" }).out)
  end)

  it("explains itself and each command on standard output", function()
    assert.matches("entities", program.run({ "--help" }).out)
    assert.matches("Examples:", program.run({ "entities", "--help" }).out)
  end)
end)
