# The Debian package: `cmake --preset deb && cmake --build --preset deb --target package`. Its
# dependencies are those that dpkg-shlibdeps finds in the program.
# SPDX-License-Identifier: Apache-2.0
set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # /etc is outside of the prefix
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The Apogee developers <apogee@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "security automation engine scripted in Lua")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Asks VirusTotal about indicators by rules written in Lua: actions and
playbooks, with pacing at the quota's edge, a cache, a journal of what was
submitted, and reports for people and programs. Runs from a shell, from
cron and from systemd.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS lua-busted) # for apogee test
set(CPACK_DEBIAN_PACKAGE_SUGGESTS openssh-client)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_SOURCE_DIR}/packaging/deb/conffiles"
    "${CMAKE_SOURCE_DIR}/packaging/deb/postinst"
    "${CMAKE_SOURCE_DIR}/packaging/deb/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
