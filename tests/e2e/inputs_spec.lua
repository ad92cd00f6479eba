-- Entities as they come in: every format, indicators as people write them, what is said of them.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local WANTED = {
  { "filehash", EICAR }, { "ip_address", "8.8.8.8" }, { "url", "http://a.example.com/X" },
  { "hostname", "www.example.co.uk" }, { "user", "ana@example.org" },
}

local function listed(args, input)
  local ran = program.run({ "entities", "--format", "json", table.unpack(args) }, input)
  assert.equal(0, ran.exit, ran.err)
  return cjson.decode(ran.out), ran
end

local function pairs_of(list)
  local found = {}
  for _, entity in ipairs(list) do table.insert(found, { entity.type, entity.identifier }) end
  return found
end

local FORMATS = {
  ["plain text"] = EICAR .. "  # eicar\n\n# more\n8.8.8[.]8\nhxxp://a[.]example[.]com/X,\n"
    .. "'www.example(dot)co.uk'\nana (at) example.org\n",
  ["plain text of another system"] = "\xef\xbb\xbf" .. EICAR
    .. "\r\n8.8.8.8\r\nhttp://a.example.com/X\r\nwww.example.co.uk\r\nana@example.org",
  ["CSV"] = "Indicator,Type,Note\n" .. EICAR .. ",FILEHASH,\"a, b\"\n8.8.8.8,ADDRESS,\n"
    .. "http://a.example.com/X,DestinationURL,\nwww.example.co.uk,DOMAIN,\n"
    .. "ana@example.org,USERUNIQNAME,\n",
  ["CSV with semicolons, without types"] = "note;ioc\n;" .. EICAR
    .. "\n;8.8.8.8\n;hxxp://a.example.com/X\n;www.example.co.uk\n;ana@example.org\n",
  ["a JSON array"] = '[ "' .. EICAR .. '", {"value": "8.8.8.8"},\n "http://a.example.com/X",\n'
    .. '{"identifier": "www.example.co.uk", "type": "HOSTNAME"}, "ana@example.org" ]',
  ["NDJSON"] = '{"identifier":"' .. EICAR .. '"}\n{"identifier":"8.8.8.8","type":"IP Address"}\n'
    .. '\n{"identifier":"http://a.example.com/X"}\n{"identifier":"www.example.co.uk"}\n'
    .. '{"identifier":"ana@example.org","type":"User"}\n',
  ["a SecOps-like case"] = '{"id": 7, "entities": [{"identifier": "' .. EICAR
    .. '", "type": "FILEHASH"}, {"identifier": "8.8.8.8", "entity_type": "ADDRESS"},\n'
    .. '{"identifier": "http://a.example.com/X", "type": "DestinationURL"},\n'
    .. '{"Identifier": "www.example.co.uk", "EntityType": "HOSTNAME"},\n'
    .. '{"identifier": "ana@example.org", "type": "USERUNIQNAME"}], "priority": "high"}',
}

describe("apogee entities", function()
  for name, text in pairs(FORMATS) do
    it("takes " .. name .. " from a file and from standard input", function()
      local path = program.file(text)
      local of_file = listed { path }
      os.remove(path)
      assert.same(WANTED, pairs_of(of_file))
      assert.same(WANTED, pairs_of(listed({ "-" }, text)))
    end)
  end

  it("takes several files of different formats and --entity together", function()
    local files = {}
    for _, text in pairs(FORMATS) do table.insert(files, program.file(text)) end
    local list = listed { "--entity", "filename:Invoice.pdf", table.unpack(files) }
    for _, path in ipairs(files) do os.remove(path) end
    assert.equal(#WANTED + 1, #list)
    assert.same({ "file", "Invoice.pdf" }, pairs_of(list)[#list])
  end)

  it("takes every field of a SecOps-like case", function()
    local list = listed({ "-" }, [[{
      "entities": [
        { "identifier": "HTTP://MALWARE.EXAMPLE.COM/A", "type": "DestinationURL",
          "is_internal": false, "is_suspicious": true, "is_enriched": false,
          "additional_properties": {
            "OriginalIdentifier": "http://malware.example.com/A", "TLP": "x", "n": 1.50 } },
        { "identifier": "RELAY.EXAMPLE.COM", "entity_type": "HOSTNAME", "isInternal": "True" },
        { "identifier": "EXAMPLE\\ANA", "type": "USERUNIQNAME" },
        { "identifier": "X", "type": "PROCESS" }
      ] }]])
    assert.equal("http://malware.example.com/A", list[1].original_identifier)
    assert.is_true(list[1].suspicious)
    assert.is_false(list[1].internal)
    assert.equal("x", list[1].properties.TLP)
    assert.is_false(list[1].properties.is_enriched)
    assert.is_true(list[2].internal)
    assert.equal("user", list[3].type)
    assert.matches('type "PROCESS" is unknown', list[4].malformed)
    assert.same({ 3, 7, 8, 9 }, { list[1].line, list[2].line, list[3].line, list[4].line })
  end)

  for written, wanted in pairs {
    ["hxxps[://]evil[.]com/a"] = "url https://evil.com/a",
    ["HXXP://Evil.COM/CaSe"] = "url HTTP://Evil.COM/CaSe",
    ["ftp://files.example.com/x"] = "url ftp://files.example.com/x",
    ["<http://example.com/a>,"] = "url http://example.com/a",
    ['"http://example.com/a b"'] = "nil",
    ["http://example.com:8080/a"] = "url http://example.com:8080/a",
    ["http://[2001:db8::1]:8080/"] = "url http://[2001:db8::1]:8080/",
    ["example[.]com:443"] = "hostname example.com",
    ["8.8.8.8:53"] = "ip_address 8.8.8.8",
    ["[2001:db8::1]:443"] = "ip_address 2001:db8::1",
    ["2001[:]db8[:][:]1"] = "ip_address 2001:db8::1",
    ["::ffff:8.8.8.8"] = "ip_address ::ffff:8.8.8.8",
    ["fe80::1%eth0"] = "nil",
    ["bücher.example"] = "hostname bücher.example",
    ["http://bücher.example/ä"] = "url http://bücher.example/ä",
    ["xn--bcher-kva.example."] = "hostname xn--bcher-kva.example",
    ["ana [at] mail [dot] example [dot] com"] = "user ana@mail.example.com",
    ["EXAMPLE\\ana"] = "user EXAMPLE\\ana",
    [EICAR:upper() .. ";"] = "filehash " .. EICAR:upper(),
    ["10.0.0.0/8"] = "nil",
    ["www.example.com/path"] = "nil",
    ["one two"] = "nil",
    ["evil\27[31m.com"] = "nil",
  } do
    it("reads " .. written:gsub("%c", "?") .. " as " .. wanted, function()
      local entity = listed({ "-" }, written .. "\n")[1]
      local found = entity.malformed == cjson.null and entity.type .. " " .. entity.identifier
      assert.equal(wanted, found or "nil")
    end)
  end

  it("says what is merged, retyped, cut off and skipped, with file and line", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local path = w:write("in.csv", "ioc,type\n" .. EICAR .. ",\n" .. EICAR:upper() .. ",\n"
        .. "8.8.8.8,HOSTNAME\nb.example.com:80,\nno such thing,\n2001:db8::1,\n2001:0db8::1,\n")
      local ran = w:run { "entities", path }
      assert.equal(0, ran.exit)
      for line, words in pairs {
        [3] = "merged: the same as " .. EICAR,
        [4] = "retyped: 8.8.8.8 is no hostname, taken as ip_address",
        [5] = "left out the port behind b.example.com",
        [6] = "skipped: no such thing: no indicator: it has blanks inside",
        [8] = "merged: the same as 2001:db8::1",
      } do
        assert.truthy(ran.err:find(("in.csv:%d: %s\n"):format(line, words), 1, true), ran.err)
      end
      assert.equal(table.concat({
        "filehash    " .. EICAR .. "  (also " .. EICAR:upper() .. ")",
        "ip_address  8.8.8.8",
        "hostname    b.example.com",
        "unknown     no such thing  (skipped: no indicator: it has blanks inside)",
        "ip_address  2001:db8::1  (also 2001:0db8::1)",
        "",
      }, "\n"), ran.out)
    end)
  end)

  it("prints nothing that a terminal would take for a command", function()
    local ran = program.run({ "entities", "-" }, "evil\27[31m.com\nx\xc2\x9b31m.com\n\xff\n")
    assert.equal(0, ran.exit)
    assert.is_nil((ran.out .. ran.err):find "[\27\xc2\xff]")
  end)

  it("reads 20,000 lines from a pipe, in order", function()
    local pipe = io.popen("seq -f 'host%.0f.example.com' 20000 | "
      .. program.command { "entities", "-" })
    local number = 0
    for line in pipe:lines() do
      number = number + 1
      assert.equal(("hostname    host%d.example.com"):format(number), line)
    end
    assert.is_true((pipe:close()))
    assert.equal(20000, number)
  end)

  it("takes as many as limits.entities says, and not one more", function()
    workspace.with(function(w)
      w:configure { virustotal = { url = "http://127.0.0.1:9/" }, limits = { entities = 3 } }
      assert.equal(0, w:run({ "entities", "-" }, "a.com\nb.com\nA.com\nc.com\n").exit)
      local ran = w:run({ "entities", "-" }, "a.com\nb.com\nA.com\nc.com\nd.com\n")
      assert.equal(2, ran.exit)
      assert.equal("", ran.out)
      assert.matches("standard input:5: more than 3 entities", ran.err)
    end)
  end)
end)
