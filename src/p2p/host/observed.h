/*
 * cn_observed: our own addresses as peers see them. One is believed when four distinct observers
 * name it (an IPv4 address or an IPv6 /56 is one observer, so that one household is not four), and
 * at most three per listen address, those with the most observers. What an open connection says
 * holds; what a closed one said runs out after 10 minutes.
 * spec: go-libp2p 'observed address manager'
 */
#pragma once

#include "base/id.h"
#include "base/time.h"
#include "multiformats/multiaddr.h"

enum {
    CN_OBSERVED_OBSERVERS_MIN = 4,
    CN_OBSERVED_PER_LISTEN_MAX = 3,
    CN_OBSERVED_MAX = 512, /* observations held; beyond, the oldest of a closed one goes */
};

#define CN_OBSERVED_TTL_NS (600 * CN_NS_PER_S)

typedef struct cn_observation cn_observation;

typedef struct cn_observed {
    cn_mem *mem;
    cn_observation *all;
    size_t len;
    size_t cap;
} cn_observed;

/* Takes no memory yet. */
void cn_observed_init(cn_observed *o, cn_mem *mem);
void cn_observed_release(cn_observed *o);

typedef struct cn_observed_report {
    cn_id conn;        /* the connection it came over; a later report of it replaces this one */
    cn_slice listen;   /* of ours, whose socket the connection has: inbound, or a dial from there */
    cn_slice remote;   /* the observer's address */
    cn_slice observed; /* what it sees; without /p2p */
} cn_observed_report;

/*
 * Note a report (copied). Reports over relays, of no or of another scope than the observer's
 * (a private address seen by a public peer), or of another transport than `listen` are passed over.
 * Errors: NO_MEMORY.
 */
CN_MUST_USE cn_err cn_observed_add(cn_observed *o, const cn_observed_report *report, cn_time now);
/* That connection is closed. */
void cn_observed_closed(cn_observed *o, cn_id conn, cn_time now);

/*
 * The addresses believed now, best first per listen address, without repeats: at most `max`, in
 * `ret`, borrowed until the next change; the count is returned. Cost:
 * the square of the reports held, some milliseconds at worst; ask when something changed.
 */
size_t cn_observed_list(const cn_observed *o, cn_time now, cn_slice *ret, size_t max);
/* How many distinct observers name `observed` for `listen`. */
size_t cn_observed_count(const cn_observed *o, cn_slice listen, cn_slice observed, cn_time now);
