/*
 * cn_add: the reader, and the ring between it and the collector. `filling` is the batch being
 * filled; those before it, up to CN_ADD_BATCHES - 1, are with the workers; the oldest is collected
 * when its place is needed.
 */
#include "unixfs/add_internal.h"

enum {
    DIRECT_MIN_BYTES =
        64 << 10, /* smaller chunks are cut from a window instead of read one by one */
    WINDOW_BYTES = 1 << 20,
};

typedef struct reader {
    const cn_add_request *request;
    cn_add_batch batches[CN_ADD_BATCHES];
    size_t filling; /* counts on; the place is the rest by CN_ADD_BATCHES */
    size_t collected;
    cn_add_collector collector;
    bool direct;     /* chunks are read straight into batches */
    bool peek;       /* a byte beyond the first chunk must be seen before it is closed */
    uint8_t *window; /* otherwise: bytes read, not yet cut */
    size_t window_cap;
    size_t window_start;
    size_t window_end;
    bool at_end; /* of the current file: nothing more to read */
} reader;

cn_import_meta cn_add_meta(const cn_import_options *o, const cn_add_step *s)
{
    cn_import_meta meta = {
        .has_mode = o->has_mode,
        .has_mtime = o->has_mtime,
        .mode = o->mode,
        .mtime_s = o->mtime_s,
        .mtime_ns = o->mtime_ns,
    };
    if (!meta.has_mode && o->preserve_mode && s->has_mode) {
        meta.has_mode = true;
        meta.mode = s->mode;
    }
    if (!meta.has_mtime && o->preserve_mtime && s->has_mtime) {
        meta.has_mtime = true;
        meta.mtime_s = s->mtime_s;
        meta.mtime_ns = s->mtime_ns;
    }
    return meta;
}

static cn_add_batch *batch_at(reader *r, size_t number)
{
    return &r->batches[number % CN_ADD_BATCHES];
}

static void run_batch(cn_work *w)
{
    cn_add_batch_hash((cn_add_batch *)w);
}

static cn_err collect_oldest(reader *r, cn_why *why)
{
    cn_add_batch *b = batch_at(r, r->collected);
    if (b->submitted) {
        cn_rt_work_wait(r->request->rt, &b->work);
    }
    r->collected++;
    cn_err err = cn_add_collect(&r->collector, b, why);
    cn_add_batch_reset(b);
    return err;
}

/* Have the filling batch hashed, and make the next one free. */
static cn_err turn(reader *r, cn_why *why)
{
    cn_add_batch *b = batch_at(r, r->filling);
    if (b->data_len < CN_ADD_INLINE_BYTES) {
        cn_add_batch_hash(b);
    } else {
        b->submitted = true;
        b->work.run = run_batch;
        cn_rt_work_submit(r->request->rt, &b->work);
    }
    r->filling++;
    return r->filling - r->collected < CN_ADD_BATCHES ? CN_OK : collect_oldest(r, why);
}

/* Room in the filling batch for one step, and for a leaf of any size if `leaf`. */
static cn_err make_room(reader *r, bool leaf, cn_why *why)
{
    const cn_add_batch *b = batch_at(r, r->filling);
    size_t leaf_bytes =
        r->request->options->chunker.max_bytes + CN_ADD_HEAD_BYTES + CN_ADD_TAIL_BYTES;
    bool full = b->steps_len == CN_ADD_STEPS_MAX;
    if (leaf) {
        full = full || b->leaves_len == CN_ADD_LEAVES_MAX || b->data_cap - b->data_len < leaf_bytes;
    }
    return full ? turn(r, why) : CN_OK;
}

static cn_err add_step(reader *r, cn_add_step_kind kind, const cn_source_entry *e, cn_why *why)
{
    cn_err err = make_room(r, false, why);
    if (err != CN_OK) {
        return err;
    }
    cn_add_batch *b = batch_at(r, r->filling);
    cn_add_step s = {
        .kind = kind,
        .name_start = b->text.len,
        .has_mode = e->has_mode,
        .has_mtime = e->has_mtime,
        .mode = e->mode,
        .mtime_s = e->mtime_s,
        .mtime_ns = e->mtime_ns,
    };
    if (kind != CN_ADD_FILE_END && kind != CN_ADD_DIR_END) {
        s.name_len = e->name.len;
        s.target_len = e->target.len;
        err = cn_buf_append(&b->text, e->name);
        if (err == CN_OK) {
            err = cn_buf_append(&b->text, e->target);
        }
    }
    if (err == CN_OK) {
        b->steps[b->steps_len++] = s;
    }
    return err;
}

/* Fill the window until it holds a largest chunk and one byte, or the file has ended. */
static cn_err fill_window(reader *r, cn_why *why)
{
    size_t wanted = r->request->options->chunker.max_bytes + 1;
    if (r->at_end || r->window_end - r->window_start >= wanted) {
        return CN_OK;
    }
    cn_move(r->window, r->window + r->window_start, r->window_end - r->window_start);
    r->window_end -= r->window_start;
    r->window_start = 0;
    size_t asked = r->window_cap - r->window_end;
    size_t got = 0;
    cn_err err = cn_source_read(r->request->source, r->window + r->window_end, asked, &got, why);
    r->window_end += got;
    r->at_end = got < asked;
    return err;
}

/* The next chunk out of the window, copied to `to`. *ret_last: the file ends with it. */
static cn_err cut_chunk(reader *r, uint8_t *to, size_t *ret_len, bool *ret_last, cn_why *why)
{
    cn_err err = fill_window(r, why);
    if (err != CN_OK) {
        return err;
    }
    cn_slice window = {r->window + r->window_start, r->window_end - r->window_start};
    size_t len = window.len == 0 ? 0 : cn_chunker_next(&r->request->options->chunker, window);
    cn_copy(to, window.data, len);
    r->window_start += len;
    *ret_len = len;
    *ret_last = r->at_end && r->window_start == r->window_end;
    return CN_OK;
}

/* The next chunk of a size-N file straight from the source. */
static cn_err read_chunk(reader *r, uint8_t *to, size_t *ret_len, bool *ret_last, cn_why *why)
{
    size_t size = r->request->options->chunker.max_bytes;
    size_t held = r->window_end; /* one byte seen ahead, or none */
    size_t asked = size + (r->peek ? 1 : 0) - held;
    size_t got = 0;
    cn_copy(to, r->window, held);
    cn_err err = cn_source_read(r->request->source, to + held, asked, &got, why);
    if (err != CN_OK) {
        return err;
    }
    *ret_last = got < asked;
    got += held;
    r->window_end = 0;
    if (got > size) {
        r->window[0] = to[size];
        r->window_end = 1;
        got = size;
    }
    *ret_len = got;
    return CN_OK;
}

/* Read the current file to its end as leaves. */
static cn_err read_leaves(reader *r, const cn_import_meta *meta, cn_why *why)
{
    const cn_import_options *o = r->request->options;
    bool empty_leaf = o->layout == CN_LAYOUT_BALANCED;
    bool last = false;
    r->window_start = 0;
    r->window_end = 0;
    r->at_end = false;
    for (size_t n = 0; !last; n++) {
        cn_err err = make_room(r, true, why);
        if (err != CN_OK) {
            return err;
        }
        cn_add_batch *b = batch_at(r, r->filling);
        uint8_t *to = b->data + b->data_len + CN_ADD_HEAD_BYTES;
        size_t len = 0;
        err = r->direct ? read_chunk(r, to, &len, &last, why) : cut_chunk(r, to, &len, &last, why);
        if (err != CN_OK) {
            return err;
        }
        if (len > 0 || (n == 0 && empty_leaf)) {
            cn_add_batch_leaf(b, len, n == 0 && last && empty_leaf ? meta : NULL);
        }
    }
    return CN_OK;
}

static cn_err read_file(reader *r, const cn_source_entry *e, cn_why *why)
{
    cn_add_step stat = {
        .has_mode = e->has_mode,
        .has_mtime = e->has_mtime,
        .mode = e->mode,
        .mtime_s = e->mtime_s,
        .mtime_ns = e->mtime_ns,
    };
    cn_import_meta meta = cn_add_meta(r->request->options, &stat);
    cn_source_entry end = *e;
    cn_err err = add_step(r, CN_ADD_FILE_START, e, why);
    if (err == CN_OK) {
        err = read_leaves(r, &meta, why);
    }
    return err == CN_OK ? add_step(r, CN_ADD_FILE_END, &end, why) : err;
}

static cn_err read_all(reader *r, cn_why *why)
{
    for (;;) {
        cn_source_entry e = {0};
        cn_err err = cn_source_next(r->request->source, &e, why);
        if (err != CN_OK) {
            return err;
        }
        switch (e.kind) {
        case CN_SOURCE_END:
            return CN_OK;
        case CN_SOURCE_FILE:
            err = read_file(r, &e, why);
            break;
        case CN_SOURCE_SYMLINK:
            err = add_step(r, CN_ADD_SYMLINK, &e, why);
            break;
        case CN_SOURCE_DIR_START:
            err = add_step(r, CN_ADD_DIR_START, &e, why);
            break;
        case CN_SOURCE_DIR_END:
        default:
            err = add_step(r, CN_ADD_DIR_END, &e, why);
            break;
        }
        if (err != CN_OK) {
            return err;
        }
    }
}

/* Have the last batch hashed and collect all that are left. */
static cn_err collect_rest(reader *r, cn_why *why)
{
    cn_err err = turn(r, why);
    while (err == CN_OK && r->collected < r->filling) {
        err = collect_oldest(r, why);
    }
    return err;
}

static cn_err reader_init(reader *r, const cn_add_request *request)
{
    const cn_import_options *o = request->options;
    *r = (reader){.request = request};
    r->direct = o->chunker.kind == CN_CHUNK_SIZE && o->chunker.max_bytes >= DIRECT_MIN_BYTES;
    r->peek = o->preserve_mode || o->preserve_mtime || o->has_mode || o->has_mtime;
    r->window_cap = r->direct ? 1 : CN_MAX((size_t)WINDOW_BYTES, 2 * o->chunker.max_bytes);
    cn_err err = cn_add_collector_init(&r->collector, request);
    for (size_t i = 0; i < CN_ADD_BATCHES && err == CN_OK; i++) {
        err = cn_add_batch_init(&r->batches[i], request->mem, o);
    }
    r->window = cn_alloc_dirty(request->mem, r->window_cap);
    return err == CN_OK && r->window == NULL ? CN_ERR_NO_MEMORY : err;
}

static void reader_release(reader *r)
{
    cn_mem *mem = r->request->mem;
    for (; r->collected < r->filling; r->collected++) {
        cn_add_batch *b = batch_at(r, r->collected);
        if (b->submitted) {
            cn_rt_work_wait(r->request->rt, &b->work);
        }
    }
    for (size_t i = 0; i < CN_ADD_BATCHES; i++) {
        cn_add_batch_release(&r->batches[i], mem);
    }
    cn_free(mem, r->window);
    cn_add_collector_release(&r->collector);
}

cn_err cn_add(const cn_add_request *request, cn_cid *ret_root, cn_why *why)
{
    reader *r = cn_alloc(request->mem, sizeof *r);
    if (r == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_err err = CN_OK;
    CN_TRY(reader_init(r, request));
    err = read_all(r, why);
    if (err != CN_OK) {
        (void)!collect_rest(r, NULL); /* what was read before is still made and told */
        goto out;
    }
    CN_TRY(collect_rest(r, why));
    CN_TRY(cn_add_collector_finish(&r->collector, ret_root, why));
out:
    reader_release(r);
    cn_free(request->mem, r);
    return err;
}
