/*
 * What a peer that refused a security took instead, by address: a table of fixed size in which a
 * newer address takes the place of an older one that falls on the same line. Nothing but a round
 * trip is lost when an entry goes or is wrong.
 */
#include "p2p/transport/tcp_internal.h"

static tcp_known *line_of(tcp *t, const cn_endpoint *at)
{
    uint32_t hash = 2166136261u; /* FNV-1a; who chooses addresses to collide gains nothing */
    for (size_t i = 0; i < sizeof(at->ip); i++) {
        hash = (hash ^ at->ip[i]) * 16777619u;
    }
    hash = (hash ^ (at->port & 0xff)) * 16777619u;
    hash = (hash ^ (uint32_t)(at->port >> 8)) * 16777619u;
    return &t->known[hash % CN_LEN(t->known)];
}

void cn_tcp_know(tcp *t, const cn_endpoint *at, size_t security)
{
    *line_of(t, at) = (tcp_known){.at = *at, .security = (uint8_t)(security + 1)};
}

size_t cn_tcp_known(tcp *t, const cn_endpoint *at)
{
    const tcp_known *k = line_of(t, at);
    return k->security > 0 && cn_endpoint_eq(&k->at, at) ? k->security - 1u : 0;
}
