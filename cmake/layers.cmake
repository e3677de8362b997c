# One library per line of src/LAYERS, linked against just the layers that the line names.

find_library(LMDB_LIBRARY lmdb REQUIRED)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS src/LAYERS)

# Libraries linked at start by a layer; all others are opened on first use.
set(libraries_store ${LMDB_LIBRARY})

file(STRINGS src/LAYERS layer_lines REGEX "^[a-z]")
set(all_layers "")
foreach(line ${layer_lines})
    string(REGEX MATCH "^[a-z0-9_/]+" layer ${line})
    string(REGEX REPLACE "^[^:]*:" "" uses "${line}")
    separate_arguments(uses)
    string(REPLACE "/" "_" target ${layer})
    file(GLOB sources CONFIGURE_DEPENDS src/${layer}/*.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    if(sources)
        add_library(cn_${target} STATIC ${sources})
        target_include_directories(cn_${target} PUBLIC src include)
        foreach(use ${uses})
            string(REPLACE "/" "_" use ${use})
            if(TARGET cn_${use})
                target_link_libraries(cn_${target} PUBLIC cn_${use})
            endif()
        endforeach()
        target_link_libraries(cn_${target} PUBLIC ${libraries_${target}})
        list(APPEND all_layers cn_${target})
    endif()
endforeach()
# rt/lock.h is declared in rt and defined in rt_os.
find_package(Threads REQUIRED)
target_link_libraries(cn_rt_os PUBLIC Threads::Threads ${CMAKE_DL_LIBS})
list(REVERSE all_layers)

if(EXISTS ${CMAKE_SOURCE_DIR}/src/cli/main.c)
    add_executable(cairn src/cli/main.c)
    target_link_libraries(cairn PRIVATE -Wl,--start-group ${all_layers} -Wl,--end-group)
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        target_link_options(cairn PRIVATE -pie -s)
    endif()
endif()

# The public C API as a shared library that exports cairn_* and nothing else, and the program that
# shows it.
if(TARGET cn_api)
    file(GLOB api_sources CONFIGURE_DEPENDS src/api/*.c)
    add_library(cairn_shared SHARED ${api_sources})
    set_target_properties(
        cairn_shared PROPERTIES OUTPUT_NAME cairn VERSION ${PROJECT_VERSION} SOVERSION 0)
    target_include_directories(cairn_shared PRIVATE src PUBLIC include)
    target_link_libraries(cairn_shared PRIVATE -Wl,--start-group ${all_layers} -Wl,--end-group)
    target_link_options(cairn_shared PRIVATE -Wl,--exclude-libs,ALL)
    add_executable(keep examples/api/keep.c)
    target_link_libraries(keep PRIVATE cairn_shared)
endif()
