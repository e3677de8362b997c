/*
 * Answers by target, in a table of fixed size with two places for each target: a new one takes an
 * empty, stale or otherwise the older place. Sharded, each shard with its own lock, so threads do
 * not wait for each other. Invariant: used_bytes is the sum of what is kept, at most max_bytes.
 */
#include "gateway/internal.h"

enum { SHARDS = 16, PLACES = 64, WAYS = 2 };

typedef struct kept {
    char *target;
    size_t target_len;
    uint64_t hash;
    cn_http_response *response;
    unsigned status;
    size_t bytes;
    cn_time until;
} kept;

typedef struct shard {
    cn_lock *lock;
    kept places[PLACES];
} shard;

struct cn_gw_cache {
    cn_mem *mem;
    size_t max_bytes;
    atomic_size_t used_bytes;
    shard shards[SHARDS];
};

static uint64_t hash_of(cn_slice target)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < target.len; i++) {
        h = (h ^ target.data[i]) * 0x100000001b3u;
    }
    return h ^ h >> 29;
}

cn_err cn_gw_cache_new(cn_mem *mem, size_t max_bytes, cn_gw_cache **ret)
{
    cn_gw_cache *c = cn_alloc(mem, sizeof *c);
    if (c == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    c->mem = mem;
    c->max_bytes = max_bytes;
    for (size_t i = 0; i < SHARDS; i++) {
        if (cn_lock_new(mem, &c->shards[i].lock) != CN_OK) {
            cn_gw_cache_free(c);
            return CN_ERR_NO_MEMORY;
        }
    }
    *ret = c;
    return CN_OK;
}

static void drop(cn_gw_cache *c, kept *k)
{
    if (k->response != NULL) {
        (void)atomic_fetch_sub(&c->used_bytes, k->bytes);
        cn_http_response_free(k->response);
        cn_free(c->mem, k->target);
        *k = (kept){0};
    }
}

void cn_gw_cache_free(cn_gw_cache *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < SHARDS; i++) {
        for (size_t k = 0; k < PLACES; k++) {
            drop(c, &c->shards[i].places[k]);
        }
        cn_lock_free(c->shards[i].lock);
    }
    cn_free(c->mem, c);
}

/* The WAYS places in which a target may lie. */
static kept *set_of(shard *s, uint64_t hash)
{
    return &s->places[(hash >> 8) % (PLACES / WAYS) * WAYS];
}

bool cn_gw_cache_answer(cn_gw_cache *c, cn_time now, cn_http_request *r)
{
    cn_slice target = cn_http_target(r);
    uint64_t hash = hash_of(target);
    shard *s = &c->shards[hash % SHARDS];
    bool found = false;
    cn_lock_take(s->lock);
    kept *set = set_of(s, hash);
    for (size_t i = 0; i < WAYS && !found; i++) {
        kept *k = &set[i];
        if (k->response == NULL || k->hash != hash ||
            !cn_slice_eq(cn_slice_of(k->target, k->target_len), target)) {
            continue;
        }
        if (k->until.ns < now.ns) {
            drop(c, k);
            break;
        }
        cn_http_answer_shared(r, k->status, k->response);
        found = true;
    }
    cn_lock_give(s->lock);
    return found;
}

bool cn_gw_cache_keep(
    cn_gw_cache *c,
    cn_time now,
    cn_http_request *r,
    unsigned status,
    cn_http_response *resp,
    size_t bytes)
{
    cn_slice target = cn_http_target(r);
    uint64_t hash = hash_of(target);
    shard *s = &c->shards[hash % SHARDS];
    bytes += target.len + 2048; /* and its headers */
    char *copy = cn_strdup(c->mem, (const char *)target.data, target.len);
    if (copy == NULL) {
        return false;
    }
    cn_lock_take(s->lock);
    kept *set = set_of(s, hash);
    kept *place = set[0].until.ns <= set[1].until.ns ? &set[0] : &set[1];
    drop(c, place);
    bool fits = atomic_fetch_add(&c->used_bytes, bytes) + bytes <= c->max_bytes;
    if (fits) {
        *place = (kept){
            .target = copy,
            .target_len = target.len,
            .hash = hash,
            .response = resp,
            .status = status,
            .bytes = bytes,
            .until = cn_time_after(now, CN_NS_PER_S),
        };
        cn_http_answer_shared(r, status, resp);
    } else {
        (void)atomic_fetch_sub(&c->used_bytes, bytes);
    }
    cn_lock_give(s->lock);
    if (!fits) {
        cn_free(c->mem, copy);
    }
    return fits;
}
