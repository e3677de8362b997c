# tests/unit/<layer>/test_<file>.c: one program each. fuzz/fuzz_<name>.c: with libFuzzer in the fuzz
# preset, elsewhere a program that replays fuzz/corpus/<name>/. tools/run-tests runs what
# build/tests lists.

# Only tests read vectors in JSON with it; those that do are left out where it is missing.
find_library(JANSSON_LIBRARY jansson)

enable_testing()
add_library(cn_test STATIC tests/lib/test.c)
# Linked only by tests that name it: it needs the lock of rt_os.
add_library(cn_fault_rt STATIC tests/lib/fault_rt.c)
target_include_directories(cn_fault_rt PUBLIC tests src include)
target_include_directories(cn_test PUBLIC tests src include)
target_compile_definitions(
    cn_test PRIVATE CAIRN_FIXTURES_DEFAULT="${CMAKE_SOURCE_DIR}/../shared/fixtures")
target_link_libraries(cn_test PUBLIC cn_base)
if(JANSSON_LIBRARY)
    target_link_libraries(cn_test PUBLIC ${JANSSON_LIBRARY})
endif()
# Linked only by tests that name it: hosts on one loop, and a transport of the tests' own.
add_library(cn_host_world STATIC tests/lib/host_world.c tests/lib/pipe_transport.c)
target_include_directories(cn_host_world PUBLIC tests src include)
add_library(cn_replay STATIC tests/lib/replay.c)
target_link_libraries(cn_replay PUBLIC cn_test)

file(GLOB test_sources CONFIGURE_DEPENDS tests/unit/*/test_*.c)
foreach(source ${test_sources})
    string(REGEX REPLACE ".*/unit/([a-z0-9_]+)/test_([a-z0-9_]+)\\.c$" "\\1_\\2" name ${source})
    file(STRINGS ${source} uses_jansson REGEX "include <jansson.h>")
    if(uses_jansson AND NOT JANSSON_LIBRARY)
        message(STATUS "without libjansson-dev: test_${name} is left out")
        continue()
    endif()
    add_executable(test_${name} ${source})
    target_link_libraries(
        test_${name} PRIVATE cn_test -Wl,--start-group cn_fault_rt cn_host_world ${all_layers} -Wl,--end-group)
    set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND test_${name})
endforeach()

file(GLOB fuzz_sources CONFIGURE_DEPENDS fuzz/fuzz_*.c)
foreach(source ${fuzz_sources})
    string(REGEX REPLACE ".*/fuzz_([a-z0-9_]+)\\.c$" "\\1" name ${source})
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE -Wl,--start-group ${all_layers} -Wl,--end-group)
    target_include_directories(fuzz_${name} PRIVATE src include)
    if(CAIRN_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_link_libraries(fuzz_${name} PRIVATE cn_replay)
        add_test(
            NAME replay_${name} COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
    endif()
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endforeach()

# Fails calls inside libraries, for tests/e2e/test_preload.py; it cannot stand beside a sanitizer,
# which has the same functions.
if(NOT CAIRN_SANITIZE)
    add_library(preload MODULE tests/lib/preload.c)
    target_compile_options(preload PRIVATE -fno-builtin -fvisibility=default -Wno-pedantic -Wno-cast-qual)
    set_target_properties(
        preload PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()

# Nodes that tests/interop/peers runs against other implementations.
foreach(name host_node exchange_node)
    add_executable(${name} tests/interop/peers/${name}.c)
    target_link_libraries(${name} PRIVATE -Wl,--start-group ${all_layers} -Wl,--end-group)
    target_include_directories(${name} PRIVATE src include)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/nodes)
endforeach()

# The attacker of tests/attack.
file(GLOB attacker_sources CONFIGURE_DEPENDS tests/attack/*.c)
add_executable(attacker ${attacker_sources})
target_link_libraries(attacker PRIVATE -Wl,--start-group ${all_layers} -Wl,--end-group)
target_include_directories(attacker PRIVATE tests src include)
set_target_properties(attacker PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/nodes)
