/*
 * cn_add: a tree of files and folders becomes blocks. Reads from a source, hashes on the workers,
 * gives blocks to a sink and says what was made, in the order in which Kubo says it: files and
 * symlinks as they are walked, then, for each top-level path, its folders, inner ones first.
 *
 * Memory: a ring of buffers of a few MiB (add_internal.h), whatever the size of files, plus the
 * entries of the folders that are open and a line for each folder done.
 */
#pragma once

#include "rt/rt.h"
#include "rt/source.h"
#include "unixfs/import.h"

/* Something added. Borrowed for the call. */
typedef struct cn_add_event {
    cn_slice path; /* from the top-level name on, "dir/file"; empty for the wrapping folder;
                      the CID's text for an unnamed file */
    const cn_cid *cid;
    uint64_t size_bytes; /* of all its blocks, with repetition: Kubo's "Size" */
    bool is_dir;
    bool is_root; /* a top-level path itself, or the wrapping folder: what is to be pinned */
    const cn_source_entry *top; /* kind, mode and mtime of the top-level path it belongs to; NULL
                                   when all are wrapped */
} cn_add_event;

typedef struct cn_add_observer cn_add_observer;
struct cn_add_observer {
    /* Something was added. An error stops the import and is returned. */
    cn_err (*added)(cn_add_observer *o, const cn_add_event *event, cn_why *why);
    /* `file_bytes` of the file at `path` are done, called once a leaf. Nullable. */
    cn_err (*progress)(cn_add_observer *o, cn_slice path, uint64_t file_bytes, cn_why *why);
};

typedef struct cn_add_request {
    cn_rt *rt;
    cn_mem *mem;
    cn_source *source;
    const cn_import_options *options; /* settled */
    cn_import_sink *sink;             /* NULL: only hash */
    cn_add_observer *observer;        /* nullable */
    bool wrap;                        /* put all top-level paths into one folder */
    bool skip_empty_dirs;             /* leave out empty folders, but for top-level ones */
} cn_add_request;

/*
 * Import all of the source. *ret_root is the last root made. All blocks have been given to the sink
 * when this returns; making them durable is the caller's.
 * Errors: the source's, sink's and observer's; NOT_FOUND (the source had nothing), EXISTS (a name
 * twice in a folder), TOO_DEEP (folders nested over 1024), TOO_LARGE, NO_MEMORY.
 */
CN_MUST_USE cn_err cn_add(const cn_add_request *request, cn_cid *ret_root, cn_why *why);
