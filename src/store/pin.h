/*
 * cn_pins: which roots are pinned, how and under what name, and the root of the file tree (MFS).
 * None of it can be rebuilt, so it lies in a file of its own that is synced at each change: when a
 * call that changes something returns, the change survives a power cut. A pin is set only after
 * its blocks have been flushed.
 *
 * "Indirect" is not stored: it follows from walking the recursive ones.
 * Any thread. Cost of a change: two waits for the disk, however many operations it holds.
 */
#pragma once

#include "store/store.h"

enum { CN_PIN_NAME_MAX_BYTES = 255 };

typedef enum cn_pin_mode {
    CN_PIN_ANY = 0, /* in questions: whichever it is */
    CN_PIN_RECURSIVE = 1,
    CN_PIN_DIRECT = 2,
} cn_pin_mode;

typedef struct cn_pin {
    cn_cid cid;
    cn_pin_mode mode;
    uint8_t name_len;                     /* 0: no name */
    char name[CN_PIN_NAME_MAX_BYTES + 1]; /* with a NUL behind it */
} cn_pin;

typedef struct cn_pins cn_pins;

/*
 * Open the pins that lie beside the blocks of `s`, which must stay open longer. Errors: CORRUPT,
 * UNSUPPORTED (a newer format), NO_SPACE, IO, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_pins_open(cn_store *s, cn_pins **ret, cn_why *why);
/* Accepts NULL. */
void cn_pins_close(cn_pins *p);

/* One change: set a pin (replacing the one the CID has, of either mode) or remove it. */
typedef struct cn_pin_change {
    const cn_cid *cid;
    cn_pin_mode mode; /* to set; CN_PIN_ANY: remove whichever there is (none is not an error) */
    cn_slice name;    /* at most CN_PIN_NAME_MAX_BYTES */
} cn_pin_change;

/* Make all changes or none. Errors: TOO_LARGE (name), NO_SPACE, IO, NO_MEMORY. */
CN_MUST_USE cn_err cn_pins_apply(cn_pins *p, const cn_pin_change *changes, size_t len, cn_why *why);

/* Shorthands for one change. Remove: NOT_FOUND if it is not pinned in `mode` (ANY: at all). */
CN_MUST_USE cn_err
cn_pins_set(cn_pins *p, const cn_cid *cid, cn_pin_mode mode, cn_slice name, cn_why *why);
CN_MUST_USE cn_err cn_pins_remove(cn_pins *p, const cn_cid *cid, cn_pin_mode mode, cn_why *why);

/* The pin of exactly this CID, of `mode` or ANY. Errors: NOT_FOUND, CORRUPT, IO. */
CN_MUST_USE cn_err
cn_pins_get(cn_pins *p, const cn_cid *cid, cn_pin_mode mode, cn_pin *ret, cn_why *why);

/*
 * Visit the pins of `mode` (ANY: recursive ones, then direct ones) in the order of their CIDs'
 * bytes; one that comes or goes meanwhile may be seen or not. The pin is borrowed for the call.
 * `visit` may change pins and take as long as it likes: nothing is held.
 */
typedef cn_err (*cn_pins_visit)(void *ctx, const cn_pin *pin);
CN_MUST_USE cn_err
cn_pins_each(cn_pins *p, cn_pin_mode mode, cn_pins_visit visit, void *ctx, cn_why *why);

/*
 * Are all pins there as they were set? A pin lost to a damaged file would let a collection remove
 * what it keeps, so look before one. Errors: CORRUPT, IO, NO_MEMORY. Cost: reads all pins.
 */
CN_MUST_USE cn_err cn_pins_check(cn_pins *p, cn_why *why);

/* How many pins of `mode` there are; O(1). */
CN_MUST_USE cn_err cn_pins_count(cn_pins *p, cn_pin_mode mode, uint64_t *ret);

/* The MFS root. get: NOT_FOUND if none was ever set. set: durable on return. */
CN_MUST_USE cn_err cn_pins_root_get(cn_pins *p, cn_cid *ret, cn_why *why);
CN_MUST_USE cn_err cn_pins_root_set(cn_pins *p, const cn_cid *cid, cn_why *why);
