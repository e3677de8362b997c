/*
 * cairn's C API: version, results, and what is common to all calls that may wait.
 *
 * Not frozen yet: CAIRN_API_VERSION counts changes that break callers. All objects are opaque.
 * Every options struct begins with its own size, so that it can grow: set it by CAIRN_INIT. A
 * program built against an older header goes on working: what its struct lacks counts as zero.
 *
 * Any number of threads may use one repo at once; a reader belongs to one thread at a time. Out
 * arguments (ret...) are untouched on failure. A NULL where none may be is CAIRN_ERROR_USE, never a
 * crash. Texts are UTF-8 and end in NUL; paths of the disk are bytes as the system takes them.
 */
#ifndef CAIRN_BASE_H
#define CAIRN_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_API __attribute__((visibility("default")))
#define CAIRN_API_VERSION 2

/* CAIRN_API_VERSION of the library that runs, to be held against that of the header. */
CAIRN_API unsigned cairn_api_version(void);
/* The version of the library that runs: "0.1.0". Never freed. */
CAIRN_API const char *cairn_version(void);

/* What a call gives: 0, or one of these. */
typedef enum cairn_result {
    CAIRN_OK = 0,
    CAIRN_ERROR_MEMORY = -1,    /* out of memory */
    CAIRN_ERROR_INPUT = -2,     /* what was given cannot be read: a path, a CID, a block */
    CAIRN_ERROR_NOT_FOUND = -3, /* not in the repo, or no such name in a directory */
    CAIRN_ERROR_TIMEOUT = -4,   /* the deadline passed */
    CAIRN_ERROR_CANCELLED = -5, /* cairn_cancel was called */
    CAIRN_ERROR_BUSY = -6,      /* another process holds the repo */
    CAIRN_ERROR_DISK = -7,      /* reading, writing, no space, quota, damage */
    CAIRN_ERROR_USE = -8,       /* this cannot be asked for; see the message */
    CAIRN_ERROR_BUG = -9        /* a mistake of the library */
} cairn_result;

/*
 * A sentence about what went wrong, where, and what to do; empty after CAIRN_OK. Every call that
 * may fail takes one, nullable.
 */
typedef struct cairn_message {
    char text[1024];
} cairn_message;

/*
 * A handle by which one thread ends what another waits for. One handle may serve many calls, one
 * after the other or at once; once cancelled it stays so.
 */
typedef struct cairn_cancel cairn_cancel;

/* A handle, not cancelled; give it back by cairn_cancel_free. NULL if out of memory. */
CAIRN_API cairn_cancel *cairn_cancel_new(void);
/*
 * End all calls that were given this handle, now and later, with CAIRN_ERROR_CANCELLED. Returns at
 * once; the calls end soon after, at their next step. From any thread. Accepts NULL.
 */
CAIRN_API void cairn_cancel_now(cairn_cancel *c);
/* No call may be using it any more. Accepts NULL. */
CAIRN_API void cairn_cancel_free(cairn_cancel *c);

/*
 * How long a call may take. Pass NULL for: no limit, no handle. Copied.
 */
typedef struct cairn_wait {
    size_t struct_size;
    int64_t timeout_ns;   /* from the start of the call; 0: no limit; less: CAIRN_ERROR_USE */
    cairn_cancel *cancel; /* nullable; must outlive the call, and the reader that it opened */
} cairn_wait;

/* An options struct with its size set and all else zero: cairn_wait w = CAIRN_INIT(cairn_wait); */
#ifdef __cplusplus
#define CAIRN_INIT(type)                                                                           \
    ([] {                                                                                          \
        type init_ = type();                                                                       \
        init_.struct_size = sizeof(type);                                                          \
        return init_;                                                                              \
    }())
#else
#define CAIRN_INIT(type) ((type){.struct_size = sizeof(type)})
#endif

#ifdef __cplusplus
}
#endif

#endif
