# BoughManual.cmake - the manual pages and the completions, made from what they are about.
#
# bough.1 and bough.json.5 are what the program says of itself; libbough.3 is made from the headers
# that users get.
#
# SPDX-License-Identifier: MIT

set(BOUGH_SHARE ${PROJECT_BINARY_DIR}/share)
file(MAKE_DIRECTORY ${BOUGH_SHARE})
set(bough_share_files "")

# bough_said(FILE word...): the file is what the program prints when it is given the words.
function(bough_said name)
    add_custom_command(OUTPUT ${BOUGH_SHARE}/${name}
        COMMAND bough_program ${ARGN} > ${BOUGH_SHARE}/${name}
        DEPENDS bough_program VERBATIM)
    set(bough_share_files ${bough_share_files} ${BOUGH_SHARE}/${name} PARENT_SCOPE)
endfunction()

if(TARGET bough_program)
    bough_said(bough.1 manual)
    bough_said(bough.json.5 manual bough.json)
    foreach(shell bash zsh fish)
        bough_said(bough.${shell} completion ${shell})
    endforeach()
endif()

find_program(BOUGH_AWK NAMES awk mawk gawk)
mark_as_advanced(BOUGH_AWK)
if(BOUGH_AWK)
    set(bough_manual_headers "")
    foreach(room core supervisor supervisor/process actors config)
        file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/*.h)
        list(FILTER headers EXCLUDE REGEX "_internal\\.h$|/core/forbid\\.h$")
        list(APPEND bough_manual_headers ${headers})
    endforeach()
    set(bough_manual_script ${PROJECT_SOURCE_DIR}/tools/cmake/library_manual.awk)
    set(bough_manual_head ${PROJECT_SOURCE_DIR}/docs/man/libbough.3.head)
    # One date for all pages.
    file(STRINGS ${PROJECT_SOURCE_DIR}/tools/bough/roff.h bough_manual_date
        REGEX "define BOUGH_MANUAL_DATE")
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" bough_manual_date "${bough_manual_date}")
    add_custom_command(OUTPUT ${BOUGH_SHARE}/libbough.3
        COMMAND ${BOUGH_AWK} -v version=${PROJECT_VERSION} -v date=${bough_manual_date}
            -f ${bough_manual_script} ${bough_manual_head} ${bough_manual_headers}
            > ${BOUGH_SHARE}/libbough.3
        DEPENDS ${bough_manual_script} ${bough_manual_head} ${bough_manual_headers} VERBATIM)
    list(APPEND bough_share_files ${BOUGH_SHARE}/libbough.3)
else()
    message(STATUS "no awk: libbough(3) is not made")
endif()

add_custom_target(bough_share ALL DEPENDS ${bough_share_files})

foreach(page ${bough_share_files})
    if(page MATCHES "\\.([1-9])$")
        install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${CMAKE_MATCH_1})
    endif()
endforeach()
if(TARGET bough_program)
    install(FILES ${BOUGH_SHARE}/bough.bash RENAME bough
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES ${BOUGH_SHARE}/bough.zsh RENAME _bough
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES ${BOUGH_SHARE}/bough.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
