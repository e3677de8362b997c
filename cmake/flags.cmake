# Compiler and flags: the same warnings everywhere, hardening in release, sanitizers by preset.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(CAIRN_WERROR "Warnings are errors" OFF)
set(CAIRN_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")
option(CAIRN_FUZZ "Build fuzz targets with libFuzzer (clang)" OFF)

if(NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    message(FATAL_ERROR "cairn needs a 64-bit machine: its store maps files larger than 4 GiB")
endif()
if(NOT CMAKE_C_BYTE_ORDER STREQUAL "LITTLE_ENDIAN")
    message(FATAL_ERROR "cairn needs a little-endian machine: its index is read in place")
endif()

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

set(warnings
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align -Wcast-qual
    -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wredundant-decls -Wundef -Wvla -Walloca -Wwrite-strings -Wformat=2 -Wswitch-enum
    -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough -Wdate-time
    -Wframe-larger-than=16384)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND warnings
        -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wrestrict -Wjump-misses-init
        -Wformat-signedness -Walloc-zero -Wtrampolines -Wbidi-chars=any)
elseif(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    list(APPEND warnings
        -Wcomma -Wassign-enum -Wconditional-uninitialized -Wshorten-64-to-32
        -Wmissing-variable-declarations -Wunreachable-code)
endif()
add_compile_options(${warnings})
if(CAIRN_WERROR)
    add_compile_options(-Werror)
endif()

add_compile_definitions(_GNU_SOURCE CAIRN_VERSION="${PROJECT_VERSION}")
add_compile_options(
    -fvisibility=hidden -fno-common -fno-strict-aliasing -fwrapv -fno-delete-null-pointer-checks
    -ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)

if(CAIRN_SANITIZE)
    add_compile_options(-fsanitize=${CAIRN_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${CAIRN_SANITIZE})
endif()
if(CAIRN_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set(CMAKE_C_FLAGS_RELEASE "-O2")
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero)
    else()
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
    add_compile_options(-fstack-protector-strong -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
        add_compile_options(-fcf-protection=full)
    endif()
endif()
