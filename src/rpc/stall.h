/*
 * What calls that wait for peers have to say to those who wait for the calls. A client names its
 * call by a header, and when nothing has come for long it asks for the report of that name: in the
 * answer itself there is no place for it.
 */
#pragma once

#include "base/buf.h"
#include "rt/lock.h"

#define CN_STALL_HEADER "X-Cairn-Call"
#define CN_STALL_PATH "/cairn/waiting" /* POST, with the header */

enum { CN_STALL_NAME_BYTES = 32, CN_STALL_REPORT_MAX_BYTES = 64 << 10 };

typedef struct cn_stall cn_stall;

typedef struct cn_stalls {
    cn_lock *lock;
    cn_stall *first;
} cn_stalls;

/* One call; a part of whatever runs it. */
struct cn_stall {
    cn_stalls *list; /* NULL: not in any */
    cn_stall *next;
    cn_stall *prev;
    char name[CN_STALL_NAME_BYTES + 1];
    cn_buf report; /* said last, and not asked for yet */
};

CN_MUST_USE cn_err cn_stalls_init(cn_stalls *l, cn_mem *mem);
/* When no call runs any more. Accepts a zeroed one. */
void cn_stalls_release(cn_stalls *l);

/* A call of this name begins; without a name, or with a long one, nothing is kept. */
void cn_stall_begin(cn_stall *s, cn_stalls *l, cn_mem *mem, cn_slice name);
/* It has ended. Accepts a zeroed one. */
void cn_stall_end(cn_stall *s);
/* Any thread: this is to be told. */
void cn_stall_say(cn_stall *s, cn_slice report);
/* Any thread: append what the call of this name has to say, once. Errors: those of the buffer. */
CN_MUST_USE cn_err cn_stalls_take(cn_stalls *l, cn_slice name, cn_buf *out);
