/*
 * Finding and reading blocks. A place may be out of date once its segment has been collected; what
 * finds a block by CID therefore looks once more before it says NOT_FOUND.
 */
#include "crypto/sha256.h"
#include "store/internal.h"

/* Can a block lie there? Recovery meets places of tails that were lost. */
static bool is_possible(cn_store *s, const cn_place *place)
{
    cn_lock_take(s->lock);
    const cn_segment *seg = cn_segment_of(s, place->segment);
    bool good = s->recovering || (seg != NULL && place->offset + place->len <= seg->tail &&
                                  place->ordinal < CN_SEGMENT_RECORDS_MAX);
    cn_lock_give(s->lock);
    return good;
}

/* A place that cannot be, and is still said once more (it was not just moved), is a damaged one. */
static cn_err find_in_index(cn_store *s, cn_slice key, cn_place *ret)
{
    cn_place place = {0};
    cn_place again = {0};
    cn_err err = cn_index_get(s->index, key, &place);
    if (err == CN_OK && !is_possible(s, &place)) {
        err = cn_index_get(s->index, key, &again);
        if (err == CN_OK && (cn_place_eq(&place, &again) || !is_possible(s, &again))) {
            cn_index_distrust(s->index);
            err = CN_ERR_CORRUPT;
        }
        place = again;
    }
    if (err == CN_OK) {
        *ret = place;
    }
    return err;
}

cn_err cn_store_find_key(cn_store *s, cn_slice key, cn_place *ret)
{
    cn_lock_take(s->lock);
    bool found = cn_pending_get(&s->fresh, key, ret) || cn_pending_get(&s->leaving, key, ret);
    if (found) {
        /* a block that is being written just now is not there yet */
        const cn_segment *seg = cn_segment_of(s, ret->segment);
        found = seg != NULL && ret->offset + ret->len <= seg->written;
    }
    cn_lock_give(s->lock);
    return found ? CN_OK : find_in_index(s, key, ret);
}

cn_err cn_store_find(cn_store *s, cn_slice multihash, cn_place *ret)
{
    cn_key key;
    cn_place place = {0};
    cn_err err = cn_key_encode(multihash, &key);
    if (err == CN_OK) {
        err = cn_store_find_key(s, cn_key_slice(&key), &place);
    }
    if (err == CN_OK) {
        *ret = place;
    }
    return err;
}

cn_err cn_store_has(cn_store *s, const cn_cid *cid, bool *ret)
{
    cn_place place;
    if (cn_cid_is_identity(cid, NULL)) {
        *ret = true;
        return CN_OK;
    }
    cn_err err = cn_store_find(s, cn_cid_key(cid), &place);
    if (err == CN_OK || err == CN_ERR_NOT_FOUND) {
        *ret = err == CN_OK;
        return CN_OK;
    }
    return err;
}

cn_err cn_store_read(cn_store *s, const cn_place *place, uint32_t offset, uint8_t *data, size_t len)
{
    cn_segment *seg = NULL;
    size_t got = 0;
    if (offset > place->len || len > place->len - offset) {
        return CN_ERR_USAGE;
    }
    cn_err err = cn_segment_hold(s, place->segment, &seg);
    if (err != CN_OK) {
        return err;
    }
    err = cn_file_read_at(s->rt, seg->file, place->offset + offset, data, len, &got);
    cn_segment_let(s, seg);
    return err == CN_OK && got != len ? CN_ERR_CORRUPT : err;
}

/* Must this block be verified now? */
static bool must_check(cn_store *s, const cn_place *place)
{
    if (s->options.policy != CN_STORE_FIRST_READ) {
        return s->options.policy == CN_STORE_EVERY_READ;
    }
    cn_lock_take(s->lock);
    const cn_segment *seg = cn_segment_of(s, place->segment);
    bool done = seg != NULL && seg->checked != NULL &&
                (seg->checked[place->ordinal / 64] >> place->ordinal % 64 & 1) != 0;
    cn_lock_give(s->lock);
    return !done;
}

/* Remember that it was good. Without memory it will be checked again. */
static void note_checked(cn_store *s, const cn_place *place)
{
    if (s->options.policy != CN_STORE_FIRST_READ || place->ordinal >= CN_SEGMENT_RECORDS_MAX) {
        return;
    }
    cn_lock_take(s->lock);
    cn_segment *seg = cn_segment_of(s, place->segment);
    if (seg != NULL && seg->checked == NULL) {
        seg->checked = cn_alloc_array(s->mem, CN_SEGMENT_RECORDS_MAX / 64, sizeof(uint64_t));
    }
    if (seg != NULL && seg->checked != NULL) {
        seg->checked[place->ordinal / 64] |= (uint64_t)1 << place->ordinal % 64;
    }
    cn_lock_give(s->lock);
}

static cn_err verify(cn_store *s, cn_slice multihash, const cn_place *place, cn_slice data)
{
    cn_multihash mh;
    cn_err err = cn_multihash_decode(multihash, &mh);
    if (err == CN_OK) {
        err = cn_multihash_verify(&mh, data);
    }
    if (err == CN_OK) {
        note_checked(s, place);
    }
    return err == CN_ERR_HASH_MISMATCH ? CN_ERR_CORRUPT : err;
}

cn_err cn_store_check(cn_store *s, cn_slice multihash, const cn_place *place)
{
    cn_buf data;
    cn_err err = CN_OK;
    if (!must_check(s, place)) {
        return CN_OK;
    }
    cn_buf_init(&data, s->mem, CN_STORE_BLOCK_MAX_BYTES);
    CN_TRY(cn_buf_reserve(&data, place->len));
    CN_TRY(cn_store_read(s, place, 0, data.data, place->len));
    data.len = place->len;
    CN_TRY(verify(s, multihash, place, cn_buf_slice(&data)));
out:
    cn_buf_release(&data);
    return err;
}

bool cn_store_is_checked(cn_store *s, const cn_place *place)
{
    return !must_check(s, place);
}

/* Find and read a block; `check`: verify it where the policy says so. */
static cn_err get_once(cn_store *s, const cn_cid *cid, bool check, cn_buf *ret)
{
    cn_place place;
    cn_err err = CN_OK;
    cn_buf_reset(ret);
    CN_TRY(cn_store_find(s, cn_cid_key(cid), &place));
    CN_TRY(cn_buf_reserve(ret, place.len));
    CN_TRY(cn_store_read(s, &place, 0, ret->data, place.len));
    if (check && must_check(s, &place)) {
        CN_TRY(verify(s, cn_cid_key(cid), &place, (cn_slice){ret->data, place.len}));
    }
    ret->len = place.len;
out:
    return err;
}

static cn_err get(cn_blocks *b, const cn_cid *cid, cn_buf *ret, cn_why *why)
{
    cn_store *s = (cn_store *)b;
    char text[CN_CID_TEXT_BYTES];
    cn_err err = get_once(s, cid, true, ret);
    if (err == CN_ERR_NOT_FOUND || err == CN_ERR_CORRUPT) {
        /* its segment may have been collected, or cut after a failed sync, in between */
        err = get_once(s, cid, true, ret);
    }
    if (err == CN_OK || why == NULL) {
        return err;
    }
    if (err == CN_ERR_NOT_FOUND) {
        return cn_why_set(
            why, err, "block was not found locally (offline): ipld: could not find %s",
            cn_cid_text(cid, text));
    }
    if (err == CN_ERR_CORRUPT && cn_index_is_distrusted(s->index)) {
        return cn_why_set(
            why, err, "the index in %s is damaged; it is made anew when the store is opened again",
            s->dir);
    }
    if (err == CN_ERR_CORRUPT) {
        return cn_why_set(
            why, err, "block %s in %s is damaged: its bytes do not match its hash",
            cn_cid_text(cid, text), s->dir);
    }
    return cn_why_set(
        why, err, "cannot read block %s: %s", cn_cid_text(cid, text), cn_err_sentence(err));
}

enum { MANY_MAX = 8 };

/* Blocks read but not verified yet, their hashes being sha2-256: done several at once. */
typedef struct unverified {
    cn_slice data[MANY_MAX];
    cn_place places[MANY_MAX];
    size_t indexes[MANY_MAX];
    size_t len;
} unverified;

static bool is_sha2_256(const cn_cid *cid)
{
    cn_multihash mh = cn_cid_multihash(cid);
    return mh.code == CN_MH_SHA2_256 && mh.digest.len == CN_SHA256_BYTES;
}

static void
verify_together(cn_store *s, const cn_cid *cids, const unverified *u, cn_buf *rets, cn_err *errs)
{
    uint8_t digests[MANY_MAX][CN_SHA256_BYTES];
    cn_sha256_many(u->data, digests, u->len);
    for (size_t i = 0; i < u->len; i++) {
        size_t at = u->indexes[i];
        cn_multihash mh = cn_cid_multihash(&cids[at]);
        if (cn_slice_eq(mh.digest, (cn_slice){digests[i], CN_SHA256_BYTES})) {
            note_checked(s, &u->places[i]);
        } else {
            cn_buf_reset(&rets[at]);
            errs[at] = CN_ERR_CORRUPT;
        }
    }
}

/* Read one block; whether it is verified here or put to the others depends on its hash. */
static cn_err get_of_many(cn_store *s, const cn_cid *cid, size_t index, cn_buf *ret, unverified *u)
{
    cn_place place;
    cn_err err = CN_OK;
    if (!is_sha2_256(cid)) {
        return get_once(s, cid, true, ret);
    }
    cn_buf_reset(ret);
    CN_TRY(cn_store_find(s, cn_cid_key(cid), &place));
    CN_TRY(cn_buf_reserve(ret, place.len));
    CN_TRY(cn_store_read(s, &place, 0, ret->data, place.len));
    ret->len = place.len;
    if (must_check(s, &place)) {
        u->data[u->len] = cn_buf_slice(ret);
        u->places[u->len] = place;
        u->indexes[u->len++] = index;
    }
out:
    return err;
}

static void get_many(cn_blocks *b, const cn_cid *cids, size_t len, cn_buf *rets, cn_err *ret_errs)
{
    cn_store *s = (cn_store *)b;
    for (size_t i = 0; i < len; i += MANY_MAX) {
        size_t n = CN_MIN(len - i, (size_t)MANY_MAX);
        unverified u = {.len = 0};
        for (size_t k = i; k < i + n; k++) {
            ret_errs[k] = get_of_many(s, &cids[k], k, &rets[k], &u);
        }
        verify_together(s, cids, &u, rets, ret_errs);
    }
}

static cn_err size(cn_blocks *b, const cn_cid *cid, size_t *ret_bytes)
{
    cn_place place;
    cn_err err = cn_store_find((cn_store *)b, cn_cid_key(cid), &place);
    if (err == CN_OK) {
        *ret_bytes = place.len;
    }
    return err;
}

static cn_err put(cn_blocks *b, const cn_cid *cid, cn_slice data, cn_why *why)
{
    cn_store_put item = {cid, data};
    return cn_store_put_many((cn_store *)b, &item, 1, why);
}

static cn_err get_plain(cn_blocks *b, const cn_cid *cid, cn_buf *ret)
{
    cn_err err = get_once((cn_store *)b, cid, false, ret);
    return err == CN_ERR_NOT_FOUND ? get_once((cn_store *)b, cid, false, ret) : err;
}

static cn_err put_many(cn_blocks *b, const cn_blocks_item *items, size_t len, cn_why *why)
{
    return cn_store_put_many((cn_store *)b, items, len, why);
}

const cn_blocks_ops cn_store_blocks_ops = {
    .get = get,
    .size = size,
    .put = put,
    .get_many = get_many,
    .get_plain = get_plain,
    .put_many = put_many,
};

cn_blocks *cn_store_blocks(cn_store *s)
{
    return &s->blocks;
}

cn_err cn_store_hold_place(cn_store *s, const cn_place *place, cn_store_hold **ret, int *ret_fd)
{
    cn_segment *seg = NULL;
    cn_err err = cn_segment_hold(s, place->segment, &seg);
    if (err != CN_OK) {
        return err;
    }
    int fd = cn_file_fd(s->rt, seg->file);
    if (fd < 0) {
        cn_segment_let(s, seg);
        return CN_ERR_UNSUPPORTED;
    }
    *ret = (cn_store_hold *)seg;
    *ret_fd = fd;
    return CN_OK;
}

void cn_store_release(cn_store *s, cn_store_hold *hold)
{
    if (hold != NULL) {
        cn_segment_let(s, (cn_segment *)hold);
    }
}
