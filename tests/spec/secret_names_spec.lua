-- SPDX-License-Identifier: Apache-2.0
local secret_names = require "apogee.secret_names"

describe("the secrets that a source names", function()
  for _, case in ipairs {
    { 'local k = secret "a"', "a" },
    { "secret 'a' secret('b') secret ( \"c\" )", "a b c" },
    { 'f(secret "b", secret "a", secret "b")', "a b" },
    { '"Bearer " .. secret "a" .. "x"', "a" },
    { '"Bearer "..secret "a"', "a" },
    { '-- secret "a"\nsecret "b"', "b" },
    { '--[[ secret "a" ]] secret "b"', "b" },
    { '--[==[ secret "a" ]] secret "c" ]==] secret "b"', "b" },
    { [['secret "a"' secret "b"]], "b" },
    { [["\"" .. secret "a"]], "a" },
    { '[[ secret "a" ]]', "" },
    { 't["secret"] = 1 x.secret "a" x:secret "b"', "" },
    { 'my_secret "a" secrets "b" secret2 "c"', "" },
    { 'secret("a" .. b) secret(name)', "" },
    { 'secret "a b" secret ""', "" },
    { "a - secret 'x'", "x" },
    { "'never ended secret \"a\"", "" },
    { "--[[ never ended secret 'a'", "" },
    { "", "" },
  } do
    it("in " .. case[1]:gsub("\n", " "), function()
      assert.equal(case[2], table.concat(secret_names.of(case[1]), " "))
    end)
  end
end)
