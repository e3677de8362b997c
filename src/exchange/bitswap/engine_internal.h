/*
 * What the files of the engine share.
 *
 * Invariants: a served want of a peer is either in its heap (here, to be read) or in the chain of
 * its multihash (not here); a job is the worker's alone from submit until it stands in `done`.
 */
#pragma once

#include "base/id.h"
#include "base/map.h"
#include "exchange/bitswap/engine.h"
#include "exchange/bitswap/ring.h"
#include "rt/lock.h"

typedef struct cn_served cn_served;
typedef struct cn_read_job cn_read_job;

/* What a peer wants. */
struct cn_served {
    cn_engine_peer *peer;
    cn_served *next; /* of the chain of its multihash */
    cn_cid cid;
    uint64_t seq;
    size_t heap_at; /* SIZE_MAX: not in the heap */
    uint32_t size_bytes;
    int32_t priority;
    bool is_have;
    bool send_dont_have;
};

enum {
    CN_JOB_BLOCKS_MAX = 64,
    CN_JOB_MESSAGES_MAX = 24,
    CN_JOB_SMALL_BYTES = 32 << 10, /* smaller blocks share a message */
};

/* A message that has been read. `size_bytes`: of blocks. */
typedef struct cn_read_message {
    cn_buf body;
    cn_buf block;
    size_t blocks;
    size_t size_bytes;
} cn_read_message;

struct cn_read_job {
    cn_work work; /* first: cast back from it */
    cn_read_job *next;
    cn_ring node; /* of the engine's jobs, or of the peer's ready ones */
    cn_engine *engine;
    cn_id peer;
    bool is_bare;
    size_t size_bytes; /* as the index said */
    size_t len;
    cn_cid cids[CN_JOB_BLOCKS_MAX];
    bool send_dont_have[CN_JOB_BLOCKS_MAX];
    size_t messages_len;
    size_t messages_at; /* the next to hand out */
    cn_read_message messages[CN_JOB_MESSAGES_MAX];
};

struct cn_engine_peer {
    cn_id id;
    void *owner;
    cn_ring active; /* of the engine's list, or alone */
    cn_map wants;   /* CID to cn_served pointer */
    cn_served **heap;
    size_t heap_len;
    size_t heap_cap;
    cn_buf presences; /* a body */
    cn_ring ready;    /* jobs done */
    size_t held_bytes;
    size_t jobs;         /* being read */
    uint64_t turn_bytes; /* handed to workers; for fairness */
    bool is_bare;
    bool is_hungry; /* `active` is in the list of those that wait for the bound of all */
    cn_engine_peer_stats stats;
};

struct cn_engine {
    cn_engine_options options;
    cn_map lacking; /* multihash to the first cn_served of a chain */
    cn_slots peers;
    cn_ring active;
    cn_ring hungry;
    cn_ring jobs; /* with the workers */
    cn_lock *lock;
    cn_read_job *done; /* under the lock */
    uint64_t seq;
    uint64_t turn_floor; /* of the peer served last */
    cn_engine_stats stats;
};

/* engine.c */
/* The most urgent want, taken out of the heap and the map; the caller frees it. NULL: none. */
cn_served *cn_engine_pop(cn_engine_peer *p);
const cn_served *cn_engine_top(const cn_engine_peer *p);

/* engine_read.c */
void cn_engine_job_free(cn_engine *e, cn_read_job *job);
