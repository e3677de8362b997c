/*
 * What the files of the store share. Two locks: `writer` is held by whoever puts, flushes, deletes
 * or collects, across waits for the disk; `lock` is held for moments only and guards what readers
 * look at: the segment list and the two pending tables. Always `writer` before `lock`.
 *
 * A block's life: written to the open segment -> in `fresh` -> (commit begins) in `leaving` ->
 * segment synced, index committed -> in the index only.
 */
#pragma once

#include "rt/lock.h"
#include "store/index.h"
#include "store/pending.h"
#include "store/store.h"
#include "store/tomb.h"
#include "store/scan.h"

enum {
    CN_STORE_PATH_BYTES = 4096,
    CN_SEGMENTS_MAX = 1 << 20,
    CN_COMMIT_SLICE = 1 << 13,  /* entries of one transaction; blocks that move go in one */
    CN_SEGMENTS_OPEN_MAX = 128, /* files kept open */
};

typedef enum cn_file_kind {
    CN_STORE_SEGMENT,
    CN_STORE_SIDECAR,
    CN_STORE_TOMBS,
} cn_file_kind;

typedef struct cn_segment {
    cn_segment_meta
        meta;           /* .checkpoint and .tomb_bytes as committed; live_* and records as of now */
    uint64_t written;   /* bytes of the file with records that may be read */
    uint64_t tail;      /* bytes of the file: where the next record goes */
    uint64_t writeback; /* up to where writing back was started */
    cn_file *file;      /* NULL: not open */
    size_t holds;       /* who uses `file` outside the lock */
    uint64_t
        *checked; /* a bit per ordinal: verified since open, or by who put it; NULL: none yet */
    uint64_t sidecar_bytes;
    uint64_t tombs_bytes; /* of its tombstone log's file; 0: none */
    bool dirty;           /* has what the index does not know */
    bool closed;          /* takes no more records; to be sealed */
    bool gone;            /* unlinked; freed with the last hold */
} cn_segment;

/* What a commit works on, on a thread of the pool or in place. */
typedef struct cn_commit {
    cn_work work; /* first: cast back from it */
    cn_store *store;
    bool running;
    bool sync_failed; /* the error came from a segment's sync */
    cn_err err;
    cn_segment **segments; /* to sync, held */
    cn_segment_meta *metas;
    size_t len;
} cn_commit;

struct cn_store {
    cn_blocks blocks; /* first: cast back from it */
    cn_store_options options;
    cn_mem *mem;
    cn_rt *rt;
    char *dir;
    cn_file *lock_file;
    cn_index *index;
    cn_lock *writer;
    cn_lock *lock;
    cn_segment **segments; /* in the order of their numbers */
    size_t segments_len, segments_cap;
    size_t files_open;
    cn_segment *open;      /* where puts go, or NULL */
    uint32_t next_segment; /* number of the next one */
    cn_pending fresh, leaving;
    uint64_t pending_bytes; /* written since the last commit began */
    cn_time pending_since;
    cn_commit commit;
    cn_err broken;   /* writing is over until the store is opened again */
    uint8_t *heads;  /* scratch of put: record heads */
    cn_slice *parts; /* scratch of put: what one write is made of */
    uint64_t blocks_len;
    uint64_t block_bytes, live_whole, segment_bytes, other_bytes;
    uint64_t reserve_bytes; /* of the reserve file that is there */
    uint64_t bad_records;
    bool rebuilt;
    bool recovering; /* while it is being opened */
};

/* files.c: names and small files */
typedef char cn_store_path[CN_STORE_PATH_BYTES];
const char *cn_store_file(const cn_store *s, cn_store_path path, const char *name);
const char *
cn_segment_file(const cn_store *s, cn_store_path path, uint32_t segment, cn_file_kind kind);
/* Is `name` that of a segment's file? */
bool cn_segment_parse(const char *name, uint32_t *ret_segment, cn_file_kind *ret_kind);
CN_MUST_USE cn_err cn_store_take_lock(cn_store *s, cn_why *why);
void cn_store_make_reserve(cn_store *s);
/* Once the reserve was given up, adding leaves as much free until it is made again. NO_SPACE. */
CN_MUST_USE cn_err cn_store_leave_reserve(cn_store *s, uint64_t more, cn_why *why);

/* segment.c: the list of segments and their files */
cn_segment *cn_segment_of(cn_store *s, uint32_t segment); /* lock held; NULL: no such */
CN_MUST_USE cn_err cn_segment_add(cn_store *s, const cn_segment_meta *meta, cn_segment **ret);
/* Take it off the list; freed with its last hold. */
void cn_segment_drop(cn_store *s, cn_segment *seg);
void cn_segment_free_all(cn_store *s);
/* Keep the segment's file open. Takes the lock. Errors: NOT_FOUND, IO, CORRUPT (not its file). */
CN_MUST_USE cn_err cn_segment_hold(cn_store *s, uint32_t segment, cn_segment **ret);
void cn_segment_let(cn_store *s, cn_segment *seg);
/* A new segment file with its head, synced into its folder; becomes s->open. Writer held. */
CN_MUST_USE cn_err cn_segment_create(cn_store *s, cn_why *why);
/* Write the sidecar of a segment that is complete. Writer held; commit done. */
CN_MUST_USE cn_err cn_segment_write_sidecar(cn_store *s, cn_segment *seg);
/* Count a block in or out of its segment and the store. Lock held. */
void cn_segment_count(cn_store *s, cn_segment *seg, cn_slice key, const cn_place *place, bool in);
/* Remember whether a record (ordinal below CN_SEGMENT_RECORDS_MAX) was verified since open. Without
 * memory it is verified once more. Lock held. */
void cn_segment_note_checked(cn_store *s, cn_segment *seg, uint32_t ordinal, bool is_good);
/* Bytes of the record of a block, and where it begins. */
uint32_t cn_record_bytes(cn_slice key, const cn_place *place);
uint64_t cn_record_start(cn_slice key, const cn_place *place);

/* commit.c; the writer held */
CN_MUST_USE cn_err cn_commit_begin(cn_store *s, bool in_place);
CN_MUST_USE cn_err cn_commit_end(cn_store *s);
CN_MUST_USE cn_err cn_commit_all(cn_store *s);
/* Seal the closed segments (all committed before): sidecar, then the mark in the index. */
CN_MUST_USE cn_err cn_store_seal_closed(cn_store *s);

/* put.c; the writer held. `moving`: from one segment to another, whatever the index holds. */
CN_MUST_USE cn_err
cn_store_append(cn_store *s, const cn_store_put *items, size_t len, bool moving, cn_why *why);

/* read.c: the store as blocks; fresh, leaving, index */
extern const cn_blocks_ops cn_store_blocks_ops;
CN_MUST_USE cn_err cn_store_find_key(cn_store *s, cn_slice key, cn_place *ret);

/* recover.c */
CN_MUST_USE cn_err cn_store_recover(cn_store *s, cn_why *why);

/* delete.c; the writer held, everything committed */
typedef struct cn_removal {
    cn_key key;
    cn_place place;
} cn_removal;
/* Remove blocks of one segment: tombstones synced, then the index. */
CN_MUST_USE cn_err
cn_store_remove(cn_store *s, cn_segment *seg, const cn_removal *list, size_t len);
/* The part of it after the tombstones: the index and the figures. */
CN_MUST_USE cn_err
cn_store_forget(cn_store *s, cn_segment *seg, const cn_removal *list, size_t len);
void cn_store_unlink_files(cn_store *s, uint32_t segment);
/* The segment holds nothing any more: mark it whole, forget it, unlink its files. */
CN_MUST_USE cn_err cn_store_unlink(cn_store *s, cn_segment *seg);
