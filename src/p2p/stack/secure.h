/*
 * cn_secure: one end of a secured channel, a core without I/O. A handshake that proves who the
 * other side is, then bytes sealed and opened. Noise and TLS implement it; transports use it and
 * know neither.
 *
 * A cn_security is the kind: its name on the wire and how to make an end.
 */
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "base/why.h"
#include "multiformats/key.h"
#include "multiformats/peerid.h"

typedef struct cn_secure cn_secure;
typedef struct cn_security cn_security;

enum {
    CN_SECURE_MUXERS_MAX = 4,
    CN_SECURE_NAME_MAX_BYTES = 64,
};

typedef struct cn_secure_options {
    cn_mem *mem;
    bool is_initiator;
    const cn_peer_id *expected; /* who must be there; NULL: whoever proves an identity */
    const char *const *muxers;  /* offered in the handshake, best first; borrowed for good */
    size_t muxers_len;          /* at most CN_SECURE_MUXERS_MAX; 0: not negotiated there */
} cn_secure_options;

typedef struct cn_secure_ops {
    cn_err (*begin)(cn_secure *s, cn_buf *out, cn_why *why);
    cn_err (*take)(
        cn_secure *s,
        uint8_t *wire,
        size_t len,
        size_t *ret_used,
        cn_slice *ret_plain,
        cn_buf *out,
        cn_why *why);
    cn_err (*seal)(cn_secure *s, const cn_slice *parts, size_t parts_len, cn_buf *out);
    cn_err (*finish)(cn_secure *s, cn_buf *out);
    void (*free)(cn_secure *s);
} cn_secure_ops;

/* Implementations put this first in their own struct. Readers may look at the fields. */
struct cn_secure {
    const cn_secure_ops *ops;
    bool is_established; /* the other side is known; what is sealed can be opened there */
    cn_peer_id peer;     /* set with is_established */
    cn_key *peer_key;    /* the same; owned by this end */
    const char *muxer;   /* chosen in the handshake, one of those offered; NULL: not negotiated */
};

struct cn_security {
    const char *protocol; /* "/noise", "/tls/1.0.0" */
    cn_err (*open)(
        cn_security *kind, const cn_secure_options *options, cn_secure **ret, cn_why *why);
    void (*free)(cn_security *kind);
};

/* Make one end. Errors: UNSUPPORTED (a library is missing), NO_MEMORY. Free with cn_secure_free. */
static inline CN_MUST_USE cn_err
cn_secure_open(cn_security *kind, const cn_secure_options *options, cn_secure **ret, cn_why *why)
{
    return kind->open(kind, options, ret, why);
}

/* Append what this end says first (nothing, for a responder). Call once, before take. */
static inline CN_MUST_USE cn_err cn_secure_begin(cn_secure *s, cn_buf *out, cn_why *why)
{
    return s->ops->begin(s, out, why);
}

/*
 * Take at most one record from the front of the `len` bytes at `wire`, which may be opened in
 * place. *ret_used 0: a record is not there whole, come again with more behind these (a record is
 * at most 65,537 bytes). *ret_plain: what it said, borrowed until the next call or until the
 * memory at `wire` changes; empty in the handshake. What must be answered is appended to `out`,
 * also when an error is returned (an alert).
 *
 * is_established changes in here. With TLS a client may be established and learn by the next
 * record that the other side refuses it: MALFORMED with a sentence that says so.
 * Errors, after which the connection must be closed: MALFORMED (handshake or record; why),
 * HASH_MISMATCH (another peer than expected; why names both), CLOSED (the other side ended
 * orderly), TOO_LARGE, NO_MEMORY.
 */
static inline CN_MUST_USE cn_err cn_secure_take(
    cn_secure *s,
    uint8_t *wire,
    size_t len,
    size_t *ret_used,
    cn_slice *ret_plain,
    cn_buf *out,
    cn_why *why)
{
    return s->ops->take(s, wire, len, ret_used, ret_plain, out, why);
}

/*
 * Append the parts, one after the other, sealed. Needs is_established (else USAGE). The parts are
 * read once; cost is the encryption. Errors: those of the buffer (then the channel is lost), USAGE.
 */
static inline CN_MUST_USE cn_err
cn_secure_seal(cn_secure *s, const cn_slice *parts, size_t parts_len, cn_buf *out)
{
    return s->ops->seal(s, parts, parts_len, out);
}

/* Append an orderly end, where the kind has one. */
static inline CN_MUST_USE cn_err cn_secure_finish(cn_secure *s, cn_buf *out)
{
    return s->ops->finish(s, out);
}

/* Wipes keys. Accepts NULL. */
static inline void cn_secure_free(cn_secure *s)
{
    if (s != NULL) {
        s->ops->free(s);
    }
}

/* For implementations: HASH_MISMATCH, with a sentence that names both. */
cn_err
cn_secure_wrong_peer(cn_mem *mem, const cn_peer_id *there, const cn_peer_id *expected, cn_why *why);
