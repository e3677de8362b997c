/*
 * What open does: bring the index and the segments together.
 *
 * 1. List the files. 2. Open the index; a damaged one is thrown away. 3. If it speaks of a segment
 * that is missing or shorter than its checkpoint, it is of another time: thrown away as well.
 * 4. For each segment: finish an unlinking that was begun; take what the index lacks from the
 * sidecar, else from the records themselves, each verified; honour the tombstones.
 * Bytes before a checkpoint are never cut, behind it only what follows the last good record.
 */
#include "store/recover.h"

#include "store/sidecar.h"

typedef struct found {
    uint32_t segment;
    bool has[3]; /* by cn_file_kind */
} found;

typedef struct listing {
    cn_mem *mem;
    found *list; /* in the order of their numbers */
    size_t len, cap;
} listing;

static cn_err list_one(void *ctx, const char *name, cn_path_kind kind)
{
    listing *l = ctx;
    uint32_t segment = 0;
    cn_file_kind what = CN_STORE_SEGMENT;
    if (kind != CN_PATH_FILE || !cn_segment_parse(name, &segment, &what)) {
        return CN_OK;
    }
    size_t at = l->len;
    while (at > 0 && l->list[at - 1].segment >= segment) {
        at--;
    }
    if (at == l->len || l->list[at].segment != segment) {
        cn_err err = cn_array_grow(
            l->mem, (void **)&l->list, &l->cap, l->len, CN_SEGMENTS_MAX, sizeof *l->list);
        if (err != CN_OK) {
            return err;
        }
        cn_move(l->list + at + 1, l->list + at, (l->len - at) * sizeof *l->list);
        l->list[at] = (found){.segment = segment};
        l->len++;
    }
    l->list[at].has[what] = true;
    return CN_OK;
}

static const found *found_of(const listing *l, uint32_t segment)
{
    for (size_t i = 0; i < l->len; i++) {
        if (l->list[i].segment == segment) {
            return &l->list[i];
        }
    }
    return NULL;
}

static cn_err add_meta(void *ctx, const cn_segment_meta *meta)
{
    cn_segment *seg = NULL;
    cn_err err = cn_segment_add(ctx, meta, &seg);
    if (err == CN_OK) {
        seg->written = seg->tail = seg->writeback = meta->checkpoint;
    }
    return err;
}

static cn_err open_file(cn_store *s, cn_why *why)
{
    cn_store_path path;
    cn_store_path aside;
    cn_index_options options = {
        .mem = s->mem,
        .rt = s->rt,
        .path = cn_store_file(s, path, "index.mdb"),
        .aside = cn_store_file(s, aside, "index.bad"),
        .map_bytes = s->options.map_bytes,
    };
    cn_err err = cn_index_open_lmdb(&options, &s->index, why);
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = cn_index_open_lmdb(&options, &s->index, why);
    }
    return err;
}

static cn_err remake_index(cn_store *s, cn_why *why)
{
    cn_store_path path;
    cn_segment_free_all(s);
    cn_index_close(s->index);
    s->index = NULL;
    (void)!cn_path_unlink(s->rt, cn_store_file(s, path, "index.mdb-lock"));
    cn_err err = cn_path_unlink(s->rt, cn_store_file(s, path, "index.mdb"));
    if (err != CN_OK && err != CN_ERR_NOT_FOUND) {
        return cn_why_set(why, err, "cannot remove the damaged index %s", path);
    }
    s->rebuilt = true;
    return open_file(s, why);
}

/* Does the index speak of the segments that are there? */
static cn_err index_fits(cn_store *s, const listing *l, bool *ret)
{
    cn_store_path path;
    *ret = true;
    for (size_t i = 0; i < s->segments_len; i++) {
        const cn_segment_meta *meta = &s->segments[i]->meta;
        const found *f = found_of(l, meta->segment);
        cn_path_stat st = {0};
        if (f == NULL || !f->has[CN_STORE_SEGMENT]) {
            /* an unlinking that was begun leaves the tombstones behind */
            *ret = *ret && f != NULL && f->has[CN_STORE_TOMBS];
            continue;
        }
        (void)cn_segment_file(s, path, meta->segment, CN_STORE_SEGMENT);
        cn_err err = cn_path_stat_of(s->rt, path, &st);
        if (err != CN_OK) {
            return err;
        }
        *ret = *ret && st.size_bytes >= meta->checkpoint;
    }
    return CN_OK;
}

static cn_err open_index(cn_store *s, const listing *l, cn_why *why)
{
    cn_store_path path;
    bool fits = false;
    cn_path_stat st = {0};
    bool there = cn_path_stat_of(s->rt, cn_store_file(s, path, "index.mdb"), &st) == CN_OK;
    if (!there) {
        (void)!cn_path_unlink(s->rt, cn_store_file(s, path, "index.bad"));
    }
    cn_err err = open_file(s, why);
    if (err == CN_OK) {
        err = cn_index_metas(s->index, add_meta, s);
    }
    if (err == CN_OK) {
        err = index_fits(s, l, &fits);
    }
    if (err == CN_ERR_CORRUPT || (err == CN_OK && !fits)) {
        err = remake_index(s, why);
        if (why != NULL) {
            why->text[0] = '\0';
        }
    }
    s->rebuilt = s->rebuilt || (!there && l->len > 0);
    return err;
}

/* A place in a tail that was given up: it is not there any more. `seg` is being recovered. */
static bool dangles(cn_store *s, const cn_segment *seg, const cn_place *place)
{
    const cn_segment *other = cn_segment_of(s, place->segment);
    return place->segment <= seg->meta.segment &&
           (other == NULL || place->offset + place->len > other->tail);
}

cn_err cn_recover_adopt(cn_store *s, cn_segment *seg, cn_slice key, const cn_place *place)
{
    cn_place before;
    cn_err err = cn_store_find_key(s, key, &before);
    if (err == CN_OK && cn_place_eq(&before, place)) {
        /* a group that was being committed: the index has it, but no figures of the segment */
        cn_lock_take(s->lock);
        cn_segment_count(s, seg, key, place, true);
        seg->dirty = true;
        cn_lock_give(s->lock);
        return CN_OK;
    }
    if (err == CN_OK && dangles(s, seg, &before)) {
        err = CN_ERR_NOT_FOUND;
    }
    if (err != CN_ERR_NOT_FOUND) {
        return err; /* held already: this copy is dead */
    }
    if (s->fresh.len >= CN_PENDING_MAX) {
        err = cn_commit_all(s);
        if (err != CN_OK) {
            return err;
        }
    }
    cn_lock_take(s->lock);
    err = cn_pending_add(&s->fresh, key, place);
    if (err == CN_OK) {
        cn_segment_count(s, seg, key, place, true);
        seg->dirty = true;
    }
    cn_lock_give(s->lock);
    return err;
}

/* Entries of a good sidecar into the index. NOT_FOUND: none that can be used. */
static cn_err from_sidecar(cn_store *s, cn_segment *seg, const cn_tomb_set *tombs)
{
    cn_store_path path;
    cn_buf whole;
    cn_sidecar about;
    cn_cur entries;
    cn_slice key;
    cn_place place;
    uint64_t file_bytes = seg->tail;
    cn_err err = CN_OK;
    cn_buf_init(&whole, s->mem, CN_SIDECAR_MAX_BYTES);
    (void)cn_segment_file(s, path, seg->meta.segment, CN_STORE_SIDECAR);
    err = cn_rt_read_file(s->rt, path, &whole, NULL);
    if (err == CN_OK) {
        err = cn_sidecar_decode(cn_buf_slice(&whole), &about, &entries);
    }
    if (err != CN_OK || about.segment != seg->meta.segment) {
        err = err == CN_ERR_NO_MEMORY ? err : CN_ERR_NOT_FOUND;
        goto out;
    }
    /* a segment that grew after its sidecar was written: the rest is replayed */
    seg->written = CN_MIN(file_bytes, about.segment_bytes);
    seg->meta.sealed = about.segment_bytes >= file_bytes;
    for (uint32_t i = 0; i < about.count; i++) {
        CN_TRY(cn_sidecar_next(&about, &entries, &key, &place));
        seg->meta.records = CN_MAX(seg->meta.records, place.ordinal + 1);
        if (place.offset + place.len > file_bytes) {
            s->bad_records++; /* the segment was cut short */
        } else if (!cn_tomb_set_has(tombs, place.ordinal)) {
            CN_TRY(cn_recover_adopt(s, seg, key, &place));
        }
    }
    seg->sidecar_bytes = whole.len;
    seg->dirty = true;
out:
    cn_buf_release(&whole);
    return err;
}

/* One segment that is there. */
static cn_err recover_segment(cn_store *s, const found *f)
{
    cn_store_path path;
    cn_path_stat st = {0};
    cn_tomb_set tombs = {0};
    cn_segment *seg = cn_segment_of(s, f->segment);
    bool known = seg != NULL;
    cn_err err = CN_OK;
    s->next_segment = CN_MAX(s->next_segment, f->segment + 1);
    CN_TRY(cn_path_stat_of(s->rt, cn_segment_file(s, path, f->segment, CN_STORE_SEGMENT), &st));
    if (f->has[CN_STORE_TOMBS]) {
        CN_TRY(cn_tomb_set_read(s, f->segment, &tombs));
    }
    if (tombs.whole || st.size_bytes < CN_SEGMENT_HEAD_BYTES) {
        err = cn_recover_finish_unlink(s, f->segment);
        goto out;
    }
    if (!known) {
        cn_segment_meta meta = {.segment = f->segment, .records = 1};
        CN_TRY(cn_segment_add(s, &meta, &seg));
        seg->written = CN_SEGMENT_HEAD_BYTES;
    }
    seg->tail = seg->writeback = st.size_bytes;
    seg->tombs_bytes = tombs.log_bytes;
    s->segment_bytes += st.size_bytes;
    s->other_bytes += tombs.log_bytes;
    if (known && f->has[CN_STORE_SIDECAR]) {
        cn_path_stat sidecar = {0};
        (void)cn_segment_file(s, path, f->segment, CN_STORE_SIDECAR);
        if (cn_path_stat_of(s->rt, path, &sidecar) == CN_OK) {
            seg->sidecar_bytes = sidecar.size_bytes;
        }
    }
    if (!known && f->has[CN_STORE_SIDECAR]) {
        err = from_sidecar(s, seg, &tombs);
        known = err == CN_OK && seg->meta.sealed;
        CN_TRY(err == CN_ERR_NOT_FOUND ? CN_OK : err);
    }
    s->other_bytes += seg->sidecar_bytes;
    if (!seg->meta.sealed && seg->tail > seg->written) {
        CN_TRY(cn_recover_replay(s, seg, &tombs, known));
    }
    CN_TRY(cn_recover_tombs(s, seg, &tombs));
out:
    cn_tomb_set_release(s, &tombs);
    return err;
}

/* The last segment, if it is not sealed and has room, is the open one; others are closed. */
static cn_err choose_open(cn_store *s)
{
    cn_segment *held = NULL;
    cn_err err = CN_OK;
    for (size_t i = 0; i < s->segments_len; i++) {
        cn_segment *seg = s->segments[i];
        if (seg->meta.sealed) {
            continue;
        }
        err = cn_segment_hold(s, seg->meta.segment, &held);
        if (err == CN_ERR_CORRUPT) {
            seg->closed = true; /* noted before; left alone */
            err = CN_OK;
            continue;
        }
        CN_TRY(err);
        cn_segment_let(s, held);
        bool usable = !seg->closed && seg->tail == seg->written && i + 1 == s->segments_len &&
                      seg->tail < s->options.segment_max_bytes;
        seg->closed = !usable;
        s->open = usable ? seg : NULL;
    }
    (void)!cn_store_seal_closed(s); /* tried again at the next flush */
out:
    return err;
}

cn_err cn_store_recover(cn_store *s, cn_why *why)
{
    listing l = {.mem = s->mem};
    cn_err err = CN_OK;
    CN_TRY(cn_dir_list(s->rt, s->dir, list_one, &l));
    CN_TRY(open_index(s, &l, why));
    for (size_t i = 0; i < s->segments_len; i++) {
        s->blocks_len += s->segments[i]->meta.live_records;
        s->block_bytes += s->segments[i]->meta.live_bytes;
        s->live_whole += s->segments[i]->meta.live_whole;
    }
    for (size_t i = 0; i < l.len; i++) {
        if (!l.list[i].has[CN_STORE_SEGMENT]) {
            CN_TRY(cn_recover_finish_unlink(s, l.list[i].segment));
        } else {
            CN_TRY(recover_segment(s, &l.list[i]));
        }
    }
    err = cn_commit_all(s);
    if (err == CN_ERR_NO_SPACE && cn_store_relieve(s)) {
        err = cn_commit_all(s);
    }
    /* on a full disk the places stay in memory and are committed when there is room */
    CN_TRY(err == CN_ERR_NO_SPACE && s->broken == CN_OK ? CN_OK : err);
    CN_TRY(choose_open(s));
out:
    cn_free(s->mem, l.list);
    return err;
}
