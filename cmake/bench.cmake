# bench/bench_<name>.c: one program each, built only when its target is asked for.
file(GLOB bench_sources CONFIGURE_DEPENDS bench/bench_*.c)
foreach(source ${bench_sources})
    string(REGEX REPLACE ".*/(bench_[a-z0-9_]+)\\.c$" "\\1" name ${source})
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    target_include_directories(${name} PRIVATE src include)
    target_link_libraries(${name} PRIVATE -Wl,--start-group ${all_layers} -Wl,--end-group)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endforeach()

# Long links between network namespaces; tools/longlink sets them up.
add_executable(netlink tools/netlink.c)
set_target_properties(netlink PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/nodes)
