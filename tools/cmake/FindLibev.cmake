# FindLibev.cmake - finds libev, which ships neither a .pc file nor a CMake package.
#
# Defines the imported target Libev::Libev. It is installed beside BoughConfig.cmake, because
# Bough's headers name libev's types.
#
# SPDX-License-Identifier: MIT

find_path(LIBEV_INCLUDE_DIR ev.h)
find_library(LIBEV_LIBRARY ev)
mark_as_advanced(LIBEV_INCLUDE_DIR LIBEV_LIBRARY)

if(LIBEV_INCLUDE_DIR AND EXISTS ${LIBEV_INCLUDE_DIR}/ev.h)
    file(STRINGS ${LIBEV_INCLUDE_DIR}/ev.h libev_versions
         REGEX "^#define[ \t]+EV_VERSION_(MAJOR|MINOR)[ \t]+[0-9]+")
    string(REGEX MATCHALL "[0-9]+" libev_numbers "${libev_versions}")
    list(JOIN libev_numbers "." Libev_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libev
    REQUIRED_VARS LIBEV_LIBRARY LIBEV_INCLUDE_DIR
    VERSION_VAR Libev_VERSION
    REASON_FAILURE_MESSAGE "on Debian: apt-get install libev-dev")

if(Libev_FOUND AND NOT TARGET Libev::Libev)
    add_library(Libev::Libev UNKNOWN IMPORTED)
    set_target_properties(Libev::Libev PROPERTIES
        IMPORTED_LOCATION ${LIBEV_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${LIBEV_INCLUDE_DIR})
endif()
