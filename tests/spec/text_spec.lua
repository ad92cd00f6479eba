-- SPDX-License-Identifier: Apache-2.0
local text = require "apogee.text"

describe("text.escape", function()
  for _, case in ipairs {
    { "plain ~", "plain ~" },
    { "héllo 日本", "héllo 日本" },
    { "a\27[31mb\n\t\r\0", "a\\u{1b}[31mb\\u{a}\\u{9}\\u{d}\\u{0}" },
    { "a\u{202e}b\u{2066}c\u{200b}", "a\\u{202e}b\\u{2066}c\\u{200b}" },
    { "\u{9b}31m", "\\u{9b}31m" },
    { "a\127b", "a\\u{7f}b" },
    { "a\xffb", "a\\xffb" },
    { "\xc3", "\\xc3" },
    { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
    { "", "" },
  } do
    it("makes " .. case[2], function() assert.equal(case[2], text.escape(case[1])) end)
  end
end)

describe("text.cut_middle", function()
  for _, case in ipairs {
    { "abcdef", 6, "abcdef" },
    { "abcdefg", 6, "abc…fg" },
    { "abcdefg", 1, "…" },
    { "日本語日本語", 7, "日…本語" },
    { "ééééé", 3, "é…é" },
  } do
    it(("makes %s of %s"):format(case[3], case[1]), function()
      assert.equal(case[3], text.cut_middle(case[1], case[2]))
    end)
  end

  it("never gets wider than it is told", function()
    for columns = 1, 12 do
      assert.is_true(text.width(text.cut_middle("a日b本c語e\u{301}fgh", columns)) <= columns)
      assert.is_true(text.width(text.cut_end("a日b本c語e\u{301}fgh", columns)) <= columns)
    end
  end)
end)

describe("text.cut_end", function()
  for _, case in ipairs {
    { "abcdef", 6, "abcdef" }, { "abcdefg", 6, "abcde…" }, { "ab", 1, "…" },
    { "日本語", 5, "日本…" }, { "日本語", 4, "日…" },
  } do
    it(("makes %s of %s"):format(case[3], case[1]), function()
      assert.equal(case[3], text.cut_end(case[1], case[2]))
    end)
  end
end)

describe("text.width", function()
  for _, case in ipairs {
    { "", 0 }, { "abc", 3 }, { "é", 1 }, { "e\u{301}", 1 }, { "日本", 4 }, { "\u{1100}", 2 },
    { "\u{10ff}", 1 }, { "a…", 2 },
  } do
    it(("of %s is %d"):format(case[1], case[2]), function()
      assert.equal(case[2], text.width(case[1]))
    end)
  end
end)

describe("text.pad", function()
  for _, case in ipairs { { "ab", 4, "ab  " }, { "日", 4, "日  " }, { "abcde", 4, "abcde" } } do
    it(("fills %s up to %d columns"):format(case[1], case[2]), function()
      assert.equal(case[3], text.pad(case[1], case[2]))
    end)
  end
end)

describe("text.wrap", function()
  it("fills a line to its last column", function()
    assert.same({ "abcd efg", "abcdefgh", "i" }, text.wrap("abcd efg abcdefgh i", 8))
    assert.same({ "abcdefgh" }, text.wrap("abcdefgh", 8))
  end)

  it("breaks between words, and a word that is too long", function()
    assert.same({ "one two", "abcdefgh", "ij x" }, text.wrap("one two abcdefghij  x", 8))
  end)

  it("makes no line of nothing", function() assert.same({}, text.wrap("  ", 8)) end)
end)
