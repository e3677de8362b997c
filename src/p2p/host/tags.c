/*
 * A peer's tags are one small array, worths and protections alike; the peer goes from the table
 * with its last tag.
 */
#include "p2p/host/tags.h"

enum { PEERS_MAX = 16384 };

typedef struct tag {
    char name[CN_TAGS_NAME_MAX_BYTES];
    uint8_t name_len;
    bool protects;
    int worth; /* of a tag that does not protect */
} tag;

typedef struct tags_peer {
    tag *tags;
    size_t len;
    size_t cap;
} tags_peer;

void cn_tags_init(cn_tags *t, cn_mem *mem, size_t peers_max, uint64_t seed)
{
    cn_map_init(&t->peers, mem, sizeof(tags_peer), peers_max == 0 ? PEERS_MAX : peers_max, seed);
}

void cn_tags_release(cn_tags *t)
{
    size_t position = 0;
    cn_slice key = {0};
    void *value = NULL;
    while (cn_map_next(&t->peers, &position, &key, &value)) {
        cn_free(t->peers.mem, ((tags_peer *)value)->tags);
    }
    cn_map_release(&t->peers);
}

static tags_peer *peer_of(const cn_tags *t, const cn_peer_id *peer)
{
    return cn_map_get(&t->peers, cn_peer_id_bytes(peer));
}

/* The tag of that name and kind, or NULL. */
static tag *find(const tags_peer *p, cn_slice name, bool protects)
{
    for (size_t i = 0; p != NULL && i < p->len; i++) {
        tag *one = &p->tags[i];
        if (one->protects == protects && cn_slice_eq(cn_slice_of(one->name, one->name_len), name)) {
            return one;
        }
    }
    return NULL;
}

static void drop_if_bare(cn_tags *t, const cn_peer_id *peer)
{
    tags_peer *p = peer_of(t, peer);
    if (p != NULL && p->len == 0) {
        cn_free(t->peers.mem, p->tags);
        (void)cn_map_remove(&t->peers, cn_peer_id_bytes(peer));
    }
}

static void remove_tag(cn_tags *t, const cn_peer_id *peer, cn_slice name, bool protects)
{
    tags_peer *p = peer_of(t, peer);
    tag *one = find(p, name, protects);
    if (one != NULL) {
        *one = p->tags[--p->len];
        drop_if_bare(t, peer);
    }
}

static cn_err add_tag(cn_tags *t, const cn_peer_id *peer, cn_slice name, bool protects, tag **ret)
{
    cn_err err = CN_OK;
    void *value = NULL;
    void *tags = NULL;
    tags_peer *p = peer_of(t, peer);
    tag *one = find(p, name, protects);
    if (one != NULL) {
        *ret = one;
        return CN_OK;
    }
    if (name.len > CN_TAGS_NAME_MAX_BYTES) {
        return CN_ERR_TOO_LARGE;
    }
    CN_TRY(cn_map_put(&t->peers, cn_peer_id_bytes(peer), &value, NULL));
    p = value;
    tags = p->tags;
    err = cn_array_grow(t->peers.mem, &tags, &p->cap, p->len, CN_TAGS_PER_PEER_MAX, sizeof(tag));
    p->tags = tags;
    if (err != CN_OK) {
        drop_if_bare(t, peer);
        goto out;
    }
    one = &p->tags[p->len++];
    *one = (tag){.name_len = (uint8_t)name.len, .protects = protects};
    cn_copy(one->name, name.data, name.len);
    *ret = one;
out:
    return err;
}

cn_err cn_tags_set(cn_tags *t, const cn_peer_id *peer, cn_slice name, int worth)
{
    cn_err err = CN_OK;
    tag *one = NULL;
    if (worth == 0) {
        remove_tag(t, peer, name, false);
        return CN_OK;
    }
    CN_TRY(add_tag(t, peer, name, false, &one));
    one->worth = worth;
out:
    return err;
}

int64_t cn_tags_worth(const cn_tags *t, const cn_peer_id *peer)
{
    const tags_peer *p = peer_of(t, peer);
    int64_t sum = 0;
    for (size_t i = 0; p != NULL && i < p->len; i++) {
        sum += p->tags[i].worth;
    }
    return sum;
}

cn_err cn_tags_protect(cn_tags *t, const cn_peer_id *peer, cn_slice name)
{
    tag *one = NULL;
    return add_tag(t, peer, name, true, &one);
}

bool cn_tags_unprotect(cn_tags *t, const cn_peer_id *peer, cn_slice name)
{
    remove_tag(t, peer, name, true);
    return cn_tags_is_protected(t, peer, (cn_slice){0});
}

bool cn_tags_is_protected(const cn_tags *t, const cn_peer_id *peer, cn_slice name)
{
    const tags_peer *p = peer_of(t, peer);
    if (name.len > 0) {
        return find(p, name, true) != NULL;
    }
    for (size_t i = 0; p != NULL && i < p->len; i++) {
        if (p->tags[i].protects) {
            return true;
        }
    }
    return false;
}
