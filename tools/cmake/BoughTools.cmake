# BoughTools.cmake - the programs: bin/bough, and bin/bough-bench when it has sources.
#
# SPDX-License-Identifier: MIT

pkg_check_modules(MICROHTTPD IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(CURL IMPORTED_TARGET libcurl)
if(NOT MICROHTTPD_FOUND OR NOT CURL_FOUND)
    message(FATAL_ERROR
        "the bough binary needs libmicrohttpd and libcurl; on Debian: apt-get install "
        "libmicrohttpd-dev libcurl4-openssl-dev; or configure with -DBOUGH_TOOLS=OFF")
endif()

file(GLOB bough_tool_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/bough/*.c)
set(bough_tool_main ${PROJECT_SOURCE_DIR}/tools/bough/main.c)

# All of the program but main(), so that its tests can link it, too.
set(bough_tool_parts ${bough_tool_sources})
list(REMOVE_ITEM bough_tool_parts ${bough_tool_main})

set(bough_tool_links bough_config bough_actors bough_supervisor bough_core
    PkgConfig::JANSSON)

if(bough_tool_parts)
    add_library(bough_tool STATIC ${bough_tool_parts})
    target_link_libraries(bough_tool PUBLIC ${bough_tool_links} PRIVATE bough_flags
        PkgConfig::XXHASH)
    list(PREPEND bough_tool_links bough_tool)
    target_include_directories(bough_tool PUBLIC
        ${CURL_INCLUDE_DIRS} ${MICROHTTPD_INCLUDE_DIRS})
    bough_loads(bough_tool BOUGH_CURL_LIBRARY CURL)
    bough_loads(bough_tool BOUGH_HTTP_LIBRARY MICROHTTPD)

    # What only the screen of `bough top` needs.
    option(BOUGH_TOP "the full screen of bough top (ncursesw)" ON)
    if(BOUGH_TOP)
        pkg_check_modules(NCURSESW IMPORTED_TARGET ncursesw)
    endif()
    if(NCURSESW_FOUND)
        target_include_directories(bough_tool PRIVATE ${NCURSESW_INCLUDE_DIRS})
        target_compile_options(bough_tool PRIVATE ${NCURSESW_CFLAGS_OTHER})
        target_compile_definitions(bough_tool PRIVATE BOUGH_NCURSES)
        bough_loads(bough_tool BOUGH_CURSES_LIBRARY NCURSESW)
    endif()
endif()

if(EXISTS ${bough_tool_main})
    add_executable(bough_program ${bough_tool_main})
    target_link_libraries(bough_program PRIVATE ${bough_tool_links} bough_flags)
    set_target_properties(bough_program PROPERTIES OUTPUT_NAME bough)
endif()

file(GLOB bough_bench_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/bench/*.c)
if(bough_bench_sources)
    add_executable(bough-bench ${bough_bench_sources})
    target_link_libraries(bough-bench PRIVATE
        bough_actors bough_supervisor bough_core bough_flags)
endif()
