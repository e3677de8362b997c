/*
 * Opening, closing, figures, visiting all blocks.
 */
#include "store/internal.h"
#include "store/record.h"

#define SEGMENT_BYTES_DEFAULT ((uint64_t)512 << 20)
#define SEGMENT_BYTES_MIN ((uint64_t)1 << 20)
#define SEGMENT_BYTES_FITTED_MIN ((uint64_t)4 << 20)
#define SEGMENT_BYTES_MAX ((uint64_t)4 << 30)
#define GROUP_BYTES_DEFAULT ((uint64_t)512 << 20)
#define GROUP_NS_DEFAULT (5 * CN_NS_PER_S)
#define RESERVE_BYTES_DEFAULT ((uint64_t)16 << 20)
enum { DIR_MODE = 0700, NAME_ROOM = 64, SEGMENTS_LEAST = 16 };

static void set_options(cn_store *s, const cn_store_options *given)
{
    cn_store_options *o = &s->options;
    *o = *given;
    o->segment_max_bytes = o->segment_max_bytes == 0 ? SEGMENT_BYTES_DEFAULT : o->segment_max_bytes;
    o->segment_max_bytes = CN_MAX(o->segment_max_bytes, SEGMENT_BYTES_MIN);
    o->segment_max_bytes = CN_MIN(o->segment_max_bytes, SEGMENT_BYTES_MAX);
    o->group_bytes = o->group_bytes == 0 ? GROUP_BYTES_DEFAULT : o->group_bytes;
    o->group_ns = o->group_ns == 0 ? GROUP_NS_DEFAULT : o->group_ns;
    o->reserve_bytes = o->reserve_bytes == 0 ? RESERVE_BYTES_DEFAULT : o->reserve_bytes;
}

static cn_err init(cn_store *s, const cn_store_options *options, cn_why *why)
{
    cn_slice dir = cn_str(options->dir);
    cn_err err = CN_OK;
    s->blocks.ops = &cn_store_blocks_ops;
    s->mem = options->mem;
    s->rt = options->rt;
    s->next_segment = 1;
    s->commit.store = s;
    set_options(s, options);
    cn_pending_init(&s->fresh, s->mem);
    cn_pending_init(&s->leaving, s->mem);
    if (dir.len + NAME_ROOM > CN_STORE_PATH_BYTES) {
        return cn_why_set(why, CN_ERR_TOO_LARGE, "the path of the store is too long");
    }
    CN_TRY(cn_lock_new(s->mem, &s->writer));
    CN_TRY(cn_lock_new(s->mem, &s->lock));
    s->dir = cn_strdup(s->mem, options->dir, dir.len);
    err = s->dir == NULL ? CN_ERR_NO_MEMORY : CN_OK;
out:
    return err;
}

/*
 * On a small disk, or under a small quota, segments are smaller, so that a collection can free it
 * piece by piece: what is left of a segment must be copied before it goes.
 */
static void fit_segments(cn_store *s, const cn_store_options *given)
{
    uint64_t room = 0;
    uint64_t *max = &s->options.segment_max_bytes;
    if (given->segment_max_bytes != 0) {
        return;
    }
    if (cn_path_free_bytes(s->rt, s->dir, &room) == CN_OK) {
        *max = CN_MIN(*max, (room + s->segment_bytes) / SEGMENTS_LEAST);
    }
    if (s->options.quota_bytes != 0) {
        *max = CN_MIN(*max, s->options.quota_bytes / SEGMENTS_LEAST);
    }
    *max = CN_MAX(*max, SEGMENT_BYTES_FITTED_MIN);
}

static void release(cn_store *s)
{
    cn_segment_free_all(s);
    cn_index_close(s->index);
    cn_pending_release(&s->fresh);
    cn_pending_release(&s->leaving);
    cn_file_close(s->rt, s->lock_file);
    cn_free(s->mem, s->heads);
    cn_free(s->mem, s->parts);
    cn_free(s->mem, s->dir);
    cn_lock_free(s->writer);
    cn_lock_free(s->lock);
    cn_free(s->mem, s);
}

static cn_err open_once(const cn_store_options *options, cn_store **ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_store *s = cn_alloc(options->mem, sizeof *s);
    if (s == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    CN_TRY(init(s, options, why));
    err = cn_path_mkdir(s->rt, s->dir, DIR_MODE);
    CN_TRY(err == CN_ERR_EXISTS ? CN_OK : err);
    CN_TRY(cn_store_take_lock(s, why));
    s->recovering = true;
    CN_TRY(cn_store_recover(s, why));
    s->recovering = false;
    fit_segments(s, options);
    cn_store_make_reserve(s);
    *ret = s;
    return CN_OK;
out:
    if (err != CN_ERR_NO_MEMORY && why != NULL && why->text[0] == '\0') {
        (void)cn_why_set(
            why, err, "cannot open the store %s: %s", options->dir, cn_err_sentence(err));
    }
    cn_pending_release(&s->fresh);
    release(s);
    return err;
}

cn_err cn_store_open(const cn_store_options *options, cn_store **ret, cn_why *why)
{
    cn_err err = open_once(options, ret, why);
    if (err == CN_ERR_CORRUPT) {
        /* an index that was found to be damaged has been set aside: once more without it */
        if (why != NULL) {
            why->text[0] = '\0';
        }
        err = open_once(options, ret, why);
    }
    return err;
}

void cn_store_close(cn_store *s)
{
    if (s != NULL) {
        if (s->broken == CN_OK) {
            (void)!cn_store_flush(s, NULL);
        }
        (void)!cn_commit_end(s);
        release(s);
    }
}

cn_err cn_store_stat(cn_store *s, cn_store_stats *ret)
{
    uint64_t index_bytes = cn_index_bytes(s->index);
    cn_store_path path;
    cn_path_stat pins = {0};
    if (cn_path_stat_of(s->rt, cn_store_file(s, path, "pins.mdb"), &pins) != CN_OK) {
        pins.size_bytes = 0;
    }
    cn_lock_take(s->lock);
    uint64_t heads = s->segments_len * (uint64_t)CN_SEGMENT_HEAD_BYTES;
    uint64_t used = s->live_whole + heads;
    *ret = (cn_store_stats){
        .repo_bytes = s->segment_bytes + s->other_bytes + index_bytes + pins.size_bytes,
        .quota_bytes = s->options.quota_bytes,
        .blocks = s->blocks_len,
        .block_bytes = s->block_bytes,
        .dead_bytes = s->segment_bytes > used ? s->segment_bytes - used : 0,
        .segments = s->segments_len,
        .bad_records = s->bad_records,
        .rebuilt = s->rebuilt,
    };
    cn_lock_give(s->lock);
    return CN_OK;
}

typedef struct visiting {
    cn_store *store;
    bool misplaced; /* the index points at what is not the record of its key */
    cn_store_visit visit;
    cn_store_checked checked;
    void *ctx;
} visiting;

/* The CID of an index entry, from the record where the entry does not say it. */
static cn_err cid_of(cn_store *s, cn_slice key, const cn_place *place, cn_cid *ret)
{
    uint8_t bytes[CN_CID_MAX_BYTES];
    cn_key mh;
    cn_place before = *place;
    size_t len = 0;
    cn_err err = CN_OK;
    CN_TRY(cn_key_decode(key, &mh));
    if ((place->form & CN_PLACE_FORM_OTHER) == 0) {
        return cn_place_cid(place->form, cn_key_slice(&mh), ret);
    }
    len = (size_t)mh.len + (place->form & 0x7f);
    if (len > sizeof bytes || len > place->offset) {
        return CN_ERR_CORRUPT;
    }
    before.offset -= len;
    before.len = (uint32_t)len;
    CN_TRY(cn_store_read(s, &before, 0, bytes, len));
    CN_TRY(cn_cid_decode_all(cn_slice_of(bytes, len), ret));
    if (!cn_slice_eq(cn_cid_key(ret), cn_key_slice(&mh))) {
        return CN_ERR_CORRUPT;
    }
out:
    return err;
}

/* A CID for an entry whose record cannot say it: the multihash as raw. */
static cn_err plain_cid(cn_slice key, cn_cid *ret)
{
    cn_key mh;
    cn_err err = cn_key_decode(key, &mh);
    return err != CN_OK ? CN_ERR_CORRUPT : cn_place_cid(1, cn_key_slice(&mh), ret);
}

static cn_err visit_one(void *ctx, cn_slice key, const cn_place *place)
{
    const visiting *v = ctx;
    cn_cid cid;
    cn_err err = cid_of(v->store, key, place, &cid);
    if (err != CN_OK) {
        err = plain_cid(key, &cid);
    }
    return err != CN_OK ? err : v->visit(v->ctx, &cid, place);
}

cn_err cn_store_each(cn_store *s, cn_store_visit visit, void *ctx, cn_why *why)
{
    visiting v = {.store = s, .visit = visit, .ctx = ctx};
    cn_err err = cn_store_flush(s, why);
    return err != CN_OK ? err : cn_index_scan(s->index, visit_one, &v);
}

static cn_err read_and_check(cn_store *s, const cn_cid *cid, const cn_place *place, cn_buf *data)
{
    cn_cid stored;
    cn_key key;
    cn_multihash mh = cn_cid_multihash(cid);
    cn_err err = CN_OK;
    cn_buf_reset(data);
    CN_TRY(cn_key_encode(cn_cid_key(cid), &key));
    CN_TRY(cid_of(s, cn_key_slice(&key), place, &stored));
    CN_TRY(cn_buf_reserve(data, place->len));
    CN_TRY(cn_store_read(s, place, 0, data->data, place->len));
    err = cn_multihash_verify(&mh, (cn_slice){data->data, place->len});
out:
    return err;
}

/* Is what stands before the data at `place` the head of this block's record? */
static bool is_at(cn_store *s, cn_slice key, const cn_place *place)
{
    uint8_t there[CN_RECORD_HEAD_MAX_BYTES];
    uint8_t wanted[CN_RECORD_HEAD_MAX_BYTES];
    cn_cid cid;
    cn_place head = *place;
    uint64_t start = cn_record_start(key, place);
    size_t len = 0;
    if (start >= place->offset || place->offset - start > sizeof there ||
        cid_of(s, key, place, &cid) != CN_OK) {
        return false;
    }
    head.offset = start;
    head.len = (uint32_t)(place->offset - start);
    len = cn_record_head_encode(&cid, place->len, wanted);
    return len == head.len && cn_store_read(s, &head, 0, there, len) == CN_OK &&
           cn_slice_eq(cn_slice_of(there, len), cn_slice_of(wanted, len));
}

static cn_err check_one(void *ctx, const cn_cid *cid, const cn_place *place)
{
    visiting *v = ctx;
    cn_store *s = v->store;
    cn_buf data;
    cn_key key;
    cn_place now = *place;
    bool gone = false;
    cn_buf_init(&data, s->mem, CN_STORE_BLOCK_MAX_BYTES);
    cn_err err = read_and_check(s, cid, &now, &data);
    if (err != CN_OK && err != CN_ERR_NO_MEMORY) {
        /* it may have been removed or moved since its place was read */
        cn_err found = cn_store_find(s, cn_cid_key(cid), &now);
        gone = found == CN_ERR_NOT_FOUND;
        if (found == CN_OK && !cn_place_eq(&now, place)) {
            err = read_and_check(s, cid, &now, &data);
        }
    }
    if (err != CN_OK && err != CN_ERR_NO_MEMORY && err != CN_ERR_IO && !gone) {
        v->misplaced = v->misplaced || cn_key_encode(cn_cid_key(cid), &key) != CN_OK ||
                       !is_at(s, cn_key_slice(&key), &now);
    }
    cn_buf_release(&data);
    if (gone || err == CN_ERR_NO_MEMORY) {
        return gone ? CN_OK : err;
    }
    return v->checked(v->ctx, cid, err == CN_OK || err == CN_ERR_IO ? err : CN_ERR_CORRUPT);
}

static cn_err count_one(void *ctx, cn_slice key, const cn_place *place)
{
    CN_UNUSED(key);
    CN_UNUSED(place);
    ++*(uint64_t *)ctx;
    return CN_OK;
}

/* Does the index hold as many blocks as the segments' figures say? Nobody writes meanwhile. */
static cn_err verify_index(cn_store *s)
{
    uint64_t counted = 0;
    cn_lock_take(s->writer);
    cn_err err = cn_commit_all(s);
    if (err == CN_OK) {
        err = cn_index_scan(s->index, count_one, &counted);
    }
    if (err == CN_OK && counted != s->blocks_len) {
        cn_index_distrust(s->index);
        err = CN_ERR_CORRUPT;
    }
    cn_lock_give(s->writer);
    return err;
}

cn_err cn_store_verify_all(cn_store *s, cn_store_checked visit, void *ctx, cn_why *why)
{
    visiting v = {.store = s, .checked = visit, .ctx = ctx};
    cn_err err = CN_OK;
    CN_TRY(cn_store_each(s, check_one, &v, why));
    if (v.misplaced) {
        cn_index_distrust(s->index);
        err = CN_ERR_CORRUPT;
        goto out;
    }
    CN_TRY(verify_index(s));
out:
    if (err == CN_ERR_CORRUPT) {
        (void)cn_why_set(
            why, err, "the index in %s is damaged; it is made anew when the store is opened again",
            s->dir);
    }
    return err;
}
