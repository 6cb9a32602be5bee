# The Debian package: `cmake --build --preset release --target deb` leaves it in build/release.
# Manual pages are made of docs/ and of what the program says of itself, by lowdown.

find_package(Python3 3.10 COMPONENTS Interpreter)
find_program(LOWDOWN lowdown)

# portcullis_manual(<name> <section> <what it is, for whatis(1)> <page, from the root> [<argument> …])
function(portcullis_manual name section summary page)
  set(made ${PROJECT_BINARY_DIR}/man/${name}.${section})
  add_custom_command(
    OUTPUT ${made}.gz
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
    COMMAND Python3::Interpreter -B ${packaging}/man_page.py ${name} ${section} ${PROJECT_VERSION} ${PORTCULLIS_MANUAL_DATE}
            ${summary} ${PROJECT_SOURCE_DIR}/${page} ${ARGN} > ${made}
    COMMAND gzip --best --no-name --force ${made}
    DEPENDS ${PROJECT_SOURCE_DIR}/${page} ${packaging}/man_page.py ${packaging}/command_help.py portcullis
    VERBATIM)
  set_property(GLOBAL APPEND PROPERTY portcullis_manuals ${made}.gz)
  install(FILES ${made}.gz DESTINATION share/man/man${section})
endfunction()

set(packaging ${PROJECT_SOURCE_DIR}/tools/packaging)
set(PORTCULLIS_MANUAL_DATE 2026-11-24)
if(LOWDOWN AND Python3_FOUND)
  portcullis_manual(portcullis 1 "packet gateway with just-in-time access" tools/packaging/portcullis.1.md
                    $<TARGET_FILE:portcullis>)
  portcullis_manual(portcullis.toml 5 "configuration of portcullis, and scenarios of its replay" docs/configuration.md)
  portcullis_manual(portcullis.service 8 "portcullis as a service of this machine" docs/appliance.md)
  get_property(manuals GLOBAL PROPERTY portcullis_manuals)
  add_custom_target(manuals ALL DEPENDS ${manuals})
else()
  add_custom_target(manuals COMMAND ${CMAKE_COMMAND} -E echo "no package without lowdown and Python 3.10: they make the manual"
                    COMMAND ${CMAKE_COMMAND} -E false)
endif()

# Below the prefix, as `cmake --install` has it, too; what is in /etc is not.
install(FILES ${packaging}/lab.toml DESTINATION /etc/portcullis)
install(FILES ${packaging}/portcullis.service DESTINATION lib/systemd/system)
install(FILES ${packaging}/completion/portcullis.bash DESTINATION share/bash-completion/completions RENAME portcullis)
install(FILES ${packaging}/completion/_portcullis DESTINATION share/zsh/vendor-completions)
install(FILES ${packaging}/completion/portcullis.fish DESTINATION share/fish/vendor_completions.d)
configure_file(${packaging}/debian/changelog.in ${PROJECT_BINARY_DIR}/man/changelog @ONLY)
execute_process(COMMAND gzip --best --no-name --force --keep ${PROJECT_BINARY_DIR}/man/changelog COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${packaging}/debian/copyright ${PROJECT_BINARY_DIR}/man/changelog.gz DESTINATION share/doc/portcullis)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The Portcullis developers <portcullis@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "packet gateway that opens doors just in time, like Azure Firewall and JIT access")
set(CPACK_PACKAGE_DESCRIPTION "A user-space packet gateway: it enforces Azure Firewall DNAT rules and
just-in-time access windows between two interfaces or on captures, and tells an
approved requester where to connect, by Azure's own API. It is closed unless
somebody has opened it.")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${packaging}/debian/conffiles ${packaging}/debian/postinst ${packaging}/debian/prerm ${packaging}/debian/postrm)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# Without tests, benches and fuzzers.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
include(CPack)

add_custom_target(deb COMMAND ${CMAKE_CPACK_COMMAND} --config ${PROJECT_BINARY_DIR}/CPackConfig.cmake
                  DEPENDS portcullis manuals WORKING_DIRECTORY ${PROJECT_BINARY_DIR} USES_TERMINAL)
