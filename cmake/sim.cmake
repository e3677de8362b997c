# The simulator: sim/*.c as a library for tests, and the program cairn-sim.
file(GLOB sim_sources CONFIGURE_DEPENDS sim/*.c)
list(FILTER sim_sources EXCLUDE REGEX "/main\\.c$")
add_library(cn_sim STATIC ${sim_sources})
target_include_directories(cn_sim PUBLIC . src include)
add_executable(cairn-sim sim/main.c)
target_link_libraries(cairn-sim PRIVATE -Wl,--start-group cn_sim ${all_layers} -Wl,--end-group)
target_include_directories(cairn-sim PRIVATE . src include)
set_target_properties(cairn-sim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/nodes)
