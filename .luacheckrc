-- SPDX-License-Identifier: Apache-2.0
std = "lua54"
max_line_length = 100
exclude_files = { "tests/fixtures" }

-- Actions and playbooks run in the sandbox: these names are given to them, and these are not there.
local sandbox = {
  read_globals = { "vt", "json", "log", "clock", "secret", "sftp", "files", "http" },
  not_globals = { "collectgarbage", "debug", "dofile", "io", "load", "loadfile", "os", "package" },
}
files["lua/actions"] = sandbox
files["playbooks"] = sandbox

files["playbooks/**/*_spec.lua"] = {
  std = "lua54+busted", not_globals = { "vt", "http", "files", "sftp", "secret" },
}

files["tests"] = { std = "lua54+busted" }
files["tests/tally.lua"] = { std = "lua54" }
files[".luacheckrc"] = { std = "+luacheckrc" }
