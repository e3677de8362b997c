/*
 * Putting blocks: those not held are laid one after the other, heads from scratch memory and data
 * from the caller, and go to the open segment with one write. They can be found once that is done.
 */
#include "store/internal.h"

enum {
    PUT_MANY_MAX = 512, /* blocks of one write */
    WRITEBACK_BYTES = 8 << 20,
};

static cn_err make_scratch(cn_store *s)
{
    if (s->heads == NULL) {
        s->heads = cn_alloc_array(s->mem, PUT_MANY_MAX, CN_RECORD_HEAD_MAX_BYTES);
    }
    if (s->parts == NULL) {
        s->parts = cn_alloc_array(s->mem, 2 * PUT_MANY_MAX, sizeof *s->parts);
    }
    bool good = s->heads != NULL && s->parts != NULL;
    return good ? CN_OK : CN_ERR_NO_MEMORY;
}

/* Is the block held already? */
static cn_err held(cn_store *s, cn_slice key, bool moving, bool *ret)
{
    cn_place place;
    cn_err err = CN_OK;
    if (moving) {
        *ret = cn_pending_get(&s->fresh, key, &place);
        return CN_OK;
    }
    if (cn_pending_get(&s->fresh, key, &place) || cn_pending_get(&s->leaving, key, &place)) {
        *ret = true;
        return CN_OK;
    }
    err = cn_index_probe(s->index, key, &place);
    *ret = err == CN_OK;
    return err == CN_ERR_NOT_FOUND ? CN_OK : err;
}

/* What one write is made of. */
typedef struct gathered {
    size_t heads, parts;
    size_t first; /* entries of `fresh` before it */
    uint64_t bytes;
    uint32_t records;
    bool moving;
} gathered;

/* Add one block to what will be written; it lies in `fresh` but beyond what readers may see. */
static cn_err gather_one(cn_store *s, const cn_store_put *item, const cn_key *key, gathered *g)
{
    uint8_t *head = s->heads + g->heads;
    size_t head_bytes = cn_record_head_encode(item->cid, item->data.len, head);
    cn_place place = {
        .segment = s->open->meta.segment,
        .offset = s->open->tail + g->bytes + head_bytes,
        .len = (uint32_t)item->data.len,
        .ordinal = s->open->meta.records + g->records,
        .form = cn_place_form(item->cid),
    };
    cn_lock_take(s->lock);
    cn_err err = cn_pending_add(&s->fresh, cn_key_slice(key), &place);
    cn_lock_give(s->lock);
    if (err != CN_OK) {
        return err;
    }
    s->parts[g->parts++] = (cn_slice){head, head_bytes};
    s->parts[g->parts++] = item->data;
    g->heads += head_bytes;
    g->bytes += head_bytes + item->data.len;
    g->records++;
    return CN_OK;
}

/*
 * Make what was written visible, or drop it. Who puts a block has just hashed it, so it need not be
 * hashed at its first read; one that is moved was perhaps never read.
 */
static void settle(cn_store *s, const gathered *g, bool good)
{
    cn_segment *seg = s->open;
    cn_slice key;
    cn_place place;
    cn_lock_take(s->lock);
    if (good) {
        seg->tail += g->bytes;
        seg->written = seg->tail;
        seg->meta.records += g->records;
        seg->dirty = true;
        s->segment_bytes += g->bytes;
        for (size_t i = g->first; i < s->fresh.len; i++) {
            cn_pending_at(&s->fresh, i, &key, &place);
            cn_segment_count(s, seg, key, &place, true);
            if (s->options.policy == CN_STORE_FIRST_READ) {
                cn_segment_note_checked(s, seg, place.ordinal, !g->moving);
            }
        }
    } else {
        cn_pending_cut(&s->fresh, g->first);
    }
    cn_lock_give(s->lock);
}

static cn_err write_gathered(cn_store *s, const gathered *g)
{
    cn_segment *seg = s->open;
    if (g->parts == 0) {
        return CN_OK;
    }
    cn_err err = cn_file_write_at(s->rt, seg->file, seg->tail, s->parts, g->parts);
    settle(s, g, err == CN_OK);
    if (err != CN_OK) {
        /* what was written of it is not a record yet; the next write starts at the same place */
        (void)!cn_file_truncate(s->rt, seg->file, seg->tail);
        return err;
    }
    s->pending_bytes += g->bytes;
    if (seg->tail - seg->writeback >= WRITEBACK_BYTES) {
        cn_file_writeback(s->rt, seg->file, seg->writeback, seg->tail - seg->writeback);
        seg->writeback = seg->tail;
    }
    return CN_OK;
}

static bool open_is_full(const cn_store *s)
{
    return s->open != NULL && (s->open->tail >= s->options.segment_max_bytes ||
                               s->open->meta.records + PUT_MANY_MAX > CN_SEGMENT_RECORDS_MAX);
}

/* There is a segment with room, and the pending table has room too. */
static cn_err make_way(cn_store *s, cn_why *why)
{
    cn_err err = CN_OK;
    if (s->fresh.len + PUT_MANY_MAX > CN_PENDING_MAX) {
        CN_TRY(cn_commit_all(s));
    }
    if (open_is_full(s)) {
        /* made durable on another thread while the next one fills; sealed at the next flush */
        s->open->closed = true;
        s->open = NULL;
        CN_TRY(cn_commit_end(s));
        CN_TRY(cn_commit_begin(s, false));
    }
    if (s->open == NULL) {
        CN_TRY(cn_segment_create(s, why));
    }
out:
    return err;
}

/* Lay up to PUT_MANY_MAX blocks and write them. */
static cn_err
append_some(cn_store *s, const cn_store_put *items, size_t len, bool moving, cn_why *why)
{
    gathered g = {.first = s->fresh.len, .moving = moving};
    cn_key key;
    bool have = false;
    cn_err err = CN_OK;
    for (size_t i = 0; i < len; i++) {
        if (cn_cid_is_identity(items[i].cid, NULL)) {
            continue;
        }
        CN_TRY(cn_key_encode(cn_cid_key(items[i].cid), &key));
        CN_TRY(held(s, cn_key_slice(&key), moving, &have));
        if (have) {
            continue;
        }
        if (g.parts == 0) {
            CN_TRY(make_way(s, why));
            g.first = s->fresh.len;
        }
        CN_TRY(gather_one(s, &items[i], &key, &g));
    }
    return write_gathered(s, &g);
out:
    cn_lock_take(s->lock);
    cn_pending_cut(&s->fresh, g.first);
    cn_lock_give(s->lock);
    return err;
}

cn_err cn_store_append(cn_store *s, const cn_store_put *items, size_t len, bool moving, cn_why *why)
{
    cn_err err = make_scratch(s);
    for (size_t i = 0; i < len && err == CN_OK; i += PUT_MANY_MAX) {
        err = append_some(s, items + i, CN_MIN(len - i, (size_t)PUT_MANY_MAX), moving, why);
    }
    return err;
}

/* Would `more` bytes pass the quota? */
static cn_err ask_quota(cn_store *s, uint64_t more, cn_why *why)
{
    cn_store_stats stats;
    if (s->options.quota_bytes == 0) {
        return CN_OK;
    }
    cn_err err = cn_store_stat(s, &stats);
    if (err != CN_OK || stats.repo_bytes + more <= s->options.quota_bytes) {
        return err;
    }
    return cn_why_set(
        why, CN_ERR_QUOTA,
        "the repo's quota of %llu bytes would be passed by %llu: remove pins and run 'cairn repo "
        "gc', or raise Datastore.StorageMax with 'cairn config Datastore.StorageMax'",
        (unsigned long long)s->options.quota_bytes,
        (unsigned long long)(stats.repo_bytes + more - s->options.quota_bytes));
}

/* Begin a commit on another thread when the group is large or old enough. */
static cn_err turn_group(cn_store *s)
{
    cn_time now = cn_rt_now(s->rt);
    if (s->fresh.len == 0) {
        return CN_OK;
    }
    bool due = s->pending_bytes >= s->options.group_bytes ||
               now.ns - s->pending_since.ns >= s->options.group_ns;
    if (!due) {
        return CN_OK;
    }
    cn_err err = cn_commit_end(s);
    s->pending_since = now;
    return err != CN_OK ? err : cn_commit_begin(s, false);
}

static cn_err check_sizes(const cn_store_put *items, size_t len, uint64_t *ret_bytes, cn_why *why)
{
    *ret_bytes = 0;
    for (size_t i = 0; i < len; i++) {
        if (items[i].data.len > CN_STORE_BLOCK_MAX_BYTES) {
            return cn_why_set(
                why, CN_ERR_TOO_LARGE, "a block of %zu bytes is larger than the store takes (%d)",
                items[i].data.len, CN_STORE_BLOCK_MAX_BYTES);
        }
        *ret_bytes += items[i].data.len + CN_RECORD_HEAD_MAX_BYTES;
    }
    return CN_OK;
}

/* Blocks were lost with a group that could not be made durable: nothing more is taken. */
static cn_err earlier_error(cn_store *s, cn_why *why)
{
    if (s->broken != CN_OK) {
        return cn_why_set(
            why, s->broken,
            "earlier blocks could not be made durable in %s: %s; open the store again and add them "
            "once more",
            s->dir, cn_err_sentence(s->broken));
    }
    return CN_OK;
}

cn_err cn_store_put_many(cn_store *s, const cn_store_put *items, size_t len, cn_why *why)
{
    uint64_t bytes = 0;
    cn_err err = check_sizes(items, len, &bytes, why);
    if (err != CN_OK || len == 0) {
        return err;
    }
    cn_lock_take(s->writer);
    CN_TRY(earlier_error(s, why));
    CN_TRY(ask_quota(s, bytes, why));
    CN_TRY(cn_store_leave_reserve(s, bytes, why));
    if (s->fresh.len == 0) {
        s->pending_since = cn_rt_now(s->rt);
    }
    CN_TRY(cn_store_append(s, items, len, false, why));
    CN_TRY(turn_group(s));
out:
    cn_lock_give(s->writer);
    if (err != CN_OK && why != NULL && why->text[0] == '\0') {
        (void)cn_why_set(
            why, err, "cannot write to the store %s: %s", s->dir, cn_err_sentence(err));
    }
    return err;
}

cn_err cn_store_flush(cn_store *s, cn_why *why)
{
    cn_lock_take(s->writer);
    cn_err err = earlier_error(s, why);
    if (err == CN_OK) {
        err = cn_commit_all(s);
    }
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = cn_commit_all(s);
    }
    if (err == CN_OK) {
        /* a sidecar only saves time later: without room for it the segment stays unsealed */
        (void)!cn_store_seal_closed(s);
        cn_index_rest(s->index); /* a daemon flushes when it is idle */
    }
    cn_lock_give(s->writer);
    if (err != CN_OK && why != NULL && why->text[0] == '\0') {
        (void)cn_why_set(
            why, err, "blocks could not be made durable in %s: %s", s->dir, cn_err_sentence(err));
    }
    return err;
}
