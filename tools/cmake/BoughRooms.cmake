# BoughRooms.cmake - a library per room, and libbough made of all of them.
#
# SPDX-License-Identifier: MIT

set_property(GLOBAL PROPERTY BOUGH_ROOMS "")

# bough_room(NAME [PUBLIC target...] [PRIVATE target...])
#
# Builds NAME/*.c and NAME/process/*.c into the static library bough_NAME, which links the targets named: those whose
# headers its own headers include as PUBLIC, the others as PRIVATE.
function(bough_room name)
    cmake_parse_arguments(PARSE_ARGV 1 room "" "" "PUBLIC;PRIVATE")
    file(GLOB sources CONFIGURE_DEPENDS
        ${PROJECT_SOURCE_DIR}/${name}/*.c ${PROJECT_SOURCE_DIR}/${name}/process/*.c)

    if(NOT sources)
        add_library(bough_${name} INTERFACE)
        target_link_libraries(bough_${name} INTERFACE bough_flags ${room_PUBLIC})
        return()
    endif()

    add_library(bough_${name} STATIC ${sources})
    target_link_libraries(bough_${name}
        PUBLIC ${room_PUBLIC}
        PRIVATE $<BUILD_INTERFACE:bough_flags> ${room_PRIVATE})
    set_property(GLOBAL APPEND PROPERTY BOUGH_ROOMS ${name})
    set_property(GLOBAL APPEND PROPERTY BOUGH_REQUIRES ${room_PUBLIC} ${room_PRIVATE})
endfunction()

# What users link: bough (shared) and bough_static, both from the rooms' objects.
function(bough_library)
    get_property(rooms GLOBAL PROPERTY BOUGH_ROOMS)
    get_property(requires GLOBAL PROPERTY BOUGH_REQUIRES)
    list(FILTER requires EXCLUDE REGEX "^bough_")
    list(REMOVE_DUPLICATES requires)
    if(NOT rooms)
        message(STATUS "Bough: no room has sources yet, no libbough")
        return()
    endif()

    list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:bough_\\1>" OUTPUT_VARIABLE objects)
    add_library(bough SHARED ${objects})
    add_library(bough_static STATIC ${objects})
    list(REMOVE_ITEM requires Libev::Libev)
    foreach(library bough bough_static)
        target_include_directories(${library} INTERFACE
            $<BUILD_INTERFACE:${BOUGH_INCLUDE_ROOT}>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
        target_link_libraries(${library} PUBLIC Libev::Libev PRIVATE ${requires})
        set_target_properties(${library} PROPERTIES
            LINKER_LANGUAGE C OUTPUT_NAME bough EXPORT_NAME ${library})
        add_library(Bough::${library} ALIAS ${library})
    endforeach()
    set_target_properties(bough PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
endfunction()
