/*
 * What tests of p2p/host share: addresses from text, peers by number.
 */
#pragma once

#include "base/time.h"
#include "lib/test.h"
#include "multiformats/multiaddr.h"
#include "multiformats/peerid.h"

static cn_buf host_addresses;

/* The binary form of a text, lasting until host_lib_end. */
static inline cn_slice address_of(const char *text)
{
    if (host_addresses.mem == NULL) {
        cn_buf_init(&host_addresses, cn_mem_default(), 1 << 20);
        CHECK_OK(cn_buf_reserve(&host_addresses, 1 << 20)); /* so that what is lent stays */
    }
    size_t at = host_addresses.len;
    CHECK_OK(cn_multiaddr_parse(cn_str(text), &host_addresses, NULL));
    return cn_slice_skip(cn_buf_slice(&host_addresses), at);
}

/* A peer of its own for each number. */
static inline cn_peer_id peer_of(unsigned number)
{
    uint8_t message[36] = {8, 1, 18, 32, (uint8_t)number, (uint8_t)(number >> 8)};
    return cn_peer_id_of_message(cn_slice_of(message, sizeof(message)));
}

static inline cn_time at_s(int64_t seconds)
{
    return (cn_time){seconds * 1000000000};
}

static inline int host_lib_end(void)
{
    cn_buf_release(&host_addresses);
    return test_end();
}
