# BoughFlags.cmake - how every source of Bough is compiled.
#
# SPDX-License-Identifier: MIT

# The include root: `bough` is a link to the source, so that an include line is the same inside
# the tree and after installation.
set(BOUGH_INCLUDE_ROOT ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${BOUGH_INCLUDE_ROOT})
file(CREATE_LINK ${PROJECT_SOURCE_DIR} ${BOUGH_INCLUDE_ROOT}/bough SYMBOLIC)

add_library(bough_flags INTERFACE)

target_compile_options(bough_flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wvla
    -Wformat=2 -Wpointer-arith -Wcast-qual -Wundef -Wwrite-strings
    -Werror=implicit-function-declaration -Werror=incompatible-pointer-types
    -Werror=int-conversion
    -fno-common
    -include bough/core/forbid.h)

# Defined without a value, as a source that defines it for itself does.
target_compile_definitions(bough_flags INTERFACE
    _GNU_SOURCE= BOUGH_VERSION="${PROJECT_VERSION}")

target_include_directories(bough_flags INTERFACE ${BOUGH_INCLUDE_ROOT})

if(BOUGH_WERROR)
    target_compile_options(bough_flags INTERFACE -Werror)
endif()

# A function's address is found when the program starts, and not again in each process that is
# forked, where it takes longer than the rest of a short life.
add_link_options(-Wl,-z,now)

if(BOUGH_SANITIZE)
    add_compile_options(-fsanitize=${BOUGH_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer -O1)
    add_link_options(-fsanitize=${BOUGH_SANITIZE})
    # GCC follows values worse through instrumented code, and these two then cry wolf; the
    # other builds have them on.
    target_compile_options(bough_flags INTERFACE
        -Wno-maybe-uninitialized -Wno-format-truncation)
endif()
