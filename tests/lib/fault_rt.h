/*
 * fault_rt: an rt that passes everything on to another and fails what a test tells it to. It also
 * plays a power cut: what was written to a file since its last sync is kept, lost or torn.
 *
 * One test at a time; safe from the threads of the pool beneath.
 */
#pragma once

#include "rt/rt.h"

typedef enum fault_kind {
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_TRUNCATE,
    FAULT_RENAME,
    FAULT_UNLINK,
    FAULT_MKDIR,
    FAULT_DIR_SYNC,
    FAULT_OPEN,
    FAULT_ALLOCATE,
    FAULT_ANY,
    FAULT_KINDS,
} fault_kind;

const char *fault_name(fault_kind kind);

/* Wrap `inner`, which must stay. Nothing fails yet. Ends the program if out of memory. */
cn_rt *fault_rt_new(cn_rt *inner);
/* Accepts NULL. All files must have been closed. */
void fault_rt_free(cn_rt *rt);

/*
 * The n-th operation of `kind` from now (1: the next) fails with `err`; with `forever` all
 * operations after it too, whatever their kind: the machine is dead. n = 0: nothing fails.
 */
void fault_rt_set(cn_rt *rt, fault_kind kind, unsigned n, cn_err err, bool forever);
/* Has that operation come? */
bool fault_rt_fired(cn_rt *rt);

/* Writes that make files longer fail with NO_SPACE once `bytes` more were added; UINT64_MAX: none.
 * Truncating and unlinking give room back. */
void fault_rt_room(cn_rt *rt, uint64_t bytes);

/* Begin to remember what was synced, from a state of the folder that counts as synced. */
void fault_rt_remember(cn_rt *rt);
/*
 * The power is back: give each file that was written since fault_rt_remember the contents it may
 * have after a cut. By `seed`, each 4 KiB piece written since its last sync is kept or lost; a file
 * whose name was not synced may be missing. Nothing fails any more. All files must be closed.
 */
void fault_rt_power_cut(cn_rt *rt, uint64_t seed);
