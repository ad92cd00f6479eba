-- SPDX-License-Identifier: Apache-2.0
local escape = require "report.escape"
local csv = require "spec.support.csv"
local record = require "spec.support.record"

local function each_payload(check)
  for _, words in ipairs(record.PAYLOADS) do
    it("takes " .. escape.terminal(words):sub(1, 40), function() check(words) end)
  end
end

describe("escape.html", function()
  for _, case in ipairs {
    { '<a href="x">&\'', "&lt;a href=&quot;x&quot;&gt;&amp;&#39;" },
    { "&amp;", "&amp;amp;" }, { "plain", "plain" }, { "", "" }, { "日本", "日本" },
    { "a\27b\u{202e}c\n", "a\\u{1b}b\\u{202e}c\\u{a}" }, { "\255", "\\xff" },
  } do
    it("makes " .. case[2], function()
      assert.equal(case[2], escape.html(case[1]))
      assert.equal(case[2], escape.attribute(case[1]))
    end)
  end

  each_payload(function(words)
    local made = escape.html(words)
    assert.is_nil(made:find "[<>\"'%c\127]")
    assert.is_not_nil(utf8.len(made))
    assert.equal(made, (made:gsub("&", "&amp;"):gsub("&amp;(%a+;)", "&%1")
      :gsub("&amp;#39;", "&#39;")))
  end)
end)

describe("escape.url", function()
  for _, good in ipairs {
    "https://www.virustotal.com/gui/file/aa/detection/f-aa-1", "http://a/",
    "HTTPS://a.example:1/?q=%20",
    "https://[2001:db8::1]/x#y",
  } do
    it("takes " .. good, function() assert.equal(good, escape.url(good)) end)
  end

  it("escapes an ampersand", function()
    assert.equal("https://a/?b=1&amp;c=2", escape.url "https://a/?b=1&c=2")
  end)

  for _, bad in ipairs {
    "", "x", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " https://a/", "https://a/ b",
    "data:text/html,x", "file:///etc/passwd", "ftp://a/", "//a/", "/a", "https:/a", "https://",
    "https:///a", "https://a/\"onclick=x", "https://a/'", "https://a/<", "https://a/>",
    "https://a/\n",
    "https://a/\0", "https://a/é", "https://bank.example@evil.example/", "https://a/`",
    "https://a/\\b",
    "https://a/" .. ("x"):rep(5000), "vbscript:x", "blob:https://a/",
  } do
    it("refuses " .. escape.terminal(bad):sub(1, 40), function() assert.is_nil(escape.url(bad)) end)
  end

  it("refuses what is no text", function() assert.is_nil(escape.url(5)) end)
end)

describe("escape.markdown", function()
  for _, case in ipairs {
    { "plain words, 3 of 5.", "plain words, 3 of 5." }, { "a_b*c*", "a\\_b\\*c\\*" },
    { "[x](y)", "\\[x\\](y)" }, { "![x](y)", "\\!\\[x\\](y)" }, { "<b>", "\\<b\\>" },
    { "a|b", "a\\|b" }, { "`x`", "\\`x\\`" }, { "# head", "\\# head" }, { "- item", "\\- item" },
    { "1. item", "1\\. item" }, { "12) item", "12\\) item" }, { "+ item", "\\+ item" },
    { "a - b", "a - b" }, { "&amp;", "\\&amp;" }, { "back\\slash", "back\\\\slash" },
    { "  lead", "lead" }, { "a\n# b", "a\\\\u{a}\\# b" }, { "$x$", "\\$x\\$" },
    { "@all", "\\[at\\]all" }, { "ana@example.org", "ana\\[at\\]example.org" },
    { "see http://a.b/ HTTPS://c", "see hxxp://a.b/ hxxpS://c" }, { "ftp://a", "fxp://a" },
    { "www.a.b", "www\\[.\\]a.b" }, { "~~x~~", "\\~\\~x\\~\\~" },
  } do
    it("makes " .. case[2], function() assert.equal(case[2], escape.markdown(case[1])) end)
  end

  each_payload(function(words)
    local made = escape.markdown(words)
    local bare = made:gsub("\\%p", "x")
    assert.is_nil(bare:find "[%c`*_<>|~&#$!%[%]@]")
    assert.is_nil(bare:lower():find "%f[%w]https?://")
    assert.is_nil(bare:lower():find "%f[%w]www%.")
  end)
end)

describe("escape.code", function()
  for _, case in ipairs {
    { "abc", "`abc`" }, { "a`b", "``a`b``" }, { "`a", "`` `a ``" }, { "a``", "``` a`` ```" },
    { " a ", "`  a  `" }, { "a|b", "`a|b`" }, { "a|b", "`a\\|b`", true }, { "", "" },
    { "a\\|b", "a\\\\\\|b", true }, { "a\\|b", "`a\\|b`" },
    { "a\nb", "`a\\u{a}b`" },
  } do
    it("makes " .. case[2], function() assert.equal(case[2], escape.code(case[1], case[3])) end)
  end

  each_payload(function(words)
    local made = escape.code(words, true)
    local fence = made:match "^`+"
    if not fence then
      assert.equal(escape.markdown(words), made)
      assert.is_not_nil(words:find("\\|", 1, true))
      return
    end
    assert.equal(fence, made:match "`+$")
    local inside = made:sub(#fence + 1, -#fence - 1)
    for ticks in inside:gmatch "`+" do assert.is_true(#ticks < #fence) end
    assert.is_nil(inside:gsub("\\|", ""):find("|", 1, true))
    assert.is_nil(made:find "%c")
  end)
end)

describe("escape.csv", function()
  for _, case in ipairs {
    { "a", '"a"' }, { "", '""' }, { 'a"b', '"a""b"' }, { "a,b", '"a,b"' },
    { "=1+1", [["'=1+1"]] }, { "+1", [["'+1"]] }, { "-1", [["'-1"]] }, { "@x", [["'@x"]] },
    { "\t=1", [["'\u{9}=1"]] }, { "\r=1", [["'\u{d}=1"]] }, { "\n=1", [["'\u{a}=1"]] },
    { "＝1", [["'＝1"]] }, { "a=1", '"a=1"' }, { "1-1", '"1-1"' }, { "é", '"é"' },
  } do
    it("makes " .. case[2], function() assert.equal(case[2], escape.csv(case[1])) end)
  end

  each_payload(function(words)
    local rows = csv.parse(escape.csv(words) .. "\r\n")
    assert.equal(1, #rows)
    assert.equal(1, #rows[1])
    assert.is_nil(rows[1][1]:find "^[=+%-@%c]")
    assert.is_nil(rows[1][1]:find "%c")
  end)
end)

describe("escape.clip", function()
  for _, case in ipairs {
    { "abc", 3, "abc" }, { "abcd", 3, "abc…" }, { "aéb", 2, "a…" }, { "aéb", 3, "aé…" },
    { "日本", 5, "日…" }, { "\128\128\128", 2, "…" },
  } do
    it("cuts to " .. case[2] .. " bytes: " .. case[3], function()
      assert.equal(case[3], escape.clip(case[1], case[2]))
    end)
  end
end)
