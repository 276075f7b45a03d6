# BoughLoaded.cmake - libraries that are loaded when they are needed (core/library.h).
#
# SPDX-License-Identifier: MIT

# The name that a library is linked by. The file may be a script of the linker's, which
# names it.
function(bough_name_of library directories result)
    find_library(file NAMES ${library} HINTS ${directories} NO_CACHE REQUIRED)
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${file}
        OUTPUT_VARIABLE headers ERROR_QUIET)
    set(name "SONAME +([^ \n]+)")
    if(NOT headers)
        file(READ ${file} headers)
        set(name "INPUT\\( *([^ )]+)")
    endif()
    if(NOT headers MATCHES ${name})
        message(FATAL_ERROR "${file} is not a shared library with a name")
    endif()
    set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()

# Gives `target` the macro with the name of a package's first library: those that this one needs
# come with it.
function(bough_loads target macro package)
    list(GET ${package}_LIBRARIES 0 library)
    bough_name_of(${library} "${${package}_LIBRARY_DIRS}" name)
    target_compile_definitions(${target} PRIVATE ${macro}="${name}")
endfunction()
