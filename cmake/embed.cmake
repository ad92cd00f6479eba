# Puts Lua files into the program: apogee_embed_lua(TARGET FILES...) makes script/embedded.h's table.
# SPDX-License-Identifier: Apache-2.0
function(apogee_embed_lua target)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/embedded_lua.c")
  add_executable(apogee_embed embed.c)
  target_link_libraries(apogee_embed PRIVATE apogee_flags apogee::lua)
  add_custom_command(
    OUTPUT "${out}"
    COMMAND apogee_embed "${out}" "${CMAKE_SOURCE_DIR}/lua" ${ARGN}
    DEPENDS ${ARGN} apogee_embed
    VERBATIM)
  target_sources(${target} PRIVATE "${out}")
endfunction()
