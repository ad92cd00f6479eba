-- What needs no look-up. Hosts stand for all below them.
-- SPDX-License-Identifier: Apache-2.0
return {
  hosts = { "example.org", "cdn.example.net" },
  addresses = { "203.0.113.10" },
  hashes = { "d41d8cd98f00b204e9800998ecf8427e" },
}
