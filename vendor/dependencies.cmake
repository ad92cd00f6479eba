# Finds what README's table in this folder lists. Each becomes one target, apogee::NAME.
# SPDX-License-Identifier: Apache-2.0
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(apogee_pkg name module)
  pkg_check_modules(PC_${name} REQUIRED IMPORTED_TARGET "${module}")
  add_library(apogee_dep_${name} INTERFACE)
  target_link_libraries(apogee_dep_${name} INTERFACE PkgConfig::PC_${name})
  add_library(apogee::${name} ALIAS apogee_dep_${name})
endfunction()

apogee_pkg(curl "libcurl>=7.88.1")
apogee_pkg(crypto "libcrypto>=3.0")
apogee_pkg(ssh2 "libssh2>=1.10.0")
apogee_pkg(uv "libuv>=1.44")
apogee_pkg(microhttpd "libmicrohttpd>=0.9.75")
apogee_pkg(psl "libpsl>=0.21.0")
apogee_pkg(sqlite "sqlite3>=3.40.1")
apogee_pkg(idn2 "libidn2>=2.3.0")
apogee_pkg(deflate "libdeflate>=1.14")
apogee_pkg(zstd "libzstd>=1.5.2")

# Lua and lua-cjson are linked statically: one interpreter, ours, whatever else is installed.
pkg_check_modules(PC_lua REQUIRED "lua5.4>=5.4.4")
find_library(APOGEE_LUA_A NAMES liblua5.4.a REQUIRED)
find_library(APOGEE_CJSON_A NAMES liblua5.4-cjson.a REQUIRED)
add_library(apogee_dep_lua INTERFACE)
target_include_directories(apogee_dep_lua SYSTEM INTERFACE ${PC_lua_INCLUDE_DIRS})
target_link_libraries(apogee_dep_lua INTERFACE "${APOGEE_CJSON_A}" "${APOGEE_LUA_A}" m
                      ${CMAKE_DL_LIBS})
add_library(apogee::lua ALIAS apogee_dep_lua)

# uthash is headers only.
find_path(APOGEE_UTHASH_DIR NAMES uthash.h REQUIRED)
add_library(apogee_dep_uthash INTERFACE)
target_include_directories(apogee_dep_uthash SYSTEM INTERFACE "${APOGEE_UTHASH_DIR}")
add_library(apogee::uthash ALIAS apogee_dep_uthash)

if(BUILD_TESTING)
  apogee_pkg(cmocka "cmocka>=1.1.5")
  apogee_pkg(ssh "libssh>=0.10.0")
endif()
