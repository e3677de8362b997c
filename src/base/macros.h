/*
 * The few macros that every file may use.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CN_MUST_USE __attribute__((warn_unused_result))
#define CN_PRINTF(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))
#define CN_NORETURN __attribute__((noreturn))

/* Number of elements of an array; does not compile for a pointer. */
#define CN_LEN(array)                                                                              \
    (sizeof(array) / sizeof((array)[0]) +                                                          \
     0 * sizeof(char                                                                               \
                    [1 - 2 * __builtin_types_compatible_p(                                         \
                                 __typeof__(array), __typeof__(&(array)[0]))]))

#define CN_MIN(a, b) ((a) < (b) ? (a) : (b))
#define CN_MAX(a, b) ((a) > (b) ? (a) : (b))

/* The struct that holds `pointer` as its member `member`. */
#define CN_CONTAINER(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Says that a parameter required by an interface is not needed here. */
#define CN_UNUSED(x) ((void)(x))

/*
 * A rule that our own code keeps. Stays on in release builds and aborts with file and line; never
 * use it on what came from outside the process.
 */
#define CN_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            cn_assert_failed(#condition, __FILE__, __LINE__);                                      \
        }                                                                                          \
    } while (0)

CN_NORETURN void cn_assert_failed(const char *condition, const char *file, int line);
