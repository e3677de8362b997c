/*
 * HAMT from all its entries at once. Sorted by hash, the entries below any shard are one run of the
 * list, and so are those of each of its buckets: one pass over the list, with one open shard for
 * each level, writes every shard once, children first.
 *
 * spec: ipfs/specs unixfs 'HAMTDirectory'; the bitmap is big-endian and trimmed, as Kubo's
 */
#include "unixfs/dir_internal.h"

#include "crypto/murmur3.h"

enum {
    HASH_BITS = 64,
    LEVELS_MAX = HASH_BITS / 3 + 1, /* fanout 8 takes 3 bits a level */
    BITMAP_BYTES = CN_IMPORT_FANOUT_MAX / 8,
    PREFIX_BYTES = 4,
};

#define SHARD_MAX_BYTES ((size_t)1 << 32)

typedef struct slot {
    uint64_t hash;
    uint64_t offset; /* of the packed entry */
} slot;

/* An open shard: the run of slots below it, and what is written of it. */
typedef struct shard {
    size_t next;
    size_t end;
    size_t bucket; /* of the sub-shard being written */
    uint64_t tsize_bytes;
    cn_buf links;
    uint8_t bitmap[BITMAP_BYTES]; /* big-endian: bucket 0 is the lowest bit of the last byte */
} shard;

typedef struct builder {
    const cn_dir_builder *dir;
    slot *slots;
    unsigned fanout;
    unsigned bits; /* of the hash, for each level */
    size_t prefix_digits;
    size_t level;  /* of the innermost open shard */
    shard *shards; /* LEVELS_MAX */
    cn_buf name;   /* of the link being written */
} builder;

static bool slot_before(const slot *a, const slot *b)
{
    return a->hash < b->hash || (a->hash == b->hash && a->offset < b->offset);
}

static void sift(slot *slots, size_t root, size_t len)
{
    slot moved = slots[root];
    for (size_t child; (child = 2 * root + 1) < len; root = child) {
        if (child + 1 < len && slot_before(&slots[child], &slots[child + 1])) {
            child++;
        }
        if (!slot_before(&moved, &slots[child])) {
            break;
        }
        slots[root] = slots[child];
    }
    slots[root] = moved;
}

/* Heap sort: in place, so that a million entries take no second list. */
static void sort_slots(slot *slots, size_t len)
{
    for (size_t i = len / 2; i > 0; i--) {
        sift(slots, i - 1, len);
    }
    for (size_t end = len; end > 1; end--) {
        slot last = slots[end - 1];
        slots[end - 1] = slots[0];
        slots[0] = last;
        sift(slots, 0, end - 1);
    }
}

static void fill_slots(const cn_dir_builder *b, slot *slots)
{
    size_t offset = 0;
    for (size_t i = 0; i < b->len; i++) {
        cn_dagpb_link link;
        size_t next = 0;
        cn_dir_entry(b, offset, &link, &next);
        slots[i] = (slot){cn_murmur3_x64_64(link.name), offset};
        offset = next;
    }
    sort_slots(slots, b->len);
}

static size_t bucket_of(const builder *t, uint64_t hash, size_t level)
{
    return hash >> (HASH_BITS - t->bits * (level + 1)) & (t->fanout - 1);
}

/* Append a link called by its bucket in uppercase hexadecimal, then `name`. */
static cn_err add_link(builder *t, shard *s, size_t bucket, cn_dagpb_link link)
{
    static const char digits[] = "0123456789ABCDEF";
    cn_buf_reset(&t->name);
    cn_err err = CN_OK;
    for (size_t i = t->prefix_digits; i > 0 && err == CN_OK; i--) {
        err = cn_buf_byte(&t->name, (uint8_t)digits[bucket >> (4 * (i - 1)) & 15]);
    }
    if (err == CN_OK) {
        err = cn_buf_append(&t->name, link.name);
    }
    if (err == CN_OK) {
        link.name = cn_buf_slice(&t->name);
        err = cn_dagpb_link_append(&link, &s->links);
    }
    if (err == CN_OK) {
        s->bitmap[BITMAP_BYTES - 1 - bucket / 8] |= (uint8_t)(1u << bucket % 8);
        s->tsize_bytes += link.tsize_bytes;
    }
    return err;
}

static cn_err open_shard(builder *t, size_t level, size_t from, size_t end, cn_why *why)
{
    if (t->bits * (level + 1) > HASH_BITS) {
        cn_dagpb_link a;
        cn_dagpb_link b;
        cn_dir_entry(t->dir, t->slots[from].offset, &a, NULL);
        cn_dir_entry(t->dir, t->slots[from + 1].offset, &b, NULL);
        return cn_slice_eq(a.name, b.name)
                   ? cn_dir_twice(a.name, why)
                   : cn_why_set(why, CN_ERR_TOO_DEEP, "sharded directory too deep");
    }
    shard *s = &t->shards[level];
    cn_buf links = s->links;
    *s = (shard){.next = from, .end = end};
    s->links = links;
    cn_buf_reset(&s->links);
    t->level = level;
    return CN_OK;
}

/* Write the innermost shard. */
static cn_err close_shard(builder *t, cn_import_ref *ret, cn_why *why)
{
    shard *s = &t->shards[t->level];
    size_t zeros = 0;
    while (zeros < BITMAP_BYTES && s->bitmap[zeros] == 0) {
        zeros++;
    }
    cn_unixfs_data d = {
        .type = CN_UNIXFS_HAMT,
        .has_data = true,
        .data = {s->bitmap + zeros, BITMAP_BYTES - zeros},
        .has_hash_type = true,
        .hash_type = CN_UNIXFS_HAMT_HASH,
        .has_fanout = true,
        .fanout = t->fanout,
    };
    if (t->level == 0) {
        cn_import_meta_set(&t->dir->meta, &d);
    }
    cn_import_ref made = {0};
    cn_buf_reset(&t->name);
    cn_err err = cn_unixfs_data_encode(&d, NULL, &t->name);
    if (err == CN_OK) {
        err = cn_dagpb_data_append(cn_buf_slice(&t->name), &s->links);
    }
    if (err == CN_OK) {
        err = cn_emit_node(t->dir->emit, cn_buf_slice(&s->links), &made.cid, why);
    }
    if (err == CN_OK) {
        made.tsize_bytes = s->tsize_bytes + s->links.len;
        *ret = made;
    }
    return err;
}

/* One bucket of the innermost shard: an entry becomes a link, more become a shard that opens. */
static cn_err step_bucket(builder *t, cn_why *why)
{
    shard *s = &t->shards[t->level];
    size_t from = s->next;
    size_t bucket = bucket_of(t, t->slots[from].hash, t->level);
    while (s->next < s->end && bucket_of(t, t->slots[s->next].hash, t->level) == bucket) {
        s->next++;
    }
    if (s->next - from == 1) {
        cn_dagpb_link link;
        cn_dir_entry(t->dir, t->slots[from].offset, &link, NULL);
        return add_link(t, s, bucket, link);
    }
    s->bucket = bucket;
    return open_shard(t, t->level + 1, from, s->next, why);
}

static cn_err build(builder *t, cn_import_ref *ret, cn_why *why)
{
    cn_import_ref made = {0};
    cn_err err = open_shard(t, 0, 0, t->dir->len, why);
    while (err == CN_OK) {
        shard *s = &t->shards[t->level];
        if (s->next < s->end) {
            err = step_bucket(t, why);
            continue;
        }
        err = close_shard(t, &made, why);
        if (err != CN_OK || t->level == 0) {
            break;
        }
        shard *above = &t->shards[--t->level];
        cn_dagpb_link link = {
            .cid = cn_cid_bytes(&made.cid),
            .has_name = true,
            .tsize_bytes = made.tsize_bytes,
            .has_tsize = true,
        };
        err = add_link(t, above, above->bucket, link);
    }
    if (err == CN_OK) {
        *ret = made;
    }
    return err;
}

cn_err cn_hamt_build(cn_dir_builder *b, cn_import_ref *ret, cn_why *why)
{
    cn_mem *mem = b->emit->mem;
    unsigned fanout = b->emit->options->hamt_fanout;
    builder t = {.dir = b, .fanout = fanout, .bits = (unsigned)__builtin_ctz(fanout)};
    t.prefix_digits = (t.bits + 3) / 4;
    cn_buf_init(&t.name, mem, SHARD_MAX_BYTES);
    t.slots = cn_alloc_array(mem, b->len, sizeof *t.slots);
    t.shards = cn_alloc_array(mem, LEVELS_MAX, sizeof *t.shards);
    cn_err err = t.slots == NULL || t.shards == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    if (err == CN_OK) {
        for (size_t i = 0; i < LEVELS_MAX; i++) {
            cn_buf_init(&t.shards[i].links, mem, SHARD_MAX_BYTES);
        }
        fill_slots(b, t.slots);
        err = build(&t, ret, why);
    }
    for (size_t i = 0; t.shards != NULL && i < LEVELS_MAX; i++) {
        cn_buf_release(&t.shards[i].links);
    }
    cn_free(mem, t.shards);
    cn_free(mem, t.slots);
    cn_buf_release(&t.name);
    return err;
}
