/*
 * Values as commands emit them, and where the bytes go.
 */
#pragma once

#include "base/buf.h"

struct cn_call;

typedef enum cn_encoding {
    CN_ENC_TEXT,
    CN_ENC_JSON,
    CN_ENC_XML,    /* known by name; refused with a sentence */
    CN_ENC_TEXTNL, /* Kubo's, of use to nobody; answered as text */
} cn_encoding;

/*
 * How values of one kind are written. `json` appends one JSON value without a newline (use
 * codec/json_write.h); the newline behind each is added by the caller. `text` appends the whole
 * text, with its newlines; NULL: the command has no text form and JSON is used.
 */
typedef struct cn_output_type {
    const char *name; /* for docs: "pin.PinLsOutputWrapper" */
    cn_err (*json)(struct cn_call *call, cn_buf *out, const void *value);
    cn_err (*text)(struct cn_call *call, cn_buf *out, const void *value);
} cn_output_type;

typedef enum cn_sink_kind {
    CN_SINK_VALUES, /* a stream of values */
    CN_SINK_SINGLE, /* one value */
    CN_SINK_RAW,    /* bytes */
} cn_sink_kind;

/* What is known before the first byte. */
typedef struct cn_sink_head {
    cn_sink_kind kind;
    cn_encoding encoding;
    const char *content_type; /* NULL: the usual of kind and encoding */
    bool has_size;
    uint64_t size_bytes;
} cn_sink_head;

/* How a call ended. */
typedef struct cn_sink_end {
    cn_err err;
    const char *sentence; /* NULL if err is CN_OK */
    int code;             /* Kubo's: 0 normal, 1 client, 3 rate limited, 4 forbidden */
    int status;           /* exit status */
} cn_sink_end;

/* What a command is busy with, for who watches it. */
typedef enum cn_progress_kind {
    CN_PROGRESS_ADD,
    CN_PROGRESS_OUTPUT, /* the bytes of the answer itself */
    CN_PROGRESS_GET,
    CN_PROGRESS_CHECK,
    CN_PROGRESS_REMOVE,
} cn_progress_kind;

/* How far it is. */
typedef struct cn_sink_progress {
    cn_progress_kind kind;
    bool asked_for; /* by name, although nobody may sit before it */
    uint64_t done_bytes;
    uint64_t total_bytes; /* UINT64_MAX: not known */
} cn_sink_progress;

typedef struct cn_sink cn_sink;

typedef struct cn_sink_ops {
    /* Once, before the first write. A call without output may end without it. */
    cn_err (*begin)(cn_sink *s, const cn_sink_head *head);
    /* All of it, waiting while the reader is slow. CLOSED if the reader has gone. */
    cn_err (*write)(cn_sink *s, cn_slice bytes);
    /* A value is complete: the reader should see it soon. */
    cn_err (*flush)(cn_sink *s);
    /* Standard error of the command line; NULL over RPC. */
    void (*note)(cn_sink *s, cn_slice text);
    /* How far the work is; often called. NULL over RPC. */
    void (*progress)(cn_sink *s, const cn_sink_progress *at);
    /* Once, last: nothing is written after it. `begun` says whether `begin` was called. */
    void (*end)(cn_sink *s, const cn_sink_end *end, bool begun);
} cn_sink_ops;

/* Implementations put this first in their own struct. Used by one thread at a time. */
struct cn_sink {
    const cn_sink_ops *ops;
};
