# BoughInstall.cmake - headers, libraries, package files, programs, schema, examples.
#
# SPDX-License-Identifier: MIT

include(CMakePackageConfigHelpers)

set(BOUGH_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Bough)
set(BOUGH_DATA_DIR ${CMAKE_INSTALL_DATADIR}/bough)

foreach(room core supervisor supervisor/process actors config)
    file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/*.h)
    list(FILTER headers EXCLUDE REGEX "_internal\\.h$")
    # Not an interface: the build compiles it into our own sources.
    list(FILTER headers EXCLUDE REGEX "/core/forbid\\.h$")
    install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bough/${room})
endforeach()

if(TARGET bough)
    install(TARGETS bough bough_static EXPORT BoughTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT BoughTargets NAMESPACE Bough:: DESTINATION ${BOUGH_CMAKE_DIR})
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/tools/cmake/BoughConfig.cmake.in
    ${PROJECT_BINARY_DIR}/package/BoughConfig.cmake
    INSTALL_DESTINATION ${BOUGH_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/BoughConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/package/BoughConfig.cmake
    ${PROJECT_BINARY_DIR}/package/BoughConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/tools/cmake/FindLibev.cmake
    DESTINATION ${BOUGH_CMAKE_DIR})

# Relative, so that the prefix can be chosen, or moved, at installation.
file(RELATIVE_PATH BOUGH_PC_TO_PREFIX
    /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" BOUGH_PC_TO_PREFIX "${BOUGH_PC_TO_PREFIX}")
configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/bough.pc.in
    ${PROJECT_BINARY_DIR}/package/bough.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/bough.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

foreach(program bough_program bough-bench)
    if(TARGET ${program})
        install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
endforeach()

if(EXISTS ${PROJECT_SOURCE_DIR}/config/bough.schema.json)
    install(FILES ${PROJECT_SOURCE_DIR}/config/bough.schema.json
        DESTINATION ${BOUGH_DATA_DIR})
endif()

if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/config/examples)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/config/examples
        DESTINATION ${BOUGH_DATA_DIR} USE_SOURCE_PERMISSIONS
        FILES_MATCHING PATTERN "*.json" PATTERN "*.conf" PATTERN "*.sh")
endif()

# For `systemctl enable --now bough@NAME`.
if(TARGET bough_program)
    configure_file(${PROJECT_SOURCE_DIR}/tools/bough/bough@.service.in
        ${PROJECT_BINARY_DIR}/share/bough@.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/share/bough@.service
        DESTINATION lib/systemd/system)
endif()

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
