/*
 * cn_protocol: what speaks on streams. The host negotiates names, counts and bounds, and hands the
 * streams over; identify, ping, bitswap and the DHT are protocols and know no transport.
 *
 * A stream is named by a cn_id that finds nothing once the stream is gone. Handlers run on the
 * loop's thread, one event at a time, and may call any function of host.h but those marked.
 */
#pragma once

#include "base/buf.h"
#include "base/id.h"
#include "base/time.h"
#include "base/why.h"
#include "multiformats/peerid.h"

typedef struct cn_protocol cn_protocol;

typedef enum cn_stream_end {
    CN_STREAM_FIN,     /* the other side sends no more; we still may */
    CN_STREAM_RESET,   /* given up by the other side, or the connection is gone; the id is dead */
    CN_STREAM_REFUSED, /* ours: none of the names is spoken there; the id is dead */
} cn_stream_end;

typedef struct cn_protocol_ops {
    cn_err (*opened)(cn_protocol *p, cn_id stream, const cn_peer_id *peer, const char *name);
    cn_err (*data)(cn_protocol *p, cn_id stream, cn_slice bytes);
    void (*ended)(cn_protocol *p, cn_id stream, cn_stream_end how, const char *sentence);
    void (*writable)(cn_protocol *p, cn_id stream);
    void (*peer_up)(cn_protocol *p, const cn_peer_id *peer);
    void (*peer_down)(cn_protocol *p, const cn_peer_id *peer);
    void (*identified)(cn_protocol *p, const cn_peer_id *peer);
    cn_time (*deadline)(const cn_protocol *p);
    void (*tick)(cn_protocol *p, cn_time now);
    void (*woken)(cn_protocol *p);
} cn_protocol_ops;

/*
 * Implementations put this first in their own struct. Any op may be NULL but opened, data, ended.
 *
 *   opened      a stream is agreed on: inbound, or ours after cn_host_stream. An error refuses it
 *               (it is reset).
 *   data        bytes, borrowed for the call; all must be dealt with or kept in own, bounded
 *               memory. They count against the other side's window until cn_host_consumed.
 *               An error resets the stream; `ended` does not follow.
 *   ended       see cn_stream_end.
 *   writable    room again after cn_host_room said 0.
 *   peer_up     the first connection to a peer stands; peer_down: the last one is gone.
 *   identified  what it speaks is known: cn_host_speaks answers.
 *   deadline, tick  as for every core.
 *   woken       cn_net_wake rang: look into mailboxes filled by other threads.
 */
struct cn_protocol {
    const cn_protocol_ops *ops;
    const char *const *names; /* on the wire, best first; lasting; may be empty (client only) */
    size_t names_len;
    size_t streams_in_per_peer_max; /* inbound, beyond which they are reset */
    size_t streams_in_max;          /* of all peers */
    cn_id self;                     /* set by cn_host_serve */
};
