-- Text in a terminal: columns, cuts, and nothing that it would obey.
local text = require "larder.cli.text"

describe("text", function()
  it("knows how many columns it takes", function()
    for shown, width in pairs { [""] = 0, abc = 3, ["é"] = 1, ["e\u{301}"] = 1, ["日本"] = 4, ["ｶﾞ"] = 2, ["한국"] = 4, ["👍"] = 2,
      ["a\u{200b}b"] = 2,
      ["\xff\xfe"] = 2, ["…"] = 1, ["ภาษาไทย"] = 7, ["Ａ"] = 2 } do
      assert.are.equal(width, text.width(shown), shown)
    end
  end)

  it("is cut between characters, to at most so many columns", function()
    assert.are.equal("abc", text.cut("abc", 3))
    assert.are.equal("ab…", text.cut("abcd", 3))
    assert.are.equal("日…", text.cut("日本語", 4))
    assert.are.equal("…", text.cut("日本語", 2))
    assert.are.equal("e\u{301}…", text.cut("e\u{301}xy", 2))
    for most = 1, 9 do assert.is_true(text.width(text.cut("a日b本c語", most)) <= most) end
  end)

  it("is filled by columns, not by bytes", function()
    assert.are.equal("日  ", text.fill("日", 4))
    assert.are.equal("  é", text.fill("é", 3, true))
    assert.are.equal("abc", text.fill("abc", 2))
  end)

  it("has nothing in it that a terminal would obey", function()
    for given, shown in pairs { ["a\27[2Jb"] = "a\\x1b[2Jb", ["\n\t\r\0"] = "\\n\\t\\r\\x00",
      ["\xffé"] = "\\xff\\xc3\\xa9", ["é\127"] = "é\\x7f",
      ["\u{9b}1m"] = "\\u009b1m", ["a\u{202e}b"] = "a\\u202eb", ["日本"] = "日本" } do
      assert.are.equal(shown, text.plain(given))
    end
  end)

  it("says counts, sizes and durations as people do", function()
    assert.are.same({ "0", "999", "1,000", "-1,234,567" }, { text.count(0), text.count(999), text.count(1000), text.count(-1234567) })
    assert.are.same({ "0 B", "1023 B", "1.0 KiB", "1.5 GiB" }, { text.bytes(0), text.bytes(1023), text.bytes(1024), text.bytes(3 << 29) })
    assert.are.same({ "0.2 s", "12 s", "3:07", "2:00:41" },
      { text.duration(0.2), text.duration(12), text.duration(187), text.duration(7241) })
    assert.are.equal("2024-03-01 19:00:01", text.time(1709319601000))
  end)
end)
