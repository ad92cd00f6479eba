-- SPDX-License-Identifier: Apache-2.0
local paper = require "report.paper"

describe("pieces", function()
  it("are what was written, in order, none much longer than a piece should be", function()
    local count, longest, parts = 0, 0, {}
    for piece in paper.pieces(function(sheet)
      for number = 1, 20000 do sheet:write("<", tostring(number), ">") end
    end) do
      count, longest = count + 1, math.max(longest, #piece)
      table.insert(parts, piece)
    end
    local text = table.concat(parts)
    assert.is_true(count > 5 and longest < 20000)
    assert.matches("^<1><2><3>", text)
    assert.matches("<19999><20000>$", text)
  end)

  it("come in long loops that write nothing, too", function()
    local count = 0
    for piece in paper.pieces(function(sheet)
      for _ = 1, 5000 do sheet:breathe() end
      sheet:write "end"
    end) do
      count = count + 1
      assert.is_true(piece == "" or piece == "end")
    end
    assert.is_true(count >= 10)
  end)

  it("end once, and pass an error on", function()
    local next_piece = paper.pieces(function() end)
    assert.equal("", next_piece())
    assert.is_nil(next_piece())
    assert.is_nil(next_piece())
    assert.has_error(function() paper.pieces(function() error("no", 0) end)() end, "no")
  end)
end)
