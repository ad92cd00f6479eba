# Puts Lua files into the program: apogee_embed_lua(TARGET FILES...) makes script/embedded.h's table.
# SPDX-License-Identifier: Apache-2.0
function(apogee_embed_lua target)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/embedded_lua.c")
  add_custom_command(
    OUTPUT "${out}"
    COMMAND "${CMAKE_COMMAND}" "-DOUT=${out}" "-DROOT=${CMAKE_SOURCE_DIR}/lua" "-DFILES=${ARGN}"
            -P "${CMAKE_SOURCE_DIR}/cmake/embed_run.cmake"
    DEPENDS ${ARGN} "${CMAKE_SOURCE_DIR}/cmake/embed_run.cmake"
    VERBATIM)
  target_sources(${target} PRIVATE "${out}")
endfunction()
