# Build targets for the linters: cmake --build --preset dev --target format-check
# SPDX-License-Identifier: Apache-2.0
foreach(linter format format-check tidy cppcheck analyzer luacheck shellcheck banned-calls manual docs)
  add_custom_target(${linter}
    COMMAND "${CMAKE_SOURCE_DIR}/.ci/lint" ${linter} "${CMAKE_BINARY_DIR}"
    USES_TERMINAL VERBATIM)
endforeach()
