/*
 * Blocks from here, and from peers where they are not here: the way from a command's or a gateway's
 * thread to the exchange on the loop's thread and back.
 *
 * cn_fetcher is one for the node and lives on the loop's thread. cn_fetch is one for each request:
 * a cn_blocks over the store and the exchange, used on any one thread at a time. What it fetches
 * is in the store before it is given, so a walk that fails half way goes on there next time.
 */
#pragma once

#include "exchange/exchange.h"
#include "ipld/blocks.h"
#include "routing/router.h"
#include "rt/net.h"

typedef struct cn_fetcher cn_fetcher;
typedef struct cn_fetch cn_fetch;

typedef struct cn_fetcher_options {
    cn_mem *mem;
    cn_net *net;      /* its bell is rung by other threads */
    cn_blocks *store; /* what is here; the exchange has put what arrived into it */
    cn_exchange *exchange;
    cn_router *router;      /* NULL: ask connected peers only */
    size_t fetches_max;     /* requests at once; 0: 1,024 */
    size_t inflight_max;    /* wants of one request that are open at once; 0: 1,024 */
    size_t ahead_max_bytes; /* fetched and not yet asked for, for those that do not follow; 0: 64
                               MiB */
} cn_fetcher_options;

/* All of these on the loop's thread. */
CN_MUST_USE cn_err cn_fetcher_new(const cn_fetcher_options *options, cn_fetcher **ret);
/* Ends all waiting with CLOSED. Requests must have been closed, or be closed after. Accepts NULL.
 */
void cn_fetcher_free(cn_fetcher *f);
/* Look into the mailbox; once each turn of the loop, and after WOKEN. */
void cn_fetcher_turn(cn_fetcher *f, cn_time now);
cn_time cn_fetcher_deadline(const cn_fetcher *f);

typedef struct cn_fetch_options {
    cn_fetcher *fetcher;
    cn_mem *mem;
    cn_time deadline; /* then waiting ends with TIMEOUT; CN_TIME_NEVER: none */
    cn_err (*check)(
        void *ctx); /* asked about every 100 ms while waiting; its error ends it; NULL: none */
    void *ctx;
    /*
     * Whoever asks will want the whole DAG below what it asks for (pin add, refs -r, get): links of
     * blocks that arrive are fetched at once, in the order of a walk that goes deep first.
     */
    bool follow;
    /*
     * Not NULL: never wait. A block that is not here is asked for, BUSY is returned, and `ready` is
     * called on the loop's thread once it has come or failed (then ask again: the block or the
     * error is there). It must only pass the word on.
     */
    void (*ready)(void *ctx);
    /* Told about every second while waiting, on the waiting thread; NULL: not. */
    void (*waiting)(void *ctx, int64_t without_progress_ns);
} cn_fetch_options;

/* From here on: any thread. Errors: TOO_LARGE (requests), CLOSED (no network any more), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_fetch_open(const cn_fetch_options *options, cn_fetch **ret, cn_why *why);
/*
 * Another deadline, for what is waited for already too. On the thread that uses it.
 */
void cn_fetch_set_deadline(cn_fetch *f, cn_time deadline);
/* Accepts NULL. No wait; wants end. */
void cn_fetch_close(cn_fetch *f);
/*
 * The source: get waits (or says BUSY), get_many never waits and gives what is here, size gets the
 * block if it is not here, expect fetches ahead within the bounds, put goes to the store.
 * Errors of get beside those of cn_blocks_get: TIMEOUT, CANCELLED (check), CLOSED, with a sentence.
 */
cn_blocks *cn_fetch_blocks(cn_fetch *f);

/*
 * Append a few lines for people who wait: what is waited for and how long, who was asked and what
 * each answered, whether providers were looked for. Asks the loop's thread, waits at most 1 s.
 */
CN_MUST_USE cn_err cn_fetch_report(cn_fetch *f, cn_buf *out);

/*
 * The same lines for the wait that ended last with TIMEOUT, of a request that does not wait itself
 * (`ready`); nothing if there was none. Asks nobody.
 */
CN_MUST_USE cn_err cn_fetch_report_late(cn_fetch *f, cn_buf *out);

/* What came in by this request so far, from peers. */
void cn_fetch_counts(const cn_fetch *f, uint64_t *ret_blocks, uint64_t *ret_bytes);
