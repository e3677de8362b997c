/*
 * Chunkers: where a file is cut into leaves. A chunker keeps no state between chunks; it is asked
 * for the length of the next one over a window of the bytes that come.
 *
 * Cut points are Kubo's, byte for byte, for size-N, rabin and buzhash.
 */
#pragma once

#include "base/slice.h"
#include "base/why.h"

enum {
    CN_CHUNK_DEFAULT_BYTES = 262144,
    CN_CHUNK_MAX_BYTES = (2 << 20) - 256, /* largest that may be asked for */
    CN_CHUNK_LEAF_MAX_BYTES = 2 << 20,    /* largest leaf that is made at all */
};

typedef enum cn_chunk_kind {
    CN_CHUNK_SIZE,
    CN_CHUNK_RABIN,
    CN_CHUNK_BUZHASH,
} cn_chunk_kind;

/* 4 KiB, because of the tables; hand it on by pointer. */
typedef struct cn_chunker {
    cn_chunk_kind kind;
    size_t min_bytes;
    size_t max_bytes;        /* no chunk is larger; SIZE: each but the last has this */
    uint64_t mask;           /* RABIN: cut where these bits of the fingerprint are 0 */
    uint64_t rabin_out[256]; /* RABIN: what a byte that leaves the window has added */
    uint64_t rabin_mod[256]; /* RABIN: reduces the 8 bits above the polynomial's degree */
} cn_chunker;

/*
 * Read a chunker's name: "size-N", "rabin", "rabin-AVG", "rabin-MIN-AVG-MAX", "buzhash"; "" and
 * "default" are size-262144. Errors: USAGE; `why` has Kubo's sentence.
 */
CN_MUST_USE cn_err cn_chunker_parse(cn_slice text, cn_chunker *ret, cn_why *why);

/*
 * The length of the chunk that `window` begins with: 1 to max_bytes. The window holds at least
 * max_bytes, or all that is left of the file (1 byte or more). Cost: the bytes of the chunk; SIZE:
 * none.
 */
size_t cn_chunker_next(const cn_chunker *c, cn_slice window);
