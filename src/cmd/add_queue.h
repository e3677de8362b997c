/*
 * What `add` has made and not yet told. A root's line may be printed only when its blocks and its
 * pin are on the disk; two waits for the disk for each of many small roots would be most of the
 * time. So roots wait here, and a whole group becomes durable at once; then their lines are
 * printed, in the order in which things were made.
 *
 * A group ends when it is full, when it is old, or when cn_add_queue_settle is called.
 */
#pragma once

#include "cmd/add_internal.h"
#include "store/pin.h"

enum {
    CN_ADD_QUEUE_LINES = 1024,
    CN_ADD_QUEUE_TEXT_BYTES = 2 << 20, /* of paths; one path is at most half of it */
    CN_ADD_QUEUE_AGE_MS = 100,
};

typedef struct cn_add_waiting cn_add_waiting;

typedef struct cn_add_queue {
    cn_call *call;
    cn_store *store;
    cn_pins *pins; /* NULL: nothing is pinned, so nothing waits */
    cn_slice pin_name;
    cn_add_waiting *list; /* CN_ADD_QUEUE_LINES, taken with the first root */
    cn_pin_change *changes;
    size_t len;
    cn_buf text; /* the paths of `list`, one behind the other */
    cn_time due; /* when the group is old */
} cn_add_queue;

/*
 * Borrows all; `pins` and `pin_name` as in the struct. Takes no memory yet. Release gives back
 * memory and drops what still waits.
 */
void cn_add_queue_init(
    cn_add_queue *q, cn_call *call, cn_store *store, cn_pins *pins, cn_slice pin_name);
void cn_add_queue_release(cn_add_queue *q);

/*
 * Something was added. A root is pinned with its group; `shown` says whether its line is printed.
 * What is no root is printed at once if nothing waits before it. Errors: as settle, NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_add_queue_put(cn_add_queue *q, const cn_add_event *event, bool shown, cn_why *why);
/* How far a file is. Over RPC it is told behind what waits. Errors: as put. */
CN_MUST_USE cn_err
cn_add_queue_progress(cn_add_queue *q, cn_slice path, uint64_t file_bytes, cn_why *why);
/* Settle if the group is old: for moments when nothing is told. Errors: as settle. */
CN_MUST_USE cn_err cn_add_queue_tick(cn_add_queue *q, cn_why *why);
/*
 * Make what waits durable, then print it. If that fails nothing of the group is printed, and it is
 * dropped. Errors: those of cn_store_flush, cn_pins_apply and cn_add_say.
 */
CN_MUST_USE cn_err cn_add_queue_settle(cn_add_queue *q, cn_why *why);
