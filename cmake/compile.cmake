# apogee_flags: everything we ask of the compiler, for our own code only.
# SPDX-License-Identifier: Apache-2.0
add_library(apogee_flags INTERFACE)
target_include_directories(apogee_flags INTERFACE "${CMAKE_SOURCE_DIR}/engine")
target_compile_definitions(apogee_flags INTERFACE _GNU_SOURCE)
target_compile_options(apogee_flags INTERFACE
  -Wall -Wextra
  -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types
  -Werror=int-conversion
  -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-strict-overflow
  -fstack-protector-strong -fstack-clash-protection)
# Guards of branches, by the machine that has them.
include(CheckCCompilerFlag)
foreach(guard -fcf-protection=full -mbranch-protection=standard)
  string(MAKE_C_IDENTIFIER "APOGEE_HAS${guard}" has_guard)
  check_c_compiler_flag(${guard} ${has_guard})
  if(${has_guard})
    target_compile_options(apogee_flags INTERFACE ${guard})
  endif()
endforeach()
if(APOGEE_PICKY)
  target_compile_options(apogee_flags INTERFACE
    -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
    -Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(apogee_flags INTERFACE -Wbidi-chars=any -Wtrampolines)
  endif()
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(apogee_flags INTERFACE -ftrivial-auto-var-init=zero)
endif()
target_link_options(apogee_flags INTERFACE
  -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodlopen,--as-needed)

# Counters lie beside the objects, wherever the program that counts is called.
if(APOGEE_COVERAGE)
  target_compile_options(apogee_flags INTERFACE --coverage -fprofile-update=atomic)
  target_compile_definitions(apogee_flags INTERFACE "APOGEE_COUNTERS=\"${CMAKE_BINARY_DIR}\"")
  target_link_options(apogee_flags INTERFACE --coverage)
else()
  target_compile_options(apogee_flags INTERFACE "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
endif()

if(APOGEE_SANITIZE)
  target_compile_options(apogee_flags INTERFACE
    "-fsanitize=${APOGEE_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(apogee_flags INTERFACE "-fsanitize=${APOGEE_SANITIZE}")
else()
  # The sanitizers and FORTIFY check the same calls and get in each other's way.
  target_compile_options(apogee_flags INTERFACE -U_FORTIFY_SOURCE
    "$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>")
endif()

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
