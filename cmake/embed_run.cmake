# Writes a C table of the Lua files FILES (below ROOT) to OUT. A module's name is its path with dots:
# lua/apogee/threshold.lua is apogee.threshold.
# SPDX-License-Identifier: Apache-2.0
set(text "/* Made by cmake/embed_run.cmake. */\n#include \"script/embedded.h\"\n\n")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
  file(RELATIVE_PATH module "${ROOT}" "${file}")
  string(REGEX REPLACE "\\.lua$" "" module "${module}")
  string(REPLACE "/" "." module "${module}")
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n  " bytes "${bytes}")
  string(APPEND text "static const unsigned char source_${index}[] = {\n  ${bytes}0};\n")
  string(APPEND rows "    {\"${module}\", (const char *)source_${index}, sizeof(source_${index}) - 1},\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND text "\nconst struct script_module script_embedded[] = {\n${rows}    {0},\n};\n")
file(WRITE "${OUT}" "${text}")
