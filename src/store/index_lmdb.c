/*
 * The index in LMDB: "b" key to place, "s" segment number (big-endian) to what is known of it, "m"
 * the version. MDB_NOMETASYNC: a power cut may take back the last transaction, never tear one; the
 * tail of the segment is then replayed from the checkpoint before.
 */
#include "store/filter.h"
#include "store/index.h"
#include "store/lmdb_scan.h"

#define READ_FOR_NS (CN_NS_PER_S / 2)
enum {
    INDEX_VERSION = 1,
    FORGET_FROM_BYTES = 16 << 20,
    FORGET_AFTER = 512,
    FORGET_AFTER_SCANNED = 1 << 16, /* entries read one after the other: half of their pages' */
};

typedef struct index_lmdb {
    cn_index base;
    cn_lmdb lmdb;
    MDB_dbi blocks, segments, about;
    atomic_uint touched;               /* look-ups and changes so far */
    atomic_int_least64_t forget_at_ns; /* readers let go of the pages then */
    cn_filter filter;
} index_lmdb;

static MDB_val val(cn_slice s)
{
    union {
        const uint8_t *in;
        void *out;
    } unconst = {.in = s.data};
    return (MDB_val){s.len, unconst.out};
}

/*
 * What was touched of the map counts as this process's memory: a large index would fill it. The
 * pages are given back after a commit, and after so many look-ups and changes: each maps up to 16
 * pages around the one that it needs, where the kernel has them. The version's record, which no
 * transaction changes, tells where the map lies.
 */
static void forget_pages(index_lmdb *i, MDB_txn *txn)
{
    uint8_t name = 'v';
    MDB_val k = {1, &name};
    MDB_val v = {0};
    if (cn_lmdb_bytes(&i->lmdb) >= FORGET_FROM_BYTES && mdb_get(txn, i->about, &k, &v) == 0) {
        cn_lmdb_forget_pages(&i->lmdb, v.mv_data);
    }
}

static void forget_after_commit(index_lmdb *i)
{
    MDB_txn *txn = NULL;
    if (cn_lmdb_read(&i->lmdb, &txn) == CN_OK) {
        forget_pages(i, txn);
        cn_lmdb_read_end(&i->lmdb, txn);
    }
}

static void note_touched(index_lmdb *i, MDB_txn *txn)
{
    if ((atomic_fetch_add(&i->touched, 1) + 1) % FORGET_AFTER == 0) {
        forget_pages(i, txn);
    }
}

/*
 * Readers at random come back to the same pages: taking them away too soon costs more than all
 * else. So they are let go of once in a while only, which leaves few with who reads seldom.
 */
static void note_read(index_lmdb *i, MDB_txn *txn)
{
    int64_t now = cn_rt_now(i->lmdb.rt).ns;
    int64_t due = atomic_load_explicit(&i->forget_at_ns, memory_order_relaxed);
    if (now >= due && atomic_compare_exchange_strong(&i->forget_at_ns, &due, now + READ_FOR_NS)) {
        forget_pages(i, txn);
    }
}

/* `frugal`: who looks up one after the other while adding keeps few pages. */
static cn_err look_up(index_lmdb *i, cn_slice key, bool frugal, cn_place *ret)
{
    MDB_txn *txn = NULL;
    MDB_val k = val(key);
    MDB_val v = {0};
    if (cn_filter_lacks(&i->filter, key)) {
        return CN_ERR_NOT_FOUND;
    }
    cn_err err = cn_lmdb_read(&i->lmdb, &txn);
    if (err == CN_OK) {
        err = cn_lmdb_err(mdb_get(txn, i->blocks, &k, &v));
    }
    if (err == CN_ERR_NOT_FOUND) {
        cn_filter_note_miss(&i->filter);
    }
    if (err == CN_OK && cn_place_decode(cn_slice_of(v.mv_data, v.mv_size), ret) != CN_OK) {
        err = CN_ERR_CORRUPT;
    }
    if (txn != NULL && frugal) {
        note_touched(i, txn);
    } else if (txn != NULL) {
        note_read(i, txn);
    }
    cn_lmdb_read_end(&i->lmdb, txn);
    return cn_lmdb_judge(&i->lmdb, err);
}

static cn_err get(cn_index *x, cn_slice key, cn_place *ret)
{
    return look_up((index_lmdb *)x, key, false, ret);
}

static cn_err probe(cn_index *x, cn_slice key, cn_place *ret)
{
    return look_up((index_lmdb *)x, key, true, ret);
}

static void segment_key(uint32_t segment, uint8_t out[4])
{
    for (unsigned n = 0; n < 4; n++) {
        out[n] = (uint8_t)(segment >> (24 - 8 * n));
    }
}

static int apply_changes(index_lmdb *i, MDB_txn *txn, const cn_index_batch *batch)
{
    cn_index_change change;
    uint8_t bytes[CN_PLACE_BYTES];
    int result = 0;
    for (size_t n = 0; batch->changes != NULL && batch->changes(batch->ctx, n, &change); n++) {
        MDB_val k = val(change.key);
        if (change.place.segment == 0) {
            result = mdb_del(txn, i->blocks, &k, NULL);
            result = result == MDB_NOTFOUND ? 0 : result;
        } else {
            cn_filter_add(&i->filter, change.key);
            cn_place_encode(&change.place, bytes);
            MDB_val v = {sizeof bytes, bytes};
            result = mdb_put(txn, i->blocks, &k, &v, 0);
        }
        if (result != 0) {
            break;
        }
        note_touched(i, txn);
    }
    return result;
}

static int apply_metas(index_lmdb *i, MDB_txn *txn, const cn_index_batch *batch)
{
    uint8_t key[4];
    uint8_t bytes[CN_SEGMENT_META_BYTES];
    MDB_val k = {sizeof key, key};
    MDB_val v = {sizeof bytes, bytes};
    int result = 0;
    for (size_t n = 0; n < batch->metas_len && result == 0; n++) {
        segment_key(batch->metas[n].segment, key);
        cn_segment_meta_encode(&batch->metas[n], bytes);
        result = mdb_put(txn, i->segments, &k, &v, 0);
    }
    for (size_t n = 0; n < batch->gone_len && result == 0; n++) {
        segment_key(batch->gone[n], key);
        result = mdb_del(txn, i->segments, &k, NULL);
        result = result == MDB_NOTFOUND ? 0 : result;
    }
    return result;
}

/* One transaction; an LMDB result. */
static int apply_once(index_lmdb *i, const cn_index_batch *batch)
{
    MDB_txn *txn = NULL;
    int result = cn_lmdb_write(&i->lmdb, &txn);
    if (result == 0) {
        result = apply_changes(i, txn, batch);
        if (result == 0) {
            result = apply_metas(i, txn, batch);
        }
        if (result == 0) {
            result = mdb_txn_commit(txn);
        } else {
            mdb_txn_abort(txn);
        }
    }
    cn_lmdb_write_end(&i->lmdb, result);
    return result;
}

static cn_err count(cn_index *x, uint64_t *ret)
{
    index_lmdb *i = (index_lmdb *)x;
    MDB_txn *txn = NULL;
    MDB_stat stat = {0};
    cn_err err = cn_lmdb_read(&i->lmdb, &txn);
    if (err == CN_OK) {
        err = cn_lmdb_err(mdb_stat(txn, i->blocks, &stat));
    }
    cn_lmdb_read_end(&i->lmdb, txn);
    if (err == CN_OK) {
        *ret = stat.ms_entries;
    }
    return err;
}

/* What fills the filter. */
typedef struct filling {
    index_lmdb *index;
    _Atomic(uint64_t) *bits;
    uint64_t keys;
} filling;

static cn_err fill_one(void *ctx, cn_slice key, cn_slice value)
{
    filling *f = ctx;
    CN_UNUSED(value);
    cn_filter_add_to(f->bits, key);
    if (++f->keys % FORGET_AFTER_SCANNED == 0) {
        forget_after_commit(f->index);
    }
    return CN_OK;
}

/* Nobody changes the index meanwhile. Without memory, or where it cannot be read, there is none. */
static void fill_filter(index_lmdb *i)
{
    filling f = {.index = i};
    uint64_t keys = 0;
    if (count(&i->base, &keys) != CN_OK || !cn_filter_is_due(&i->filter, keys) ||
        cn_filter_prepare(i->lmdb.mem, &f.bits) != CN_OK) {
        return;
    }
    if (cn_lmdb_each(&i->lmdb, i->blocks, (cn_slice){0}, fill_one, &f) == CN_OK) {
        cn_filter_use(&i->filter, f.bits);
    } else {
        cn_filter_drop(i->lmdb.mem, f.bits);
    }
}

static cn_err apply(cn_index *x, const cn_index_batch *batch)
{
    index_lmdb *i = (index_lmdb *)x;
    fill_filter(i);
    while (!atomic_load(&i->lmdb.damaged)) {
        int result = apply_once(i, batch);
        if (result == 0 && batch->changes != NULL) {
            forget_after_commit(i);
        }
        if (result != MDB_MAP_FULL) {
            return cn_lmdb_judge(&i->lmdb, cn_lmdb_err(result));
        }
        cn_err err = cn_lmdb_grow(&i->lmdb);
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_ERR_CORRUPT;
}

/* What `scan` hands on. */
typedef struct scanning {
    cn_lmdb *lmdb;
    cn_index_visit visit;
    void *ctx;
} scanning;

static cn_err scan_one(void *ctx, cn_slice key, cn_slice value)
{
    const scanning *s = ctx;
    cn_place place;
    cn_key multihash;
    if (cn_place_decode(value, &place) != CN_OK || cn_key_decode(key, &multihash) != CN_OK) {
        return cn_lmdb_judge(s->lmdb, CN_ERR_CORRUPT);
    }
    return s->visit(s->ctx, key, &place);
}

static cn_err scan(cn_index *x, cn_index_visit visit, void *ctx)
{
    index_lmdb *i = (index_lmdb *)x;
    scanning s = {&i->lmdb, visit, ctx};
    return cn_lmdb_each(&i->lmdb, i->blocks, (cn_slice){0}, scan_one, &s);
}

static cn_err one_meta(MDB_val k, MDB_val v, cn_segment_meta *ret)
{
    const uint8_t *key = k.mv_data;
    if (k.mv_size != 4) {
        return CN_ERR_CORRUPT;
    }
    uint32_t segment =
        (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | (uint32_t)key[3];
    cn_err err = cn_segment_meta_decode(segment, cn_slice_of(v.mv_data, v.mv_size), ret);
    return err == CN_OK ? CN_OK : CN_ERR_CORRUPT;
}

static cn_err metas(cn_index *x, cn_index_meta_visit visit, void *ctx)
{
    index_lmdb *i = (index_lmdb *)x;
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val k = {0};
    MDB_val v = {0};
    cn_segment_meta meta;
    cn_err err = CN_OK;
    CN_TRY(cn_lmdb_read(&i->lmdb, &txn));
    CN_TRY(cn_lmdb_err(mdb_cursor_open(txn, i->segments, &cursor)));
    for (;;) {
        int result = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
        if (result == MDB_NOTFOUND) {
            break;
        }
        CN_TRY(cn_lmdb_err(result));
        CN_TRY(one_meta(k, v, &meta));
        CN_TRY(visit(ctx, &meta));
    }
out:
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    cn_lmdb_read_end(&i->lmdb, txn);
    return err;
}

static uint64_t bytes(cn_index *x)
{
    return cn_lmdb_bytes(&((index_lmdb *)x)->lmdb);
}

static cn_err checkpoint(cn_index *x)
{
    return cn_lmdb_sync(&((index_lmdb *)x)->lmdb);
}

static void distrust(cn_index *x)
{
    cn_lmdb_distrust(&((index_lmdb *)x)->lmdb);
}

static bool is_distrusted(cn_index *x)
{
    return atomic_load(&((index_lmdb *)x)->lmdb.damaged);
}

static void rest(cn_index *x)
{
    forget_after_commit((index_lmdb *)x);
}

static void close_index(cn_index *x)
{
    index_lmdb *i = (index_lmdb *)x;
    cn_mem *mem = i->lmdb.mem;
    cn_filter_release(&i->filter, mem);
    cn_lmdb_close(&i->lmdb);
    cn_free(mem, i);
}

static const cn_index_ops lmdb_ops = {
    .get = get,
    .probe = probe,
    .apply = apply,
    .scan = scan,
    .metas = metas,
    .count = count,
    .bytes = bytes,
    .checkpoint = checkpoint,
    .rest = rest,
    .distrust = distrust,
    .is_distrusted = is_distrusted,
    .close = close_index,
};

/* Open the three databases in `txn`; check or write the version. */
static cn_err open_databases(index_lmdb *i, MDB_txn *txn, unsigned flags, cn_why *why)
{
    uint8_t version[] = {'c', 'a', 'i', 'r', 'n', '-', 'i', 'd', 'x', INDEX_VERSION};
    uint8_t name = 'v';
    MDB_val k = {1, &name};
    MDB_val v = {0};
    int result = 0;
    cn_slice found = {0};
    cn_err err = CN_OK;
    CN_TRY(cn_lmdb_err(mdb_dbi_open(txn, "b", flags, &i->blocks)));
    CN_TRY(cn_lmdb_err(mdb_dbi_open(txn, "s", flags, &i->segments)));
    CN_TRY(cn_lmdb_err(mdb_dbi_open(txn, "m", flags, &i->about)));
    result = mdb_get(txn, i->about, &k, &v);
    if (result == MDB_NOTFOUND && (flags & MDB_CREATE) != 0) {
        v = (MDB_val){sizeof version, version};
        return cn_lmdb_err(mdb_put(txn, i->about, &k, &v, 0));
    }
    CN_TRY(result == MDB_NOTFOUND ? CN_ERR_CORRUPT : cn_lmdb_err(result));
    found = cn_slice_of(v.mv_data, v.mv_size);
    if (!cn_slice_eq(found, cn_slice_of(version, sizeof version))) {
        bool ours = cn_slice_starts(found, cn_slice_of(version, sizeof version - 1));
        return cn_why_set(
            why, ours ? CN_ERR_UNSUPPORTED : CN_ERR_CORRUPT,
            ours ? "the index was written by a newer version of cairn"
                 : "the index file is not one of cairn's");
    }
out:
    return err;
}

static cn_err open_with(index_lmdb *i, unsigned txn_flags, unsigned dbi_flags, cn_why *why)
{
    MDB_txn *txn = NULL;
    cn_err err = CN_OK;
    cn_lmdb_enter(&i->lmdb);
    CN_TRY(cn_lmdb_err(mdb_txn_begin(i->lmdb.env, NULL, txn_flags, &txn)));
    err = open_databases(i, txn, dbi_flags, why);
    if (err != CN_OK) {
        mdb_txn_abort(txn);
        goto out;
    }
    err = cn_lmdb_err(mdb_txn_commit(txn));
out:
    cn_lmdb_leave();
    return err;
}

static int open_again(void *owner)
{
    index_lmdb *i = owner;
    MDB_txn *txn = NULL;
    int result = mdb_txn_begin(i->lmdb.env, NULL, MDB_RDONLY, &txn);
    if (result == 0) {
        result = mdb_dbi_open(txn, "b", 0, &i->blocks);
    }
    if (result == 0) {
        result = mdb_dbi_open(txn, "s", 0, &i->segments);
    }
    if (result == 0) {
        result = mdb_dbi_open(txn, "m", 0, &i->about);
    }
    if (txn != NULL) {
        int committed = mdb_txn_commit(txn);
        result = result != 0 ? result : committed;
    }
    return result;
}

cn_err cn_index_open_lmdb(const cn_index_options *options, cn_index **ret, cn_why *why)
{
    cn_mem *mem = options->mem;
    cn_lmdb_options file = {options->path, options->aside, MDB_NOMETASYNC, options->map_bytes};
    index_lmdb *i = cn_alloc(mem, sizeof *i);
    cn_err err = CN_OK;
    if (i == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    i->base.ops = &lmdb_ops;
    CN_TRY(cn_lmdb_open(&i->lmdb, mem, options->rt, &file, why));
    i->lmdb.databases = open_again;
    i->lmdb.owner = i;
    /* an index that is there is opened without writing */
    err = open_with(i, MDB_RDONLY, 0, why);
    if (err == CN_ERR_NOT_FOUND) {
        err = open_with(i, 0, MDB_CREATE, why);
    }
    CN_TRY(err);
    *ret = &i->base;
    return CN_OK;
out:
    cn_lmdb_close(&i->lmdb);
    cn_free(mem, i);
    return err;
}
