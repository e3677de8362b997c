/*
 * Emitter: names the nodes that an import makes (not the leaves, which come in batches of their
 * own), gathers them, and hands them to the sink in order.
 */
#pragma once

#include "unixfs/import.h"

typedef struct cn_emit_pending cn_emit_pending;

typedef struct cn_emit {
    cn_mem *mem;
    const cn_import_options *options;
    cn_import_sink *sink; /* NULL: nothing is kept, only hashed */
    cn_buf held;          /* bytes of the nodes gathered */
    cn_emit_pending *pending;
    size_t pending_len;
} cn_emit;

/* All but `sink` must outlive the emitter. Takes no memory until a node comes. */
void cn_emit_init(cn_emit *e, cn_mem *mem, const cn_import_options *options, cn_import_sink *sink);
/* Nodes not yet handed on are dropped. Accepts a zeroed emitter. */
void cn_emit_release(cn_emit *e);

/*
 * Name a dag-pb node and gather it; `block` is copied. Hands the gathered ones on when there are
 * many. Errors: the sink's, NO_MEMORY, those of cn_import_cid.
 */
CN_MUST_USE cn_err cn_emit_node(cn_emit *e, cn_slice block, cn_cid *ret, cn_why *why);

/* Hand on what is gathered. Errors: the sink's. */
CN_MUST_USE cn_err cn_emit_flush(cn_emit *e, cn_why *why);
