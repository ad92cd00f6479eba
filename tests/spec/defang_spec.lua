-- SPDX-License-Identifier: Apache-2.0
local defang = require "report.defang"

describe("defang.indicator", function()
  for _, case in ipairs {
    { "http://login.example.com/verify?step=1", "url",
      "hxxp://login[.]example[.]com/verify?step=1" },
    { "HTTPS://A.example:8443/b.c", "url", "hxxps://A[.]example:8443/b.c" },
    { "https://ana:x@a.example/", "url", "hxxps://ana:x[@]a[.]example/" },
    { "http://[2001:db8::1]:80/", "url", "hxxp://[2001[:]db8::1]:80/" },
    { "ftp://a.example/", "url", "fxp://a[.]example/" },
    { "a.example/path", "url", "a[.]example/path" },
    { "198.51.100.23", "ip_address", "198[.]51[.]100[.]23" },
    { "2001:db8::1", "ip_address", "2001[:]db8::1" },
    { "mail.example.org", "hostname", "mail[.]example[.]org" },
    { "ana@example.org", "user", "ana[@]example[.]org" },
    { "EXAMPLE\\ana", "user", "EXAMPLE\\ana" },
    { "http://a.example/?u=https://b.example/x", "url",
      "hxxp://a[.]example/?u=hxxps://b[.]example/x" },
    { "from http://a.example/x.exe", "file", "from hxxp://a[.]example/x.exe" },
    { "sftp://a.example/", "url", "sftp://a[.]example/" },
    { "44d88612fea8a8f36de82e1278abb02f", "filehash", "44d88612fea8a8f36de82e1278abb02f" },
    { "invoice.pdf.exe", "file", "invoice.pdf.exe" },
    { "see http://a.example/ there", nil, "see hxxp://a[.]example/ there" },
  } do
    it("makes " .. case[3], function()
      assert.equal(case[3], defang.indicator(case[1], case[2]))
    end)
  end
end)

describe("defang.text", function()
  for _, case in ipairs {
    { "Look at http://a.example/x, then https://b.example.",
      "Look at hxxp://a[.]example/x, then hxxps://b[.]example[.]" },
    { "mail to ana@example.org now", "mail to ana[@]example[.]org now" },
    { "3 of 68 engines. No more.", "3 of 68 engines. No more." }, { "", "" },
    { "a@b", "a@b" }, { "://", "://" },
  } do
    it("makes " .. case[2], function() assert.equal(case[2], defang.text(case[1])) end)
  end
end)
