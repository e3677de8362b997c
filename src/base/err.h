/*
 * Errors: one list for the whole program. A function that may fail returns a cn_err; its results go
 * out through `ret_` arguments, which stay untouched on failure. Callers branch on the class,
 * people read the sentence; where more can be said than the code says, a cn_why (base/why.h)
 * carries it.
 */
#pragma once

#include "base/macros.h"

typedef enum cn_err_class {
    CN_CLASS_NONE,
    CN_CLASS_RETRY, /* may work later or elsewhere */
    CN_CLASS_PEER,  /* what came from outside breaks a rule */
    CN_CLASS_LIMIT, /* a bound given at init would be passed */
    CN_CLASS_LOCAL, /* this machine: memory, disk, files */
    CN_CLASS_GONE,  /* not there, closed or cancelled */
    CN_CLASS_USAGE, /* the caller asked for something that cannot be */
    CN_CLASS_BUG,   /* our own mistake */
} cn_err_class;

/* name, value, class, sentence */
#define CN_ERR_LIST(X)                                                                             \
    X(CN_OK, 0, CN_CLASS_NONE, "no error")                                                         \
    X(CN_ERR_NO_MEMORY, -1, CN_CLASS_LOCAL, "out of memory")                                       \
    X(CN_ERR_MALFORMED, -2, CN_CLASS_PEER, "the input breaks the rules of its format")             \
    X(CN_ERR_TRUNCATED, -3, CN_CLASS_PEER, "the input ends too early")                             \
    X(CN_ERR_TOO_LARGE, -4, CN_CLASS_LIMIT, "larger than the limit")                               \
    X(CN_ERR_TOO_DEEP, -5, CN_CLASS_LIMIT, "nested deeper than the limit")                         \
    X(CN_ERR_NOT_FOUND, -6, CN_CLASS_GONE, "not found")                                            \
    X(CN_ERR_NO_LINK, -7, CN_CLASS_GONE, "no link of that name")                                   \
    X(CN_ERR_CLOSED, -8, CN_CLASS_GONE, "closed")                                                  \
    X(CN_ERR_CANCELLED, -9, CN_CLASS_GONE, "cancelled")                                            \
    X(CN_ERR_TIMEOUT, -10, CN_CLASS_RETRY, "took longer than its time limit")                      \
    X(CN_ERR_BUSY, -11, CN_CLASS_RETRY, "in use by another")                                       \
    X(CN_ERR_IO, -12, CN_CLASS_LOCAL, "reading or writing failed")                                 \
    X(CN_ERR_NO_SPACE, -13, CN_CLASS_LOCAL, "no space left on the disk")                           \
    X(CN_ERR_QUOTA, -14, CN_CLASS_LIMIT, "the repo has reached its quota")                         \
    X(CN_ERR_CORRUPT, -15, CN_CLASS_LOCAL, "stored data is damaged")                               \
    X(CN_ERR_HASH_MISMATCH, -16, CN_CLASS_PEER, "the bytes do not match their hash")               \
    X(CN_ERR_EXISTS, -17, CN_CLASS_USAGE, "exists already")                                        \
    X(CN_ERR_WRONG_TYPE, -18, CN_CLASS_USAGE, "not of the kind that is needed here")               \
    X(CN_ERR_UNSUPPORTED, -19, CN_CLASS_USAGE, "not supported")                                    \
    X(CN_ERR_USAGE, -20, CN_CLASS_USAGE, "wrong use")                                              \
    X(CN_ERR_PERMISSION, -21, CN_CLASS_LOCAL, "permission denied")                                 \
    X(CN_ERR_BUG, -22, CN_CLASS_BUG, "a mistake of this program")                                  \
    X(CN_ERR_FILES, -23, CN_CLASS_LOCAL, "too many open files (ulimit -n says how many may be)")

typedef enum cn_err {
#define CN_ERR_ENUM(name, value, class, sentence) name = value,
    CN_ERR_LIST(CN_ERR_ENUM)
#undef CN_ERR_ENUM
} cn_err;

/* Assign `expression` to the local `err` and jump to the local label `out` unless it is CN_OK. */
#define CN_TRY(expression)                                                                         \
    do {                                                                                           \
        err = (expression);                                                                        \
        if (err != CN_OK) {                                                                        \
            goto out;                                                                              \
        }                                                                                          \
    } while (0)

/* The name of an error ("CN_ERR_IO"), its sentence and its class. Any value is accepted. */
const char *cn_err_name(cn_err err);
const char *cn_err_sentence(cn_err err);
cn_err_class cn_err_class_of(cn_err err);
