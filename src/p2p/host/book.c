/*
 * Peers in a table and on one of two lists by age of news. Whatever is kept of a peer is counted
 * in `bytes` when it is taken and when it is given back; room is made before anything is taken, so
 * the book never stands above its bound.
 *
 * Invariants: an entry is on `kept` exactly if it is connected or has an address that never runs
 * out; an entry that has no address and is not connected goes with the next look at it.
 */
#include "p2p/host/book_internal.h"

#include "multiformats/key.h"
#include "multiformats/multiaddr.h"

enum {
    PEERS_MAX = 10000,
    ADDRESSES_PER_PEER_MAX = 64,
    BYTES_MAX = 16 << 20,
    TICK_S = 60,
    ENTRY_BYTES = sizeof(cn_book_entry) + 64, /* with what the table takes for it */
    ADDRESS_BYTES = sizeof(cn_slice) + sizeof(cn_book_state),
    STRING_BYTES = 16, /* of an allocation */
};

cn_err cn_book_new(cn_mem *mem, const cn_book_limits *limits, cn_book **ret)
{
    cn_book *b = cn_alloc(mem, sizeof(*b));
    if (b == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    b->mem = mem;
    b->limits = limits == NULL ? (cn_book_limits){0} : *limits;
    if (b->limits.peers_max == 0) {
        b->limits.peers_max = PEERS_MAX;
    }
    if (b->limits.addresses_per_peer_max == 0) {
        b->limits.addresses_per_peer_max = ADDRESSES_PER_PEER_MAX;
    }
    if (b->limits.bytes_max == 0) {
        b->limits.bytes_max = BYTES_MAX;
    }
    CN_ASSERT(b->limits.addresses_per_peer_max <= CN_BOOK_ADDRESSES_MAX);
    b->next_tick = (cn_time){INT64_MIN};
    cn_map_init(&b->peers, mem, sizeof(cn_book_entry *), b->limits.peers_max, b->limits.seed);
    *ret = b;
    return CN_OK;
}

void cn_book_free(cn_book *b)
{
    if (b == NULL) {
        return;
    }
    while (b->passing.oldest != NULL) {
        cn_book_entry_drop(b, b->passing.oldest);
    }
    while (b->kept.oldest != NULL) {
        cn_book_entry_drop(b, b->kept.oldest);
    }
    CN_ASSERT(b->bytes == 0);
    cn_map_release(&b->peers);
    cn_free(b->mem, b);
}

/* --- the lists --- */

static void list_remove(cn_book *b, cn_book_entry *e)
{
    cn_book_list *list = e->kept ? &b->kept : &b->passing;
    *(e->newer == NULL ? &list->newest : &e->newer->older) = e->older;
    *(e->older == NULL ? &list->oldest : &e->older->newer) = e->newer;
    e->newer = NULL;
    e->older = NULL;
}

static void list_add(cn_book *b, cn_book_entry *e)
{
    cn_book_list *list = e->kept ? &b->kept : &b->passing;
    e->older = list->newest;
    *(list->newest == NULL ? &list->oldest : &list->newest->newer) = e;
    list->newest = e;
}

static bool is_kept(const cn_book_entry *e)
{
    for (size_t i = 0; i < e->addresses_len; i++) {
        if (e->states[i].expires.ns == CN_TIME_NEVER.ns) {
            return true;
        }
    }
    return e->connected;
}

void cn_book_entry_touch(cn_book *b, cn_book_entry *e)
{
    list_remove(b, e);
    e->kept = is_kept(e);
    list_add(b, e);
}

/* --- entries --- */

cn_book_entry *cn_book_entry_of(const cn_book *b, const cn_peer_id *peer)
{
    cn_book_entry **at = cn_map_get(&b->peers, cn_peer_id_bytes(peer));
    return at == NULL ? NULL : *at;
}

cn_err cn_book_room(cn_book *b, const cn_book_entry *keep, size_t bytes)
{
    while (b->bytes + bytes > b->limits.bytes_max) {
        cn_book_entry *oldest = b->passing.oldest;
        if (oldest != NULL && oldest == keep) {
            oldest = oldest->newer;
        }
        if (oldest == NULL) {
            return CN_ERR_TOO_LARGE;
        }
        cn_book_entry_drop(b, oldest);
    }
    return CN_OK;
}

cn_err cn_book_entry_make(cn_book *b, const cn_peer_id *peer, cn_book_entry **ret)
{
    cn_err err = CN_OK;
    void *at = NULL;
    cn_book_entry *e = cn_book_entry_of(b, peer);
    if (e != NULL) {
        *ret = e;
        return CN_OK;
    }
    if (b->peers.len >= b->limits.peers_max) {
        if (b->passing.oldest == NULL) {
            return CN_ERR_TOO_LARGE;
        }
        cn_book_entry_drop(b, b->passing.oldest);
    }
    CN_TRY(cn_book_room(b, NULL, ENTRY_BYTES));
    e = cn_alloc(b->mem, sizeof(*e));
    if (e == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    err = cn_map_put(&b->peers, cn_peer_id_bytes(peer), &at, NULL);
    if (err != CN_OK) {
        cn_free(b->mem, e);
        goto out;
    }
    *(cn_book_entry **)at = e;
    e->id = *peer;
    b->bytes += ENTRY_BYTES;
    list_add(b, e);
    *ret = e;
out:
    return err;
}

void cn_book_string_drop(cn_book *b, cn_slice *text)
{
    union {
        const uint8_t *lent;
        uint8_t *owned;
    } data = {text->data};
    if (text->data != NULL) {
        b->bytes -= text->len + STRING_BYTES;
        cn_free(b->mem, data.owned);
    }
    *text = (cn_slice){0};
}

cn_err cn_book_string_set(cn_book *b, const cn_book_entry *e, cn_slice *to, cn_slice text)
{
    cn_err err = CN_OK;
    uint8_t *copy = NULL;
    if (text.len == 0 || cn_slice_eq(*to, text)) {
        if (text.len == 0) {
            cn_book_string_drop(b, to);
        }
        return CN_OK;
    }
    CN_TRY(cn_book_room(b, e, text.len + STRING_BYTES));
    copy = cn_alloc_dirty(b->mem, text.len);
    if (copy == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_copy(copy, text.data, text.len);
    cn_book_string_drop(b, to);
    b->bytes += text.len + STRING_BYTES;
    *to = cn_slice_of(copy, text.len);
out:
    return err;
}

static void drop_protocols(cn_book *b, cn_book_entry *e)
{
    if (e->protocols != NULL) {
        b->bytes -= e->protocols_bytes;
        cn_free(b->mem, e->protocols);
    }
    e->protocols = NULL;
    e->protocols_len = 0;
    e->protocols_bytes = 0;
}

void cn_book_entry_drop(cn_book *b, cn_book_entry *e)
{
    while (e->addresses_len > 0) {
        cn_book_address_drop(b, e, e->addresses_len - 1);
    }
    b->bytes -= e->addresses_cap * ADDRESS_BYTES;
    cn_free(b->mem, e->addresses);
    cn_free(b->mem, e->states);
    drop_protocols(b, e);
    cn_book_string_drop(b, &e->agent);
    cn_book_string_drop(b, &e->protocol_version);
    cn_book_string_drop(b, &e->public_key);
    list_remove(b, e);
    (void)cn_map_remove(&b->peers, cn_peer_id_bytes(&e->id));
    b->bytes -= ENTRY_BYTES;
    cn_free(b->mem, e);
}

/* --- what they are --- */

/* Sort slices by bytes; few, and mostly sorted already. */
static void sort(cn_slice *list, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        cn_slice s = list[i];
        size_t at = i;
        while (at > 0 && cn_slice_cmp(list[at - 1], s) > 0) {
            list[at] = list[at - 1];
            at--;
        }
        list[at] = s;
    }
}

static cn_err set_protocols(cn_book *b, cn_book_entry *e, const cn_slice *names, size_t len)
{
    cn_err err = CN_OK;
    size_t bytes = len * sizeof(cn_slice);
    cn_slice *list = NULL;
    uint8_t *at = NULL;
    for (size_t i = 0; i < len; i++) {
        bytes += names[i].len;
    }
    if (len > 0) {
        CN_TRY(cn_book_room(b, e, bytes));
        list = cn_alloc_dirty(b->mem, bytes);
        if (list == NULL) {
            return CN_ERR_NO_MEMORY;
        }
        at = (uint8_t *)(list + len);
        for (size_t i = 0; i < len; i++) {
            cn_copy(at, names[i].data, names[i].len);
            list[i] = cn_slice_of(at, names[i].len);
            at += names[i].len;
        }
        sort(list, len);
    }
    drop_protocols(b, e);
    e->protocols = list;
    e->protocols_len = len;
    e->protocols_bytes = len == 0 ? 0 : bytes;
    b->bytes += e->protocols_bytes;
    e->protocols_known = true;
out:
    return err;
}

static cn_err set_public_key(cn_book *b, cn_book_entry *e, cn_slice message)
{
    cn_peer_id id = cn_peer_id_of_message(message);
    if (!cn_peer_id_eq(&id, &e->id) || cn_peer_id_public(&id, NULL)) {
        return CN_OK;
    }
    return cn_book_string_set(b, e, &e->public_key, message);
}

cn_err cn_book_describe(cn_book *b, const cn_peer_id *peer, const cn_book_about *about, cn_time now)
{
    cn_err err = CN_OK;
    cn_book_entry *e = NULL;
    CN_UNUSED(now);
    CN_TRY(cn_book_entry_make(b, peer, &e));
    if (about->agent.data != NULL) {
        CN_TRY(cn_book_string_set(b, e, &e->agent, about->agent));
    }
    if (about->protocol_version.data != NULL) {
        CN_TRY(cn_book_string_set(b, e, &e->protocol_version, about->protocol_version));
    }
    if (about->public_key.data != NULL) {
        CN_TRY(set_public_key(b, e, about->public_key));
    }
    if (about->protocols != NULL) {
        CN_TRY(set_protocols(b, e, about->protocols, about->protocols_len));
    }
    cn_book_entry_touch(b, e);
out:
    return err;
}

/* --- asking --- */

void cn_book_entry_show(const cn_book_entry *e, cn_book_peer *ret)
{
    *ret = (cn_book_peer){
        .id = e->id,
        .addresses = e->addresses,
        .states = e->states,
        .addresses_len = e->addresses_len,
        .protocols = e->protocols,
        .protocols_len = e->protocols_len,
        .protocols_known = e->protocols_known,
        .agent = e->agent,
        .protocol_version = e->protocol_version,
        .public_key = e->public_key,
        .sequence = e->sequence,
        .connected = e->connected,
    };
    (void)cn_peer_id_public(&ret->id, &ret->public_key);
}

/* Drop what has run out; false: nothing of `e` is left, it is gone. */
static bool age(cn_book *b, cn_book_entry *e, cn_time now)
{
    if (e->connected) {
        return true;
    }
    for (size_t i = e->addresses_len; i > 0; i--) {
        if (e->states[i - 1].expires.ns <= now.ns) {
            cn_book_address_drop(b, e, i - 1);
        }
    }
    if (e->addresses_len > 0) {
        return true;
    }
    cn_book_entry_drop(b, e);
    return false;
}

bool cn_book_find(cn_book *b, const cn_peer_id *peer, cn_time now, cn_book_peer *ret)
{
    cn_book_entry *e = cn_book_entry_of(b, peer);
    if (e == NULL || !age(b, e, now)) {
        return false;
    }
    cn_book_entry_show(e, ret);
    return true;
}

int cn_book_speaks(const cn_book *b, const cn_peer_id *peer, cn_slice name)
{
    const cn_book_entry *e = cn_book_entry_of(b, peer);
    size_t low = 0;
    size_t high = e == NULL ? 0 : e->protocols_len;
    if (e == NULL || !e->protocols_known) {
        return -1;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = cn_slice_cmp(e->protocols[middle], name);
        if (order == 0) {
            return 1;
        }
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    return 0;
}

bool cn_book_next(const cn_book *b, size_t *position, cn_book_peer *ret)
{
    cn_slice key = {0};
    void *value = NULL;
    if (!cn_map_next(&b->peers, position, &key, &value)) {
        return false;
    }
    cn_book_entry_show(*(cn_book_entry **)value, ret);
    return true;
}

size_t cn_book_len(const cn_book *b)
{
    return b->peers.len;
}

size_t cn_book_bytes(const cn_book *b)
{
    return b->bytes;
}

void cn_book_tick(cn_book *b, cn_time now)
{
    size_t position = 0;
    cn_slice key = {0};
    void *value = NULL;
    if (now.ns < b->next_tick.ns) {
        return;
    }
    while (cn_map_next(&b->peers, &position, &key, &value)) {
        (void)age(b, *(cn_book_entry **)value, now);
    }
    b->next_tick = cn_time_after(now, TICK_S * CN_NS_PER_S);
}

cn_time cn_book_deadline(const cn_book *b)
{
    return b->peers.len == 0 ? CN_TIME_NEVER : b->next_tick;
}
