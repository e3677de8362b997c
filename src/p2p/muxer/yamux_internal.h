/*
 * What the files of yamux share. yamux.c: life of the muxer and its streams, what the user asks;
 * yamux_in.c: frames that come; yamux_out.c: frames that go.
 */
#pragma once

#include "base/map.h"
#include "p2p/muxer/yamux.h"

enum {
    CN_YAMUX_DATA = 0,
    CN_YAMUX_WINDOW = 1,
    CN_YAMUX_PING = 2,
    CN_YAMUX_GO_AWAY = 3,

    CN_YAMUX_SYN = 1,
    CN_YAMUX_ACK = 2,
    CN_YAMUX_FIN = 4,
    CN_YAMUX_RST = 8,

    CN_YAMUX_PULL_HEADERS = 16,        /* data frames of one pull */
    CN_YAMUX_RECENT = 64,              /* numbers that may come out of order */
    CN_YAMUX_CONTROL_MAX_BYTES = 6144, /* frames without data that wait; 512 of them */
    CN_YAMUX_PROTOCOL_ERROR = 1,       /* go-away code */
    CN_YAMUX_SMALL_BYTES = 512,        /* a frame with less data is work without worth */
    CN_YAMUX_OPEN_WORK = 4,
    CN_YAMUX_LOST_BYTES = 1024, /* data of a stream that is gone, for 1 of work */
};

/* Bytes of one write, on their way out. */
typedef struct yamux_chunk {
    struct yamux_chunk *next;
    cn_buf bytes;
    size_t sent;
} yamux_chunk;

typedef struct yamux_stream {
    struct yamux_stream *next_ready; /* in the ring of those with something to send */
    struct yamux_stream *next_told;  /* in the list of those to be told WRITABLE */
    yamux_chunk *first;              /* waiting to be sent */
    yamux_chunk *last;
    size_t queued_bytes;
    uint64_t send_window; /* bytes the other side will take */
    uint64_t recv_window; /* bytes it may still send */
    uint64_t window;      /* size of our window: what recv_window is filled up to */
    uint64_t unconsumed;  /* bytes delivered and not yet dealt with */
    cn_time window_began; /* when it was last filled; 0: no data yet */
    uint32_t no;
    uint32_t grant; /* window update that is due */
    uint16_t flags; /* SYN, ACK: due with the next frame */
    bool is_ours;
    bool is_acked;     /* ours: answered */
    bool is_fin_asked; /* our direction ends behind what is queued */
    bool is_fin_sent;
    bool is_fin_received;
    bool is_ready;   /* in the ring */
    bool wants_room; /* room said 0 */
    bool is_told;    /* in the list */
} yamux_stream;

typedef struct yamux {
    cn_muxer muxer;
    cn_muxer_options options;
    cn_map streams; /* number to yamux_stream */
    size_t streams_in;
    size_t streams_out;
    size_t unacked;
    uint32_t next_no;   /* of a stream of ours; 0: used up */
    uint32_t last_in;   /* highest number the other side has opened */
    uint64_t recent_in; /* bit k: the k-th before it was opened too */
    uint64_t work;      /* see cn_muxer_work */
    yamux_stream *ready_first;
    yamux_stream *ready_last;
    yamux_stream *told_first;
    yamux_stream *told_last;
    size_t held_bytes; /* queued, as allocated */

    /* in: the frame being read */
    uint8_t header[CN_YAMUX_HEADER_BYTES];
    size_t header_len;
    uint32_t frame_no;
    uint32_t frame_left; /* bytes of data still to come */
    uint16_t frame_flags;
    bool in_frame;      /* of data, header read */
    bool is_opened_due; /* OPENED must be told before anything else of the frame */

    /* out */
    cn_buf control;     /* frames without data, in order */
    cn_buf control_out; /* lent by the last pull */
    yamux_chunk *spent; /* to be freed by pulled */
    uint8_t headers[CN_YAMUX_PULL_HEADERS][CN_YAMUX_HEADER_BYTES];

    /* ping */
    cn_time ping_at; /* next one, or when its sending or the answer is overdue */
    cn_time ping_sent;
    uint32_t ping_value;
    bool is_ping_due; /* to be written by the next pull */
    bool is_ping_out;
    bool is_rtt_due; /* to be told */
    int64_t rtt_ns;

    bool is_ended; /* we have said go-away, or the other side has */
} yamux;

yamux_stream *cn_yamux_find(const yamux *y, uint32_t no);
/* A new stream, in the table. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_yamux_add(yamux *y, uint32_t no, bool is_ours, yamux_stream **ret);
/* Drop it and all it holds. */
void cn_yamux_drop(yamux *y, yamux_stream *s);
/* Gone if both directions have ended and nothing is due. */
void cn_yamux_drop_if_over(yamux *y, yamux_stream *s);
/* It has something to send: give it a turn. */
void cn_yamux_ready(yamux *y, yamux_stream *s);
/* Queued bytes have gone. */
void cn_yamux_unhold(yamux *y, size_t bytes);
/* Room has come back: tell, if it was asked for. */
void cn_yamux_tell_room(yamux *y, yamux_stream *s);
/* Queue a frame without data. Errors: TOO_LARGE (the other side makes us answer too much). */
CN_MUST_USE cn_err
cn_yamux_control(yamux *y, unsigned type, unsigned flags, uint32_t no, uint32_t value);
void cn_yamux_put_header(uint8_t *to, unsigned type, unsigned flags, uint32_t no, uint32_t value);

cn_err cn_yamux_next(
    cn_muxer *m, cn_slice *in, cn_time now, cn_mux_event *ret, bool *ret_have, cn_why *why);
size_t cn_yamux_pull(
    cn_muxer *m,
    size_t max_bytes,
    cn_slice *parts,
    size_t parts_max,
    size_t *ret_parts,
    cn_time now);
void cn_yamux_pulled(cn_muxer *m);
void cn_yamux_consumed(cn_muxer *m, cn_stream_no no, size_t bytes, cn_time now);
