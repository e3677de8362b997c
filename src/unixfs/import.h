/*
 * Import: how files and folders become blocks. The options, where blocks go, and how a block gets
 * its CID. cn_add (unixfs/add.h) does a whole tree; layout.h and dir.h are its parts.
 *
 * Each option gives the same CIDs as Kubo's of the same name.
 */
#pragma once

#include "multiformats/cid.h"
#include "unixfs/chunk.h"
#include "unixfs/data.h"

enum {
    CN_IMPORT_INLINE_MAX_BYTES = 128, /* bound of inline_limit_bytes (IPIP-0512) */
    CN_IMPORT_FANOUT_MIN = 8,
    CN_IMPORT_FANOUT_MAX = 1024,
};

typedef enum cn_import_layout {
    CN_LAYOUT_BALANCED,
    CN_LAYOUT_TRICKLE,
} cn_import_layout;

/* How the size of a directory is measured against hamt_threshold_bytes. */
typedef enum cn_import_estimate {
    CN_ESTIMATE_LINKS,    /* lengths of names and CIDs */
    CN_ESTIMATE_BLOCK,    /* the exact block */
    CN_ESTIMATE_DISABLED, /* not at all: only dir_links_max counts */
} cn_import_estimate;

typedef enum cn_import_choice {
    CN_CHOICE_UNSET,
    CN_CHOICE_NO,
    CN_CHOICE_YES,
} cn_import_choice;

typedef struct cn_import_options {
    int cid_version;             /* 0, 1; -1: not said */
    uint64_t hash;               /* multihash code */
    cn_import_choice raw_leaves; /* UNSET: NO for version 0, YES for version 1 */
    cn_import_layout layout;
    cn_import_estimate estimate;
    size_t file_links_max;         /* links of a file node; less than 2: files of one chunk only */
    size_t dir_links_max;          /* links of a plain directory; 0: any number */
    unsigned hamt_fanout;          /* power of two, 8 to 1024 */
    uint64_t hamt_threshold_bytes; /* a directory larger than this becomes a HAMT; 0: none does */
    bool inline_blocks;            /* blocks of at most inline_limit_bytes go into their CID */
    size_t inline_limit_bytes;
    bool preserve_mode; /* write the source's mode, mtime */
    bool preserve_mtime;
    bool has_mode; /* write these instead, for each entry */
    bool has_mtime;
    uint32_t mode;
    int64_t mtime_s;
    uint32_t mtime_ns;
    cn_chunker chunker;
} cn_import_options;

/* Kubo's defaults: version 0, sha2-256, size-262144, balanced, 174 links, HAMT over 256 KiB. */
void cn_import_options_init(cn_import_options *o);

/*
 * Settle what was not said and check the whole: a hash other than sha2-256 means version 1; version
 * 1 means raw leaves; mode or mtime mean none. Errors: USAGE, UNSUPPORTED (hash); `why` has Kubo's
 * sentence.
 */
CN_MUST_USE cn_err cn_import_options_settle(cn_import_options *o, cn_why *why);

/* The CID of a block under settled options. Errors: those of cn_multihash_sum. Any thread. */
CN_MUST_USE cn_err
cn_import_cid(const cn_import_options *o, uint64_t codec, cn_slice block, cn_cid *ret);

/* A block made: its name and its bytes. */
typedef struct cn_import_block {
    const cn_cid *cid;
    cn_slice data;
} cn_import_block;

/*
 * Where blocks go, a batch at a time, children before what links to them. Slices and CIDs stay for
 * the call. Identity CIDs do not come here. The same block may come more than once.
 */
typedef struct cn_import_sink cn_import_sink;
struct cn_import_sink {
    cn_err (*put)(
        cn_import_sink *sink, const cn_import_block *blocks, size_t blocks_len, cn_why *why);
};

/* What stands for a file, directory or part of one in the node above it. */
typedef struct cn_import_ref {
    cn_cid cid;
    uint64_t file_bytes;  /* of the file below */
    uint64_t tsize_bytes; /* of all blocks below, this one included */
} cn_import_ref;

/* Mode and time to be written into a node; all zero for none. */
typedef struct cn_import_meta {
    bool has_mode;
    bool has_mtime;
    uint32_t mode;
    int64_t mtime_s;
    uint32_t mtime_ns;
} cn_import_meta;

/* Put `meta` into a UnixFS message. A mode of 0 is not written, as Kubo does not. */
void cn_import_meta_set(const cn_import_meta *meta, cn_unixfs_data *d);
