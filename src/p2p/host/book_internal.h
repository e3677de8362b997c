/*
 * How the address book lies in memory: for p2p/host/book*.c only.
 */
#pragma once

#include "base/map.h"
#include "p2p/host/book.h"

/* A peer. Strings are each an allocation of their own; empty ones are none. */
typedef struct cn_book_entry {
    cn_peer_id id;
    cn_slice *addresses;
    cn_book_state *states;
    size_t addresses_len;
    size_t addresses_cap; /* of both arrays */
    cn_slice *protocols;  /* one allocation: the slices, then their bytes */
    size_t protocols_len;
    size_t protocols_bytes; /* of that allocation */
    cn_slice agent;
    cn_slice protocol_version;
    cn_slice public_key; /* only where the id does not hold it */
    uint64_t sequence;
    bool protocols_known;
    bool connected;
    bool kept; /* on the list of those that are not evicted */
    struct cn_book_entry *newer;
    struct cn_book_entry *older;
} cn_book_entry;

/* Peers by when there was news of them last. */
typedef struct cn_book_list {
    cn_book_entry *newest;
    cn_book_entry *oldest;
} cn_book_list;

struct cn_book {
    cn_mem *mem;
    cn_book_limits limits;
    cn_map peers;         /* id -> cn_book_entry * */
    cn_book_list kept;    /* connected, or with a permanent address */
    cn_book_list passing; /* all others: the oldest is the first to be evicted */
    size_t bytes;
    cn_time next_tick;
};

/* The entry of `peer`, or NULL. */
cn_book_entry *cn_book_entry_of(const cn_book *b, const cn_peer_id *peer);
/* The same, made if need be, evicting others. Errors: TOO_LARGE, NO_MEMORY. */
CN_MUST_USE cn_err cn_book_entry_make(cn_book *b, const cn_peer_id *peer, cn_book_entry **ret);
/* Evict passing peers other than `keep` until `bytes` more are allowed. Errors: TOO_LARGE. */
CN_MUST_USE cn_err cn_book_room(cn_book *b, const cn_book_entry *keep, size_t bytes);
/* There was news of `e`; also puts it on the list that it belongs to now. */
void cn_book_entry_touch(cn_book *b, cn_book_entry *e);
void cn_book_entry_drop(cn_book *b, cn_book_entry *e);
/* Drop the address at `i`; those behind move up. */
void cn_book_address_drop(cn_book *b, cn_book_entry *e, size_t i);

/* Replace an owned string; nothing happens where it is the same. Errors: as cn_book_entry_make. */
CN_MUST_USE cn_err
cn_book_string_set(cn_book *b, const cn_book_entry *e, cn_slice *to, cn_slice text);
/* Give back an owned string. */
void cn_book_string_drop(cn_book *b, cn_slice *text);

/* Add an address with its state as it is, or merge it into the one that is there. */
CN_MUST_USE cn_err cn_book_address_put(
    cn_book *b, cn_book_entry *e, cn_slice address, const cn_book_state *state, cn_time now);
/* What is lent of `e`. */
void cn_book_entry_show(const cn_book_entry *e, cn_book_peer *ret);
