/*
 * Reading CAR archives: a byte core. Bytes go in as they arrive, in pieces of any size; roots and
 * blocks come out. CARv1, and CARv2 (its inner CARv1; the index is passed over). The hashes of
 * blocks are not checked here.
 *
 * spec: ipld carv1, carv2
 */
#pragma once

#include "base/buf.h"
#include "multiformats/cid.h"

enum {
    CN_CAR_HEADER_MAX_BYTES = 32 << 20,
    CN_CAR_ROOTS_MAX = 1 << 18,
};

typedef enum cn_car_kind {
    CN_CAR_MORE,   /* all bytes given are used; give more, or call cn_car_finish */
    CN_CAR_HEADER, /* version and roots are known */
    CN_CAR_BLOCK,  /* one block */
} cn_car_kind;

/* Slices are borrowed until the next call, or as long as the bytes given stay, whichever is less.
 */
typedef struct cn_car_event {
    cn_car_kind kind;
    cn_cid cid;
    cn_slice data;
} cn_car_event;

typedef struct cn_car {
    cn_mem *mem;
    size_t block_max_bytes;
    cn_buf held;       /* a section that has not arrived whole */
    bool held_is_lent; /* it has, and was handed out */
    unsigned state;
    unsigned version; /* 1 or 2, once the header is known */
    uint64_t section_bytes;
    unsigned prefix_bits;
    uint64_t position;  /* bytes used so far */
    uint64_t skip;      /* bytes to pass over before the next section */
    uint64_t inner_end; /* position where a CARv2's data ends */
    bool is_inner;
    cn_cid *roots;
    size_t roots_len;
    size_t roots_cap;
    cn_err failed;
} cn_car;

/* Blocks larger than `block_max_bytes` are TOO_LARGE. */
void cn_car_init(cn_car *c, cn_mem *mem, size_t block_max_bytes);
/* Accepts a zeroed reader. */
void cn_car_release(cn_car *c);

/*
 * Go on with the bytes at `*in`, moving it past what was used. Errors, after which all calls fail:
 * MALFORMED, TRUNCATED (a section ends inside a CID), TOO_LARGE, UNSUPPORTED (version), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_car_next(cn_car *c, cn_slice *in, cn_car_event *ret, cn_why *why);

/* No more bytes come. Errors: TRUNCATED if the archive ends inside a section or has no header. */
CN_MUST_USE cn_err cn_car_finish(cn_car *c, cn_why *why);
