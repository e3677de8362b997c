/*
 * Which of our addresses are told to whom: Addresses.Announce, AppendAnnounce and NoAnnounce of
 * the config, and the scope of the peer. Loopback addresses are told to loopback peers only,
 * private ones to private peers, and so on (cn_multiaddr_scope); what people wrote into the config
 * is told to all, but loopback ones.
 * spec: Kubo config 'Addresses'
 */
#pragma once

#include "base/buf.h"
#include "multiformats/multiaddr.h"

enum { CN_ANNOUNCE_MAX = 500 }; /* addresses in a list of the config, and told */

typedef struct cn_announce {
    cn_mem *mem;
    cn_buf bytes; /* of all addresses below */
    cn_slice *lists;
    size_t only_len;    /* lists[0..]: Announce, instead of our own; 0: our own */
    size_t append_len;  /* then: AppendAnnounce, beside them */
    size_t never_len;   /* then: NoAnnounce, whole addresses */
    cn_ip_range *masks; /* NoAnnounce, ranges */
    size_t masks_len;
} cn_announce;

/* The config's lists, as texts; may be empty. */
typedef struct cn_announce_config {
    const cn_slice *announce;
    size_t announce_len;
    const cn_slice *append;
    size_t append_len;
    const cn_slice *never;
    size_t never_len;
} cn_announce_config;

/*
 * Read the config (copied). Errors: MALFORMED, UNSUPPORTED (an address; why names the setting and
 * the address), TOO_LARGE (500 in a list), NO_MEMORY.
 */
CN_MUST_USE cn_err
cn_announce_init(cn_announce *a, cn_mem *mem, const cn_announce_config *config, cn_why *why);
/* Accepts a zeroed one. */
void cn_announce_release(cn_announce *a);

/*
 * What to tell in all: `own` (listened at, unspecified ones replaced, and observed; binary) or
 * Announce, then AppendAnnounce, without NoAnnounce and without repeats. At most `max` in `ret`,
 * borrowed from `own` and `a`; the count is returned.
 */
size_t cn_announce_list(
    const cn_announce *a, const cn_slice *own, size_t own_len, cn_slice *ret, size_t max);

/* The same for the peer at `remote` (binary multiaddr): scopes are kept. */
size_t cn_announce_to(
    const cn_announce *a,
    cn_slice remote,
    const cn_slice *own,
    size_t own_len,
    cn_slice *ret,
    size_t max);
