/*
 * cn_muxer: many streams over one secured channel, a core without I/O. yamux implements it.
 *
 * Bytes come in through next, which lends events; bytes go out through pull, which lends parts to
 * be sealed and sent. A stream is a number that the muxer gave and never gives again.
 */
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "base/why.h"

typedef struct cn_muxer cn_muxer;
typedef struct cn_muxing cn_muxing;

typedef uint64_t cn_stream_no; /* QUIC's are 62 bits, yamux's 32; 0 names none in yamux */

typedef enum cn_mux_kind {
    CN_MUX_OPENED,   /* the other side opened `stream` */
    CN_MUX_DATA,     /* bytes of `stream`, borrowed until the next call on the muxer */
    CN_MUX_FIN,      /* the other side will send no more on `stream` */
    CN_MUX_RESET,    /* the other side gave up `stream`; it is gone. `code`, 0 if none */
    CN_MUX_WRITABLE, /* `stream` has room again after cn_muxer_room said 0 */
    CN_MUX_GONE,     /* the other side ends the connection; `code` */
    CN_MUX_RTT,      /* a ping came back: `rtt_ns` */
} cn_mux_kind;

typedef struct cn_mux_event {
    cn_mux_kind kind;
    cn_stream_no stream;
    cn_slice data;
    uint32_t code;
    int64_t rtt_ns;
} cn_mux_event;

typedef struct cn_muxer_options {
    cn_mem *mem;
    bool is_initiator;     /* who dialled: decides the numbers of streams */
    size_t streams_in_max; /* opened by the other side and alive; further ones are reset */
    size_t streams_out_max;
    size_t window_max_bytes;      /* ceiling of a stream's receive window; 16 MiB */
    size_t queued_max_bytes;      /* of one stream, waiting to be sent: room's bound */
    int64_t ping_interval_ns;     /* 30 s */
    int64_t ping_timeout_ns;      /* 10 s; then deadline passes and tick gives TIMEOUT */
    atomic_size_t *windows_bytes; /* nullable: sum of grown windows in the node */
    size_t windows_max_bytes;     /* its budget: windows do not grow beyond it */
    atomic_size_t *queued_bytes;  /* nullable: sum of what waits to be sent in the node */
    size_t queued_all_max_bytes;  /* above half of it streams have a sixteenth of their room, above
                                     all of it only those on which nothing waits */
} cn_muxer_options;

typedef struct cn_muxer_ops {
    cn_err (*next)(
        cn_muxer *m, cn_slice *in, cn_time now, cn_mux_event *ret, bool *ret_have, cn_why *why);
    cn_err (*open)(cn_muxer *m, cn_stream_no *ret);
    size_t (*room)(const cn_muxer *m, cn_stream_no stream);
    cn_err (*write)(cn_muxer *m, cn_stream_no stream, cn_buf *bytes);
    void (*consumed)(cn_muxer *m, cn_stream_no stream, size_t bytes, cn_time now);
    void (*close)(cn_muxer *m, cn_stream_no stream);
    void (*reset)(cn_muxer *m, cn_stream_no stream, uint32_t code);
    void (*end)(cn_muxer *m, uint32_t code);
    size_t (*pull)(
        cn_muxer *m,
        size_t max_bytes,
        cn_slice *parts,
        size_t parts_max,
        size_t *ret_parts,
        cn_time now);
    void (*pulled)(cn_muxer *m);
    cn_time (*deadline)(const cn_muxer *m);
    cn_err (*tick)(cn_muxer *m, cn_time now);
    size_t (*streams)(const cn_muxer *m);
    size_t (*held_bytes)(const cn_muxer *m);
    uint64_t (*work)(const cn_muxer *m);
    void (*free)(cn_muxer *m);
} cn_muxer_ops;

/* Implementations put this first in their own struct. */
struct cn_muxer {
    const cn_muxer_ops *ops;
};

/* The kind: its name on the wire and how to make one. */
struct cn_muxing {
    const char *protocol; /* "/yamux/1.0.0" */
    cn_err (*open)(const cn_muxer_options *options, cn_time now, cn_muxer **ret);
};

/*
 * Take from the front of `*in` up to the next event. *ret_have false: all of `*in` was used, come
 * again with more. Events that need no bytes (WRITABLE) are given with an empty `*in` as well.
 * Errors, after which the connection must be closed (what pull still gives says why to the other
 * side): MALFORMED (version, type, parity or reuse of a number, more data than the window; why),
 * NO_MEMORY.
 */
static inline CN_MUST_USE cn_err cn_muxer_next(
    cn_muxer *m, cn_slice *in, cn_time now, cn_mux_event *ret, bool *ret_have, cn_why *why)
{
    return m->ops->next(m, in, now, ret, ret_have, why);
}

/* A stream of our own; goes out with its first bytes. Errors: TOO_LARGE, CLOSED, NO_MEMORY. */
static inline CN_MUST_USE cn_err cn_muxer_open(cn_muxer *m, cn_stream_no *ret)
{
    return m->ops->open(m, ret);
}

/*
 * Bytes that may still be queued on `stream` (0: wait for WRITABLE). What waits for the other
 * side's window counts as queued.
 */
static inline size_t cn_muxer_room(const cn_muxer *m, cn_stream_no stream)
{
    return m->ops->room(m, stream);
}

/*
 * Queue bytes: the memory of `bytes` is taken as it is, without a copy, and `bytes` is left empty.
 * Room is advice; up to CN_BLOCK-sized messages beyond it are accepted. Errors: CLOSED (no such
 * stream, or our direction is closed), NO_MEMORY; then `bytes` is untouched.
 */
static inline CN_MUST_USE cn_err cn_muxer_write(cn_muxer *m, cn_stream_no stream, cn_buf *bytes)
{
    return m->ops->write(m, stream, bytes);
}

/* `bytes` of DATA on `stream` have been dealt with: the other side may send as many more. */
static inline void cn_muxer_consumed(cn_muxer *m, cn_stream_no stream, size_t bytes, cn_time now)
{
    m->ops->consumed(m, stream, bytes, now);
}

/* No more from us on `stream` behind what is queued; it is gone when both sides have ended. */
static inline void cn_muxer_close(cn_muxer *m, cn_stream_no stream)
{
    m->ops->close(m, stream);
}

/* Give up `stream`, both directions; queued bytes are dropped, late ones of the other ignored. */
static inline void cn_muxer_reset(cn_muxer *m, cn_stream_no stream, uint32_t code)
{
    m->ops->reset(m, stream, code);
}

/* Say that the connection ends (go-away). */
static inline void cn_muxer_end(cn_muxer *m, uint32_t code)
{
    m->ops->end(m, code);
}

/*
 * What goes out next: lends at most `parts_max` (2 or more) parts of together at most `max_bytes`
 * and returns their sum; 0: nothing now. Streams take turns; pings and windows go first. The parts
 * stay until cn_muxer_pulled, which must be called before the next pull.
 */
static inline size_t cn_muxer_pull(
    cn_muxer *m,
    size_t max_bytes,
    cn_slice *parts,
    size_t parts_max,
    size_t *ret_parts,
    cn_time now)
{
    return m->ops->pull(m, max_bytes, parts, parts_max, ret_parts, now);
}

static inline void cn_muxer_pulled(cn_muxer *m)
{
    m->ops->pulled(m);
}

/* When tick wants to be called; CN_TIME_NEVER: not. */
static inline cn_time cn_muxer_deadline(const cn_muxer *m)
{
    return m->ops->deadline(m);
}

/* Time has come. Errors: TIMEOUT (a ping was not answered: close the connection). */
static inline CN_MUST_USE cn_err cn_muxer_tick(cn_muxer *m, cn_time now)
{
    return m->ops->tick(m, now);
}

/* Streams alive, both ways; and bytes held for them beside the fixed part. */
static inline size_t cn_muxer_streams(const cn_muxer *m)
{
    return m->ops->streams(m);
}

static inline size_t cn_muxer_held_bytes(const cn_muxer *m)
{
    return m->ops->held_bytes(m);
}

/*
 * How much work the other side has made since the beginning beyond that of moving bytes: 1 for each
 * frame with less than 512 bytes of data, 4 more for each stream it opened, 1 for each KiB of a
 * stream that is gone.
 */
static inline uint64_t cn_muxer_work(const cn_muxer *m)
{
    return m->ops->work(m);
}

/* Accepts NULL. */
static inline void cn_muxer_free(cn_muxer *m)
{
    if (m != NULL) {
        m->ops->free(m);
    }
}
