-- Attacks with what the engine hands out: entities, reports, sources, connections, sets; the
-- arguments of its calls; JSON that is a bomb.
-- SPDX-License-Identifier: Apache-2.0
local attacks = require "spec.support.attacks"

local ALL = { needs = '"vt", "files", "sftp"' }
local OPTIONS = "there is no option"

describe("a script that misuses what it was given", function()
  it("is told so", function()
    attacks.drive({
      { "methods on nothing", [[return entity.enrich()]], raises = "entity expected" },
      { "methods on a table", [[return entity.enrich({}, "a", 1)]], raises = "entity expected" },
      { "methods on another kind", [[return entity.enrich(json.null, "a", 1)]],
        raises = "entity expected" },
      { "methods on a report", [[
          local report = { scans = {} }
          return vt.engines(report)]] },
      { "an entity that is another's", [[shared.entity = shared.entity or entity]] },
      { "writing on another's entity", [[
          clock.sleep(0)
          if shared.entity == entity then return end
          shared.entity:enrich("a", 1)]], raises = "works only in the action's run" },
      { "fields that are not there", [[return entity[1] ]], raises = "no field" },
      { "writing fields", [[entity.internal = true]], raises = "read%-only" },
      { "a source that is not there", [[
          local source, message, code = files.open "/no/such/file"
          return source or code ~= "not_found" and code]] },
      { "a source that is closed twice", [[
          local source = assert(files.open "/etc/hostname")
          source:close()
          source:close()
          local digests, _, code = source:digests()
          return digests or code ~= "closed" and code]] },
      { "a source after it was closed", [[
          local source = assert(files.open "/etc/hostname")
          source:close()
          local receipt, _, code = vt.file_scan(source)
          return receipt or code ~= "closed" and code]] },
      { "close of a source as a variable", [[
          local source <close> = assert(files.open "/etc/hostname")
          source:close()]] },
      { "a source of another entity", [[
          local source = assert(files.open "/etc/hostname")
          shared.source = shared.source or source
          clock.sleep(0.05)
          if shared.source ~= source then shared.source:close() end
          source:close()]] },
      { "closing what another entity waits with", [[
          while not shared.source do clock.sleep(0.01) end
          shared.source:close()]], raises = "in the run of the entity that opened it only" },
      { "too many sources", [[
          local kept = {}
          for i = 1, 40 do kept[i] = files.open "/etc/hostname" end
          for _, source in ipairs(kept) do source:close() end]] },
      { "a folder, a device, a pipe", [[
          for _, path in ipairs { "/", "/dev/zero", "/dev/tty", "/proc/self/mem" } do
            local source = files.open(path)
            local digests = source and path ~= "/proc/self/mem" and source:digests()
            if digests then return path end
          end]] },
      { "a path with NUL", [[files.open "/etc/hostname\0.txt"]], raises = "no path" },
      { "an empty path", [[files.open ""]], raises = "no path" },
      { "a path of a megabyte", [[
          local source, _, code = files.open(("/a"):rep(1 << 19))
          return source or not code and "no code"]] },
      { "a source of the wrong type", [[vt.file_scan(entity)]], raises = "file source expected" },
      { "a source that is a table", [[vt.file_scan(setmetatable({}, { __index = function() return 1
          end }))]], raises = "file source expected" },
      { "a connection to nothing", [[
          local connection, message, code = sftp.open { host = "127.0.0.1", port = 1, user = "u",
            host_key = "SHA256:" .. ("A"):rep(43) }
          return connection or not code and "no code"]] },
      { "options of sftp that are not there", [[
          sftp.open { host = "h", user = "u", shell = "sh" }]],
        raises = "unknown option" },
      { "options of sftp by a metatable", [[sftp.open(setmetatable({}, { __index = function()
          return "h" end }))]], raises = "host and user are required" },
      { "a host with a new line", [[
          return sftp.open { host = "127.0.0.1\r\nx", user = "u" }]] },
      { "ports", [[
          for _, port in ipairs { 0, -1, 65536, 1.5, 0 / 0, "x" } do
            if pcall(sftp.open, { host = "h", user = "u", port = port }) then return port end
          end]] },
      { "a password that is a text", [[sftp.open { host = "h", user = "u", password = "p" }]],
        raises = "a secret's handle" },
      { "two calls at once", [[
          local first = coroutine.create(function() return vt.file_report(entity.identifier) end)
          local second = coroutine.create(function() return vt.file_report(entity.identifier) end)
          coroutine.resume(first)
          coroutine.resume(second)
          return coroutine.status(first) ~= "dead" and coroutine.status(first)]] },
      { "a call inside of a call", [[
          table.sort({ 1, 2, 3 }, function() vt.file_report(entity.identifier) end)]],
        raises = "cannot wait here" },
      { "a call in a metamethod of C", [[
          ("x"):gsub("x", function() clock.sleep(1) end)]], raises = "cannot wait here" },
      { "a call that is caught and left", [[
          pcall(table.sort, { 1, 2, 3 }, function() clock.sleep(1) end)
          return not clock.sleep(0) and "it cannot wait any more"]] },
      { "a call in close", [[
          local t <close> = setmetatable({}, { __close = function() clock.sleep(0) end })]] },
    }, ALL)
  end)
end)

describe("arguments that are not what they should be", function()
  it("are refused, or do no harm", function()
    attacks.drive({
      { "NaN", [[clock.sleep(0 / 0)]], raises = "seconds" },
      { "infinity", [[clock.sleep(math.huge)]], raises = "seconds" },
      { "negative", [[clock.sleep(-1)]], raises = "seconds" },
      { "time out of range", [[clock.format(math.maxinteger)]], raises = "out of range" },
      { "time that is no time", [[return clock.parse(("9"):rep(1 << 20)) and "a time"]] },
      { "NUL in a hash", [[vt.file_report "a\0b"]], raises = "control characters" },
      { "new lines in a hash", [[vt.file_report "a\r\nHost: b"]], raises = "control characters" },
      { "new lines in a URL", [[vt.url_report "http://a/\r\nX: y"]],
        raises = "control characters" },
      { "a hash of a megabyte", [[vt.file_report(("a"):rep(1 << 20))]], raises = "longer than" },
      { "a list as a hash", [[vt.file_report "a,b"]] },
      { "parameters in a hash", [[
          local report = vt.file_report "44d88612fea8a8f36de82e1278abb02f&apikey=x"
          return report and report.positives]] },
      { "paths in a hash", [[
          local report = vt.file_report "../../url/scan"
          return report and report.scan_id]] },
      { "a table as a hash", [[vt.file_report {}]], raises = "string expected" },
      { "options that are not there", [[vt.file_report("a", { key = "x" })]], raises = OPTIONS },
      { "options of another", [[vt.file_rescan("a", { cache = false })]], raises = OPTIONS },
      { "options that are no table", [[vt.file_report("a", 1)]], raises = "table expected" },
      { "options by a metatable", [[
          vt.file_report("a", setmetatable({}, { __index = function() while true do end end }))]] },
      { "await of nothing", [[vt.await("file", {}, {})]], raises = "neither a scan id" },
      { "await of another kind", [[vt.await("ip", "x")]], raises = "invalid option" },
      { "await of new lines", [[vt.await("file", "a\r\nb")]], raises = "control characters" },
      { "a link that is no link", [[entity:link "javascript:alert(1)"]], raises = "begins with" },
      { "a link with a new line", [[entity:link "https://a/\r\nX: y"]], raises = "control" },
      { "a link with NUL", [[entity:link "https://a/\0"]], raises = "control" },
      { "a link with an escape", [[entity:link "https://a/\27[2J"]], raises = "control" },
      { "a field of a megabyte", [[entity:enrich(("n"):rep(2 << 20), 1)]], raises = "more than" },
      { "NaN in enrichment", [[entity:enrich("n", 0 / 0)]], raises = "no NaN" },
      { "infinity in a table", [[
          entity:table { title = "t", columns = { "c" }, rows = { { math.huge } } }]],
        raises = "no infinity" },
      { "a function in enrichment", [[entity:enrich("f", print)]], raises = "function" },
      { "a circle in enrichment", [[
          local t = {}
          t.t = t
          entity:enrich("t", t)]], raises = "deep" },
      { "detections that are no number", [[entity:result { detections = 0 / 0, risky = true }]],
        raises = "whole number" },
      { "detections below zero", [[entity:result { detections = -1, risky = true }]],
        raises = "whole number" },
      { "bytes that are no text", [[
          entity:enrich("b\xff\0", "\xff\xfe\0\27[2J")
          entity:insight { severity = "info", title = "\xff\0", body = "\xc0\x80" }]] },
      { "log lines that are more", [[
          log.error("a\n{\"level\":\"error\"}\27[2J")
          print("a\r\nb\0c")]] },
      { "format that lacks its arguments", [[log.error("%d %s", 1)]], raises = "bad argument" },
      { "format that is data", [[log.error("%n", 1)]], raises = "invalid" },
    }, ALL)
  end)

  it("are no bombs", function()
    attacks.drive {
      { "depth", [[return json.decode(("["):rep(100000) .. ("]"):rep(100000)) and "decoded"]] },
      { "depth of objects", [[
          return json.decode(('{"a":'):rep(100000) .. "1" .. ("}"):rep(100000)) and "decoded"]] },
      { "size", [[return json.decode("[" .. (" "):rep(9 << 20) .. "]") and "decoded"]] },
      { "values", [[return json.decode("[" .. ("0,"):rep(1 << 20) .. "0]") and "decoded"]] },
      { "empty lists", [[return json.decode("[" .. ("[],"):rep(1 << 20) .. "0]") and "decoded"]] },
      { "numbers", [[
          for _, text in ipairs { "NaN", "-NaN", "Infinity", "0x10", "01", "1.", ".5" } do
            local value = json.decode(text)
            if value then return text end
          end]] },
      { "a number of a megabyte", [[json.decode(("9"):rep(1 << 20))]] },
      { "halves", [[
          for _, text in ipairs { "", "[", "{", '"', "[1,", '{"a"', "tru", "\0", "[1]x",
            '"\xff"', '"\\ud800"', "\xef\xbb\xbf[]", "/**/1" } do
            local ok, value = pcall(json.decode, text)
            if not ok then return text end
          end]] },
      { "encoding a circle", [[local t = {} t[1] = t json.encode(t)]], raises = "deep" },
      { "encoding depth", [[
          local t = {}
          for i = 1, 100000 do t = { t } end
          json.encode(t)]], raises = "deep" },
      { "encoding a metamethod", [[
          local t = setmetatable({}, { __index = function() while true do end end,
            __len = function() return 1 << 60 end, __pairs = function() while true do end end })
          return json.encode(t) ~= "[]" and json.encode(t) ~= "{}" and json.encode(t)]] },
      { "encoding holes", [[
          local t = { [1] = 1, [1 << 40] = 2 }
          json.encode(t)]], raises = "json.encode" },
      { "encoding keys", [[json.encode { [print] = 1 }]], raises = "json.encode" },
      { "null", [[
          local null = json.null
          return pcall(function() return null.x end) and "it has members"]] },
    }
  end)
end)
