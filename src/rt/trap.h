/*
 * cn_trap: what shall happen if a library that works on a file of ours reads through a bad
 * pointer, because the file holds garbage that it trusts. The thread says which file it works on;
 * the program's fault handler (cli/signals.c) sets the file aside and ends with one sentence
 * instead of a crash. A program without such a handler crashes as it would have.
 */
#pragma once

#include "base/macros.h"

enum { CN_TRAPS_MAX = 4, CN_TRAP_PATH_BYTES = 4096 };

typedef struct cn_trap {
    char path[CN_TRAP_PATH_BYTES];
    char aside[CN_TRAP_PATH_BYTES]; /* renamed to this, so that the next start makes it anew;
                                        "": left where it is */
} cn_trap;

/*
 * A trap for the file `path`; `aside` may be NULL. They lie in static memory, which garbage that
 * overruns the heap does not reach. NULL if all are in use or a path is too long: then there is no
 * protection. Give back with cn_trap_free (accepts NULL).
 */
cn_trap *cn_trap_new(const char *path, const char *aside);
void cn_trap_free(cn_trap *trap);

/* From now on this thread works on `trap`'s file; NULL: on none. Borrowed until the next call. */
void cn_trap_set(const cn_trap *trap);

/* What this thread works on, or NULL. May be called in a signal handler. */
const cn_trap *cn_trap_now(void);

/* Does not return, or is not there: how the program ends when such a file has been found out. */
typedef void (*cn_trap_end)(const cn_trap *trap);
void cn_trap_set_end(cn_trap_end end);
/* This thread's file is known to be bad in a way that its library does not survive. */
void cn_trap_fault(void);
