/*
 * What the files of fetch share: the request, of which one part is the loop's, one the asking
 * thread's, and one lies between them under the hub's lock.
 *
 * Invariants: a request is freed by the loop alone, or by close once the fetcher is gone. The lock
 * is never held while the exchange, the router, the store or a callback is called.
 */
#pragma once

#include "base/map.h"
#include "exchange/fetch/cid_pile.h"
#include "exchange/fetch/fetch.h"
#include "rt/lock.h"

enum {
    CN_FETCHES_MAX = 1024,
    CN_FETCH_INFLIGHT_MAX = 1024,
    CN_FETCH_AHEAD_BYTES = 64 << 20,
    CN_FETCH_REPORT_MAX_BYTES = 64 << 10,
    CN_FETCH_SOON_BYTES = 1 << 20,  /* CIDs expected and not yet asked for */
    CN_FETCH_PILE_BYTES = 16 << 20, /* CIDs of links to be followed */
    CN_FETCH_SEEN_MAX = 1 << 18,    /* nodes whose links were followed */
    CN_FETCH_ENTRIES_MAX = 1 << 14,
    CN_FETCH_RECENT = 16, /* nodes met here before the first that was not */
    CN_FETCH_LOOK = 16,   /* nodes that a worker looks through at once */
};

/* What stands between the threads; outlives the fetcher while requests are open. */
typedef struct cn_fetch_hub {
    cn_mem *mem;
    cn_lock *lock;
    size_t refs;   /* under the lock */
    bool is_ended; /* under the lock: no network any more */
} cn_fetch_hub;

typedef enum cn_fetch_state {
    CN_FETCH_ASKED, /* in the mailbox, or wanted */
    CN_FETCH_HERE,  /* came and was not asked for yet; counts against the bound */
    CN_FETCH_FAILED,
} cn_fetch_state;

/* What is known of a CID in a request. */
typedef struct cn_fetch_entry {
    uint8_t state;  /* cn_fetch_state */
    bool is_open;   /* the exchange was asked */
    bool is_asked;  /* somebody waits for it, or asked and was told BUSY */
    uint32_t bytes; /* HERE */
    cn_err err;     /* FAILED */
} cn_fetch_entry;

/* A worker's look through nodes that are here already. */
typedef struct cn_fetch_look {
    cn_work work; /* first: cast back from it */
    cn_fetch *fetch;
    bool is_running;
    bool is_done; /* under the lock */
    size_t len;
    cn_cid cids[CN_FETCH_LOOK];
    cn_pile links;
} cn_fetch_look;

struct cn_fetch {
    cn_blocks blocks; /* first: cast back from it */
    cn_exchange_sink sink;
    cn_router_asker asker;
    cn_fetch_options options;
    cn_fetch_hub *hub;
    cn_fetcher *fetcher; /* only while the hub has not ended */
    cn_blocks *store;
    cn_rt *rt;
    cn_net *net;
    cn_cond *cond;
    atomic_ullong blocks_in;
    atomic_ullong bytes_in;

    /* under the lock */
    cn_fetch *next; /* of all */
    cn_fetch *next_dirty;
    bool is_dirty;
    bool is_closed;
    bool is_calling; /* `ready` runs */
    bool has_awaited;
    cn_cid awaited;
    cn_time awaited_since;
    cn_time progress; /* when a block came last, or waiting began */
    cn_map entries;   /* CID to cn_fetch_entry */
    cn_pile urgent;   /* asked for by the thread */
    cn_pile soon;     /* expected by it */
    cn_pile links;    /* to be followed, found by it */
    size_t ahead_bytes;
    size_t open_len; /* entries that are open */
    cn_why failed;   /* the sentence of the last that failed */
    cn_buf late; /* the report of the wait that ended last for want of time; one that says BUSY */
    cn_buf *report; /* to be filled by the loop; NULL: no report is asked for */
    bool is_reported;
    cn_err report_err;

    /* the loop's */
    bool has_session;
    cn_id session;
    bool has_query;
    cn_id query;
    unsigned searches;
    unsigned providers;
    cn_pile pile;    /* links to be followed, the next on top */
    cn_map seen;     /* CIDs of nodes whose links were followed */
    cn_pile to_look; /* nodes that are here and were not looked through */
    cn_fetch_look look;

    /* the asking thread's */
    bool has_missed;
    size_t recent_len;
    cn_cid recent[CN_FETCH_RECENT];
};

struct cn_fetcher {
    cn_fetcher_options options;
    cn_fetch_hub *hub;
    cn_fetch *first;       /* under the lock */
    cn_fetch *first_dirty; /* under the lock */
    size_t len;            /* under the lock */
    cn_time deadline;      /* of requests that do not wait */
};

/* fetch.c */
/* Put the request before the loop; the lock is held. */
void cn_fetch_dirty(cn_fetch *f);
void cn_fetch_free(cn_fetch *f);
void cn_fetch_hub_leave(cn_fetch_hub *hub);

/* fetch_source.c */
extern const cn_blocks_ops cn_fetch_blocks_ops;

/* fetch_loop.c; the loop */
extern const cn_exchange_sink_ops cn_fetch_sink_ops;
extern const cn_router_asker_ops cn_fetch_asker_ops;
/* Deal with what the thread put into the mailbox, and want more. */
void cn_fetch_turn(cn_fetch *f, cn_time now);
/* An entry has come to its end: wake whoever waits. */
void cn_fetch_settle(
    cn_fetch *f, const cn_cid *cid, cn_err err, const char *sentence, size_t bytes);

/* fetch_follow.c */
bool cn_fetch_has_links(const cn_cid *cid);
/* Links of a node, onto `pile`, but for leaves that are here; the last on top. Any thread. */
void cn_fetch_links_missing(cn_blocks *store, const cn_cid *cid, cn_slice block, cn_pile *pile);
/* All links of it, the first on top. */
void cn_fetch_links_all(cn_mem *mem, const cn_cid *cid, cn_slice block, cn_pile *pile);
/* The loop: a node came, `block` may be empty. */
void cn_fetch_follow(cn_fetch *f, const cn_cid *cid, cn_slice block);
/* The loop: give the worker more, take what it found. */
void cn_fetch_look_turn(cn_fetch *f);
/* Was the node followed already? Else it is from now on. */
bool cn_fetch_is_seen(cn_fetch *f, const cn_cid *cid);

/* fetch_report.c; the loop */
/* Append what is known about the wait for `cid`. */
CN_MUST_USE cn_err
cn_fetch_report_write(cn_fetch *f, const cn_cid *cid, int64_t waited_ns, cn_buf *out);
void cn_fetch_report_fill(cn_fetch *f, cn_time now);
