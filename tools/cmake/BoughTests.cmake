# BoughTests.cmake - every tests/<room>/test_* is a test.
#
# A test_*.c becomes a program linked with its room alone, with tests/support and with what else
# of C lies in its folder; a test_*.sh or test_*.py is run as it is. All of them print TAP: cmocka because it is told to, the scripts by
# themselves. tools/test counts those lines.
#
# Scripts see: BOUGH (the binary), BOUGH_SOURCE (the tree), BOUGH_BUILD (the build directory), CC.
#
# SPDX-License-Identifier: MIT

pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(NOT CMOCKA_FOUND)
    message(FATAL_ERROR
        "the tests need cmocka; on Debian: apt-get install libcmocka-dev; "
        "or configure with -DBOUGH_TESTS=OFF")
endif()
find_program(BOUGH_VALGRIND valgrind)
mark_as_advanced(BOUGH_VALGRIND)

set(test_directory ${PROJECT_SOURCE_DIR}/tests)
set(test_environment
    CMOCKA_MESSAGE_OUTPUT=TAP
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1"
    BOUGH=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/bough
    BOUGH_SOURCE=${PROJECT_SOURCE_DIR}
    BOUGH_BUILD=${PROJECT_BINARY_DIR}
    CC=${CMAKE_C_COMPILER})

file(GLOB support_sources CONFIGURE_DEPENDS ${test_directory}/support/*.c)
if(support_sources)
    add_library(bough_test_support STATIC ${support_sources})
    target_link_libraries(bough_test_support
        PUBLIC bough_core PkgConfig::CMOCKA PRIVATE bough_flags)
else()
    add_library(bough_test_support INTERFACE)
    target_link_libraries(bough_test_support INTERFACE PkgConfig::CMOCKA)
endif()

function(bough_register_test name)
    add_test(NAME ${name} COMMAND ${ARGN})
    set_tests_properties(${name} PROPERTIES
        ENVIRONMENT "${test_environment}" LABELS plain
        WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
endfunction()

# Minutes under valgrind, for trees of a shape that the other tests load as well; or with system
# calls that it does not know (pidfd_open) or answers by itself (limits).
set(not_under_valgrind "^(config/test_growth|core/test_limits|supervisor/test_process.*|supervisor/test_watchdog)$")

# The same program once more, under valgrind; tools/test runs those by their label.
function(bough_register_valgrind name target)
    if(NOT BOUGH_VALGRIND OR BOUGH_SANITIZE OR name MATCHES "${not_under_valgrind}")
        return()
    endif()
    bough_register_test(valgrind/${name} ${BOUGH_VALGRIND} --quiet --error-exitcode=99
        --leak-check=full --show-leak-kinds=definite,indirect,possible --trace-children=no
        --track-fds=no --num-callers=30 $<TARGET_FILE:${target}>)
    set_tests_properties(valgrind/${name} PROPERTIES LABELS valgrind)
endfunction()

# A test whose allocations may fail says so: by __wrap_malloc, or tests/support/allocator.h.
function(bough_wrap_allocator target source)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} wrapped REGEX "__wrap_malloc|support/allocator\\.h" LIMIT_COUNT 1)
    if(wrapped)
        target_link_options(${target} PRIVATE
            -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc)
    endif()
endfunction()

function(bough_test_program room source)
    get_filename_component(unit ${source} NAME_WE)
    set(target ${unit}_in_${room})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE ${ARGN})
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME ${unit} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/${room})
    bough_wrap_allocator(${target} ${source})
    bough_register_test(${room}/${unit} ${target})
    if(NOT room MATCHES "^(cli|stress|fuzz)$")
        bough_register_valgrind(${room}/${unit} ${target})
    endif()
endfunction()

# bough_test_folder(NAME target...): the tests of tests/NAME, linked with those targets.
function(bough_test_folder room)
    file(GLOB sources CONFIGURE_DEPENDS ${test_directory}/${room}/test_*.c)
    file(GLOB helpers CONFIGURE_DEPENDS ${test_directory}/${room}/*.c)
    list(REMOVE_ITEM helpers ${sources})
    set(links bough_test_support ${ARGN} PkgConfig::CMOCKA bough_flags)
    if(helpers)
        add_library(bough_test_${room} STATIC ${helpers})
        target_link_libraries(bough_test_${room} PRIVATE ${links})
        list(PREPEND links bough_test_${room})
    endif()
    foreach(source ${sources})
        bough_test_program(${room} ${source} ${links})
    endforeach()
    file(GLOB scripts CONFIGURE_DEPENDS
        ${test_directory}/${room}/test_*.sh ${test_directory}/${room}/test_*.py)
    foreach(script ${scripts})
        get_filename_component(unit ${script} NAME)
        bough_register_test(${room}/${unit} ${script})
    endforeach()
endfunction()

set(all_rooms bough_config bough_actors bough_supervisor bough_core)

bough_test_folder(core bough_core)
bough_test_folder(supervisor bough_supervisor bough_core)

# The tests of trees once more, every child on a loop of its own: the same facts.
foreach(unit apply apply_below cases dynamic nested questions requests restart supervisor turns)
    bough_register_test(apart/supervisor/test_${unit} test_${unit}_in_supervisor)
    set_property(TEST apart/supervisor/test_${unit} APPEND PROPERTY
        ENVIRONMENT BOUGH_TEST_APART=1)
endforeach()
bough_test_folder(actors bough_actors bough_core)
bough_test_folder(config bough_config bough_actors bough_supervisor bough_core
    PkgConfig::JANSSON)
bough_test_folder(cli ${all_rooms} PkgConfig::JANSSON)
bough_test_folder(stress ${all_rooms})
if(TARGET bough_tool)
    bough_test_folder(tools bough_tool)
endif()

# Instructions are worth counting where users pay them.
if(BOUGH_VALGRIND AND TARGET bough-bench AND NOT BOUGH_SANITIZE
        AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    bough_test_folder(costs)
    # With BOUGH_TEST_LONG some minutes; without, far below a minute.
    set_tests_properties(costs/test_growth.sh PROPERTIES TIMEOUT 900)
endif()

# What looks at the tree rather than at a program need not be asked twice.
if(NOT BOUGH_SANITIZE)
    bough_test_folder(hygiene)
endif()

# The embedding example of the README, linked as a user would; tests/cli/test_embed.sh runs it.
if(TARGET bough AND EXISTS ${PROJECT_SOURCE_DIR}/docs/embed.c)
    add_executable(embed ${PROJECT_SOURCE_DIR}/docs/embed.c)
    target_link_libraries(embed PRIVATE Bough::bough)
    target_compile_options(embed PRIVATE -Wall -Wextra)
    set_target_properties(embed PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/docs)
endif()
