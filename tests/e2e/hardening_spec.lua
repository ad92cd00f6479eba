-- What the compiler and the linker were asked for stands in the program.
-- SPDX-License-Identifier: Apache-2.0
local elf = require "e2e.support.elf"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local SOURCE = [[
  #include <stdio.h>
  int main(int argc, char **argv)
  {
    char text[64];
    (void)snprintf(text, argc * 8, "%s", argv[0]);
    return puts(text) < 0;
  }
]]

local uname = assert(io.popen "uname -m")
local UNGUARDED = ({ x86_64 = "-fcf-protection=none", aarch64 = "-mbranch-protection=none" })
  [uname:read()] or ""
uname:close()

local function compile(w, source, options)
  local path, errors = w:path "weak", w:path "errors"
  local good = os.execute(("cc -O2 %s -o %s %s 2>%s"):format(options, program.quote(path),
    program.quote(w:write("weak.c", source)), program.quote(errors)))
  assert(good, program.read(errors))
  return path
end

describe("the program", function()
  for _, name in ipairs { "bin/apogee", "libexec/apogee-engine" } do
    it("is hardened: " .. name, function()
      assert.same({}, elf.missing(program.BUILD .. "/" .. name))
    end)
  end

  it("guards its branches where the machine can", function()
    assert.same({}, elf.unguarded(program.BUILD .. "/engine/libapogee_core.a") or {})
  end)
end)

describe("a program that is built without care", function()
  local ALL = { "position independent", "read-only relocations", "bound at start",
    "stack without code", "no search path", "stack protector", "fortified calls" }

  it("is told from ours", function()
    workspace.with(function(w)
      local path = compile(w, SOURCE, "-no-pie -Wl,-z,norelro,-z,lazy,-z,execstack "
        .. "-Wl,-rpath,/nowhere -fno-stack-protector -U_FORTIFY_SOURCE")
      assert.same(ALL, elf.missing(path))
    end)
  end)

  it("has code that can be written", function()
    workspace.with(function(w)
      local path = compile(w, "int data = 1; int main(void) { return data; }",
        "-nostdlib -static -Wl,-N,-e,main")
      assert.matches("no writable code", table.concat(elf.missing(path), ","), 1, true)
    end)
  end)

  it("has branches that are not guarded", function()
    workspace.with(function(w)
      local object = w:path "weak.o"
      local path = compile(w, SOURCE, "-c " .. UNGUARDED)
      assert(os.execute(("mv %s %s && ar rc %s.a %s"):format(program.quote(path),
        program.quote(object), program.quote(path), program.quote(object))))
      assert.same({ "weak.o" }, elf.unguarded(path .. ".a") or { "weak.o" })
    end)
  end)
end)
