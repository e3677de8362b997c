/*
 * Bitswap messages on the wire: wantlist entries, what a peer has or has not, and blocks. Reading
 * lends everything from the message's own bytes. Writing makes the message's front only: the last,
 * large block is named in it, and its bytes go to the wire from where they are.
 * spec: ipfs/bitswap-protocol 'wire format' 1.0.0 to 1.2.0
 */
#pragma once

#include "base/why.h"
#include "multiformats/cid.h"

enum {
    CN_MESSAGE_MAX_BYTES = 4 << 20,  /* of a message, without its length prefix */
    CN_MESSAGE_CID_MAX_BYTES = 168,  /* entries for longer CIDs are passed over, as peers do */
    CN_MESSAGE_PREFIX_MAX_BYTES = 4, /* length prefix of a message that is within the limit */
    CN_MESSAGE_HEAD_MAX_BYTES = 64,  /* what cn_message_put_block_head appends at most */
};

typedef enum cn_message_kind {
    CN_MESSAGE_WANT,
    CN_MESSAGE_PRESENCE,
    CN_MESSAGE_BLOCK,
} cn_message_kind;

/* One thing said. Slices are borrowed from the message. */
typedef struct cn_message_item {
    cn_message_kind kind;
    cn_cid cid;          /* WANT, PRESENCE */
    int32_t priority;    /* WANT: larger is more urgent */
    bool is_cancel;      /* WANT: not wanted any more */
    bool is_have;        /* WANT: tell whether you have it; PRESENCE: it does */
    bool send_dont_have; /* WANT: tell if you have not */
    cn_slice prefix;     /* BLOCK: CID without the digest; empty in version 1.0.0 (a v0 CID) */
    cn_slice data;       /* BLOCK */
} cn_message_item;

/* A message that has been checked whole. */
typedef struct cn_message {
    cn_slice bytes;
    bool is_full; /* its wants replace those told before */
    size_t wants; /* items of each kind */
    size_t presences;
    size_t blocks;
    size_t block_bytes; /* data of the blocks together */
} cn_message;

/*
 * Check a message (without its length prefix) from its first to its last byte. Errors: TRUNCATED,
 * MALFORMED, TOO_LARGE (message, or a block above CN_BLOCK_MAX_BYTES), each with a sentence.
 */
CN_MUST_USE cn_err cn_message_decode(cn_slice bytes, cn_message *ret, cn_why *why);

/* Where a reading stands. */
typedef struct cn_message_iter {
    cn_slice rest;
    cn_slice entries; /* of the wantlist that is being read */
} cn_message_iter;

static inline cn_message_iter cn_message_items(const cn_message *m)
{
    return (cn_message_iter){.rest = m->bytes};
}

/* The next item of a message that was checked, in the order of its bytes; false: no more. */
bool cn_message_next(cn_message_iter *it, cn_message_item *ret);

/* How the CID of a block is made: with the hash of its data. */
typedef struct cn_message_prefix {
    unsigned version;
    uint64_t codec;
    uint64_t hash;
    size_t digest_bytes;
} cn_message_prefix;

/* An empty prefix is that of a version 0 CID. Errors: MALFORMED, TRUNCATED, TOO_LARGE. */
CN_MUST_USE cn_err cn_message_prefix_decode(cn_slice prefix, cn_message_prefix *ret);

/* --- writing: items are appended to bodies, in any order; errors are those of the buffer --- */

/* An entry of the wantlist, to `entries`. */
CN_MUST_USE cn_err cn_message_put_want(
    cn_buf *entries, const cn_cid *cid, int32_t priority, bool is_have, bool send_dont_have);
CN_MUST_USE cn_err cn_message_put_cancel(cn_buf *entries, const cn_cid *cid);

/* Entries as a wantlist, to `body`. Once in a message. */
CN_MUST_USE cn_err cn_message_put_wantlist(cn_buf *body, cn_slice entries, bool is_full);
CN_MUST_USE cn_err cn_message_put_presence(cn_buf *body, const cn_cid *cid, bool has);
/*
 * All of a block's field but its `len` bytes of data, which must follow. `is_bare`: as version
 * 1.0.0 has it, without a prefix.
 */
CN_MUST_USE cn_err
cn_message_put_block_head(cn_buf *body, const cn_cid *cid, size_t len, bool is_bare);
/* The length prefix of a message of `len` bytes: to `out`, which goes before the body. */
CN_MUST_USE cn_err cn_message_put_length(cn_buf *out, size_t len);
