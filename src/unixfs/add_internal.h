/*
 * The parts of cn_add. The reader walks the source and fills batches with leaves and with the steps
 * of the walk; workers hash the leaves of a batch; the collector takes batches in order, gives the
 * leaves to the sink, and builds files and folders from the steps. Reader and collector run on the
 * calling thread; a ring of batches lies between them.
 */
#pragma once

#include "unixfs/add.h"
#include "unixfs/dir.h"
#include "unixfs/layout.h"

enum {
    CN_ADD_BATCHES = 4,
    CN_ADD_BATCH_BYTES = 3 << 20, /* target; one leaf for each lane of the hash at least */
    CN_ADD_LEAVES_MAX = 1024,     /* in one batch */
    CN_ADD_STEPS_MAX = 2 * CN_ADD_LEAVES_MAX,
    CN_ADD_HEAD_BYTES = 16, /* room before a leaf's bytes for what dag-pb puts there */
    CN_ADD_TAIL_BYTES = 48, /* and behind */
    CN_ADD_DEPTH_MAX = 1024,
    CN_ADD_INLINE_BYTES = 128 << 10, /* less than this is hashed on the spot */
};

/* A leaf: a block in the batch's data. */
typedef struct cn_add_leaf {
    cn_slice block;
    uint64_t file_bytes;
    cn_cid cid;
} cn_add_leaf;

typedef enum cn_add_step_kind {
    CN_ADD_LEAF,
    CN_ADD_FILE_START,
    CN_ADD_FILE_END,
    CN_ADD_SYMLINK,
    CN_ADD_DIR_START,
    CN_ADD_DIR_END,
} cn_add_step_kind;

/* A step of the walk, in order; names lie in the batch's text. */
typedef struct cn_add_step {
    cn_add_step_kind kind;
    uint32_t leaf; /* LEAF: index */
    size_t name_start;
    size_t name_len;
    size_t target_len; /* SYMLINK: right behind the name */
    bool has_mode;
    bool has_mtime;
    uint32_t mode;
    uint32_t mtime_ns;
    int64_t mtime_s;
} cn_add_step;

typedef struct cn_add_batch {
    cn_work work; /* first */
    const cn_import_options *options;
    bool submitted;
    cn_err hash_err;
    uint8_t *data;
    size_t data_len;
    size_t data_cap;
    cn_add_leaf *leaves;
    size_t leaves_len;
    cn_add_step *steps;
    size_t steps_len;
    cn_buf text;
} cn_add_batch;

/* Memory for a batch under `options`. Errors: NO_MEMORY. */
CN_MUST_USE cn_err
cn_add_batch_init(cn_add_batch *b, cn_mem *mem, const cn_import_options *options);
void cn_add_batch_release(cn_add_batch *b, cn_mem *mem);
/* Empty it for the next round. */
void cn_add_batch_reset(cn_add_batch *b);
/* Hash all leaves; on a worker or here. The verdict is in hash_err. */
void cn_add_batch_hash(cn_add_batch *b);

/*
 * Make the `len` bytes at data_len + HEAD_BYTES a leaf: for dag-pb with what stands around them,
 * and `meta` (nullable).
 */
void cn_add_batch_leaf(cn_add_batch *b, size_t len, const cn_import_meta *meta);

/* The mode and time that the options say for an entry. */
cn_import_meta cn_add_meta(const cn_import_options *o, const cn_add_step *s);

/* A folder that is open in the collector. */
typedef struct cn_add_open_dir {
    cn_dir_builder builder;
    size_t path_len; /* of the path of what holds it */
    size_t name_start;
    size_t entries;
    size_t held_start; /* where the events of the folders in it begin in `done_dirs` */
    bool virtual; /* the wrapping folder */
} cn_add_open_dir;

typedef struct cn_add_collector {
    const cn_add_request *request;
    cn_emit emit;
    cn_layout layout;
    cn_add_open_dir *dirs; /* CN_ADD_DEPTH_MAX */
    size_t dirs_len;
    cn_buf path;         /* of the entry being made */
    size_t name_len;     /* of its last part */
    uint64_t file_bytes; /* of the file being made, so far */
    cn_buf done_dirs;    /* events of folders, held back until the top-level path is done */
    cn_source_entry top; /* kind, mode and time of the top-level path */
    cn_cid root;
    size_t roots_len;
    cn_import_block *blocks; /* CN_ADD_LEAVES_MAX, for the sink */
} cn_add_collector;

/* A folder's event as it waits in `done_dirs`: this, then the path. */
typedef struct cn_add_held {
    cn_cid cid;
    uint64_t size_bytes;
    size_t path_len;
    bool is_root;
} cn_add_held;

/*
 * The folder at the collector's path became a HAMT: put the events of the folders in it, which
 * begin at `start` of `done_dirs`, into the order of its hashes, as Kubo tells them. Errors:
 * NO_MEMORY.
 */
CN_MUST_USE cn_err cn_add_held_sort(cn_add_collector *c, size_t start);

CN_MUST_USE cn_err cn_add_collector_init(cn_add_collector *c, const cn_add_request *request);
void cn_add_collector_release(cn_add_collector *c);
/* Take a hashed batch. Errors: as cn_add. */
CN_MUST_USE cn_err cn_add_collect(cn_add_collector *c, cn_add_batch *b, cn_why *why);
/* The walk is over: close the wrapping folder, hand on what is left. */
CN_MUST_USE cn_err cn_add_collector_finish(cn_add_collector *c, cn_cid *ret_root, cn_why *why);
