/*
 * yamux: many streams over one ordered channel, as a cn_muxer. What it does beyond the frames:
 * receive windows grow from 256 KiB with bandwidth x delay up to a ceiling and a budget of the
 * node; streams take turns in sending; what waits is never copied.
 * spec: libp2p/yamux
 */
#pragma once

#include "p2p/stack/muxer.h"

enum {
    CN_YAMUX_HEADER_BYTES = 12,
    CN_YAMUX_WINDOW_BYTES = 256 << 10, /* every stream's first window; not negotiable */
    CN_YAMUX_FRAME_MAX_BYTES = 65507,  /* of data; with its header it fills one Noise frame */
    CN_YAMUX_UNACKED_MAX = 256,        /* streams opened that the other side has not answered */
};

/* "/yamux/1.0.0". */
extern const cn_muxing cn_yamux;
