/*
 * What the files of a call share.
 */
#pragma once

#include "cmd/call.h"

enum {
    CN_CALL_LINE_MAX = 1 << 20,
    CN_CALL_VALUE_MAX = 1 << 28,
    CN_CALL_SENTENCE_MAX = 1 << 16,
};

struct cn_call {
    cn_call_host *host;
    cn_call_parts parts;
    cn_time deadline;
    cn_why why;
    /* what failed */
    bool said;
    cn_buf sentence;
    int code;
    int status;
    /* output */
    cn_encoding encoding;
    cn_sink_head head;
    bool begun;
    bool ended;
    cn_buf value;
    /* lines of arguments */
    cn_buf line;
    size_t line_used; /* bytes at the front of `line` that were lent */
    bool input_done;
    size_t args_taken;
    /* --cid-base: 0 not looked at yet, 1 the usual, 2 `base` */
    int base_state;
    char base;
    int progress_state; /* 0 not looked at yet, 1 not wanted, 2 where it is usual, 3 asked for */
    void *state;
    struct cn_fetch *fetch; /* blocks of peers; NULL: not asked for yet, or from here alone */
    bool follows;
    int64_t stalled_ns;               /* without progress, when it was told last */
    void (*while_waiting)(void *ctx); /* NULL: nothing to do meanwhile */
    void *while_waiting_ctx;
};
