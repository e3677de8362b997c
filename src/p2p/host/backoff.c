/*
 * Keys are hashes of peer and address, so that an entry is small whatever the address. Each carries
 * the number of its last failure; in a full table those that have run out go, and if there are
 * none, the older half.
 */
#include "p2p/host/backoff.h"

#include "crypto/sha256.h"

enum {
    ENTRIES_MAX = 4096,
    KEY_BYTES = 16,
};

typedef struct backoff_entry {
    cn_time until;
    uint64_t order;
    uint32_t again; /* failures after the first */
} backoff_entry;

void cn_backoff_init(cn_backoff *b, cn_mem *mem, size_t entries_max, uint64_t seed)
{
    *b = (cn_backoff){.order = 0};
    cn_map_init(
        &b->entries, mem, sizeof(backoff_entry), entries_max == 0 ? ENTRIES_MAX : entries_max,
        seed);
}

void cn_backoff_release(cn_backoff *b)
{
    cn_map_release(&b->entries);
}

static void key_of(const cn_peer_id *peer, cn_slice address, uint8_t ret[CN_SHA256_BYTES])
{
    cn_sha256_state sha;
    cn_sha256_init(&sha);
    cn_sha256_update(&sha, cn_slice_of(&peer->len, 1)); /* so that no two pairs run together */
    cn_sha256_update(&sha, cn_peer_id_bytes(peer));
    cn_sha256_update(&sha, address);
    cn_sha256_final(&sha, ret);
}

static int64_t wait_ns(uint32_t again)
{
    int64_t square_ns = CN_BACKOFF_MAX_NS;
    if (again < 1000) {
        square_ns = (int64_t)again * again * CN_NS_PER_S;
    }
    return CN_MIN(CN_BACKOFF_BASE_NS + square_ns, CN_BACKOFF_MAX_NS);
}

static void make_place(cn_backoff *b, cn_time now)
{
    size_t half = b->entries.entries_max / 2;
    uint64_t young = b->order > half ? b->order - half : 0;
    for (int forced = 0; forced < 2 && b->entries.len == b->entries.entries_max; forced++) {
        size_t position = 0;
        cn_slice key = {0};
        void *value = NULL;
        while (cn_map_next(&b->entries, &position, &key, &value)) {
            const backoff_entry *e = value;
            if (e->until.ns <= now.ns || (forced == 1 && e->order < young)) {
                (void)cn_map_remove(&b->entries, key);
            }
        }
    }
}

void cn_backoff_failed(cn_backoff *b, const cn_peer_id *peer, cn_slice address, cn_time now)
{
    uint8_t key[CN_SHA256_BYTES];
    bool is_new = false;
    void *value = NULL;
    key_of(peer, address, key);
    if (cn_map_get(&b->entries, cn_slice_of(key, KEY_BYTES)) == NULL) {
        make_place(b, now);
    }
    if (cn_map_put(&b->entries, cn_slice_of(key, KEY_BYTES), &value, &is_new) != CN_OK) {
        return;
    }
    backoff_entry *e = value;
    bool is_old = !is_new && now.ns - e->until.ns > CN_BACKOFF_MAX_NS; /* another time's failures */
    e->again = is_new || is_old ? 0 : e->again + (e->again < UINT32_MAX);
    e->until = cn_time_after(now, wait_ns(e->again));
    e->order = b->order++;
}

void cn_backoff_clear(cn_backoff *b, const cn_peer_id *peer, cn_slice address)
{
    uint8_t key[CN_SHA256_BYTES];
    key_of(peer, address, key);
    (void)cn_map_remove(&b->entries, cn_slice_of(key, KEY_BYTES));
}

bool cn_backoff_may_dial(
    const cn_backoff *b, const cn_peer_id *peer, cn_slice address, cn_time now, cn_time *ret_until)
{
    uint8_t key[CN_SHA256_BYTES];
    const backoff_entry *e = NULL;
    key_of(peer, address, key);
    e = cn_map_get(&b->entries, cn_slice_of(key, KEY_BYTES));
    if (e == NULL || e->until.ns <= now.ns) {
        return true;
    }
    if (ret_until != NULL) {
        *ret_until = e->until;
    }
    return false;
}
