/*
 * Which connections to close when there are too many. Above the high water mark enough are closed
 * to reach the low one; protected and young ones stay, even if the mark is then not reached, and so
 * do as many as the low mark of those that are of use (worth something, or with streams): a flood
 * of newcomers does not drive out who was there before. The hard cap is another matter: at it new
 * connections are refused (p2p/host/gate.h).
 *
 * First go temporary ones, then those without streams, then those worth least, then those with
 * fewer streams, then those idle longest; last, for a fixed order, the older.
 * spec: go-libp2p 'connection manager'; Kubo Swarm.ConnMgr
 */
#pragma once

#include "base/time.h"

typedef struct cn_trim_policy {
    size_t low;         /* Kubo: 32 */
    size_t high;        /* Kubo: 96; 0 with low 0: never trim */
    int64_t grace_ns;   /* Kubo: 20 s, from when the connection stood */
    int64_t silence_ns; /* between two trims; Kubo: 10 s */
} cn_trim_policy;

typedef struct cn_trim_conn {
    bool is_protected; /* see p2p/host/tags.h */
    bool temporary;    /* a routing query's, a relayed one's */
    int64_t worth;     /* cn_tags_worth of its peer */
    size_t streams;
    cn_time opened;
    cn_time idle_since; /* last stream opened, closed or data moved */
} cn_trim_conn;

/* Are there too many? `last` is when trimming was last done (any time before the first). */
bool cn_trim_due(const cn_trim_policy *p, size_t conns, cn_time last, cn_time now);

/* How many may and should be closed now. */
size_t cn_trim_count(const cn_trim_policy *p, const cn_trim_conn *conns, size_t len, cn_time now);

/*
 * Which ones: `ret` has room for `len` indices into `conns`; the first cn_trim_count of them are
 * those to close, first to go first. Cost: len log len.
 */
void cn_trim_choose(
    const cn_trim_policy *p, const cn_trim_conn *conns, size_t len, cn_time now, size_t *ret);
