/*
 * Collector: steps of the walk become files and folders. Events of folders wait in `done_dirs`
 * until their top-level path is done, as Kubo tells of them last.
 */
#include "unixfs/add_internal.h"

#include "ipld/dagpb.h"

enum { PATH_MAX_BYTES = 1 << 20 };

#define DONE_DIRS_MAX_BYTES ((size_t)1 << 32)

cn_err cn_add_collector_init(cn_add_collector *c, const cn_add_request *request)
{
    cn_mem *mem = request->mem;
    *c = (cn_add_collector){.request = request};
    cn_emit_init(&c->emit, mem, request->options, request->sink);
    cn_layout_init(&c->layout, &c->emit);
    cn_buf_init(&c->path, mem, PATH_MAX_BYTES);
    cn_buf_init(&c->done_dirs, mem, DONE_DIRS_MAX_BYTES);
    c->dirs = cn_alloc_array(mem, CN_ADD_DEPTH_MAX, sizeof *c->dirs);
    c->blocks = cn_alloc_array(mem, CN_ADD_LEAVES_MAX, sizeof *c->blocks);
    if (c->dirs == NULL || c->blocks == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    if (request->wrap) {
        cn_add_step none = {0};
        cn_import_meta meta = cn_add_meta(request->options, &none);
        cn_dir_builder_init(&c->dirs[0].builder, &c->emit, &meta);
        c->dirs[0].virtual = true;
        c->dirs_len = 1;
    }
    return CN_OK;
}

void cn_add_collector_release(cn_add_collector *c)
{
    if (c->request == NULL) {
        return;
    }
    for (size_t i = 0; i < c->dirs_len; i++) {
        cn_dir_builder_release(&c->dirs[i].builder);
    }
    cn_free(c->request->mem, c->dirs);
    cn_free(c->request->mem, c->blocks);
    cn_buf_release(&c->path);
    cn_buf_release(&c->done_dirs);
    cn_layout_release(&c->layout);
    cn_emit_release(&c->emit);
    *c = (cn_add_collector){0};
}

static cn_slice step_name(const cn_add_batch *b, const cn_add_step *s)
{
    return cn_slice_head(cn_slice_skip(cn_buf_slice(&b->text), s->name_start), s->name_len);
}

/* Are we at a top-level path (the wrapping folder does not count)? */
static bool at_top(const cn_add_collector *c)
{
    return c->dirs_len == (c->request->wrap ? 1 : 0);
}

/* Go to an entry: its name joins the path. Returns the path's length before it. */
static cn_err enter(
    cn_add_collector *c,
    const cn_add_batch *b,
    const cn_add_step *s,
    cn_source_kind kind,
    size_t *ret_path_len)
{
    if (at_top(c)) {
        c->top = (cn_source_entry){
            .kind = kind,
            .has_mode = s->has_mode,
            .has_mtime = s->has_mtime,
            .mode = s->mode,
            .mtime_s = s->mtime_s,
            .mtime_ns = s->mtime_ns,
        };
    }
    *ret_path_len = c->path.len;
    cn_err err = c->path.len > 0 ? cn_buf_byte(&c->path, '/') : CN_OK;
    if (err == CN_OK) {
        c->name_len = s->name_len;
        err = cn_buf_append(&c->path, step_name(b, s));
    }
    return err;
}

/* What is told may be printed and pinned at once, so the sink has its blocks before. */
static cn_err tell(cn_add_collector *c, const cn_add_event *event, cn_why *why)
{
    cn_add_observer *o = c->request->observer;
    cn_err err = cn_emit_flush(&c->emit, why);
    if (err != CN_OK) {
        return err;
    }
    if (event->is_root) {
        c->root = *event->cid;
        c->roots_len++;
    }
    return o == NULL || o->added == NULL ? CN_OK : o->added(o, event, why);
}

/* A folder's event, to be told later. */
static cn_err hold_dir(cn_add_collector *c, const cn_import_ref *made, bool is_root)
{
    cn_slice path = cn_buf_slice(&c->path);
    cn_add_held d = {made->cid, made->tsize_bytes, path.len, is_root};
    cn_err err = cn_buf_append(&c->done_dirs, cn_slice_of(&d, sizeof d));
    return err == CN_OK ? cn_buf_append(&c->done_dirs, path) : err;
}

static cn_err tell_held(cn_add_collector *c, cn_why *why)
{
    cn_cur cur = cn_cur_of(cn_buf_slice(&c->done_dirs));
    while (!cn_cur_done(&cur)) {
        cn_slice bytes = {0};
        cn_slice path = {0};
        cn_add_held d;
        CN_ASSERT(cn_cur_take(&cur, sizeof d, &bytes) == CN_OK);
        cn_copy(&d, bytes.data, sizeof d);
        CN_ASSERT(cn_cur_take(&cur, d.path_len, &path) == CN_OK);
        cn_add_event event = {
            .path = path,
            .cid = &d.cid,
            .size_bytes = d.size_bytes,
            .is_dir = true,
            .is_root = d.is_root,
            .top = c->request->wrap ? NULL : &c->top,
        };
        cn_err err = tell(c, &event, why);
        if (err != CN_OK) {
            return err;
        }
    }
    cn_buf_reset(&c->done_dirs);
    return CN_OK;
}

/* Link a made entry, whose path is c->path, into the folder that holds it, and leave it. */
static cn_err link_up(cn_add_collector *c, const cn_import_ref *made, size_t path_len)
{
    cn_err err = CN_OK;
    if (c->dirs_len > 0) {
        cn_slice name = cn_slice_skip(cn_buf_slice(&c->path), c->path.len - c->name_len);
        err = cn_dir_builder_add(&c->dirs[c->dirs_len - 1].builder, name, made);
    }
    c->path.len = path_len;
    return err;
}

/* A file or symlink is made: tell it and link it. An unnamed one is called by its CID. */
static cn_err
entry_made(cn_add_collector *c, const cn_import_ref *made, size_t path_len, cn_why *why)
{
    if (c->name_len == 0) {
        char text[CN_CID_TEXT_BYTES];
        cn_slice name = cn_str(cn_cid_text(&made->cid, text));
        cn_err err = cn_buf_append(&c->path, name);
        if (err != CN_OK) {
            return err;
        }
        c->name_len = name.len;
    }
    cn_add_event event = {
        .path = cn_buf_slice(&c->path),
        .cid = &made->cid,
        .size_bytes = made->tsize_bytes,
        .is_root = c->dirs_len == 0,
        .top = c->request->wrap ? NULL : &c->top,
    };
    if (c->dirs_len > 0) {
        c->dirs[c->dirs_len - 1].entries++;
    }
    cn_err err = tell(c, &event, why);
    return err == CN_OK ? link_up(c, made, path_len) : err;
}

static cn_err take_leaf(cn_add_collector *c, const cn_add_leaf *leaf, cn_why *why)
{
    cn_add_observer *o = c->request->observer;
    cn_import_ref ref = {leaf->cid, leaf->file_bytes, leaf->block.len};
    cn_err err = cn_layout_add(&c->layout, &ref, why);
    c->file_bytes += leaf->file_bytes;
    if (err == CN_OK && o != NULL && o->progress != NULL) {
        err = o->progress(o, cn_buf_slice(&c->path), c->file_bytes, why);
    }
    return err;
}

/* The path's length before the name of the file being made, and its slash. */
static size_t path_before_name(const cn_add_collector *c)
{
    size_t len = c->path.len - c->name_len;
    return len > 0 ? len - 1 : 0;
}

static cn_err end_file(cn_add_collector *c, const cn_add_step *s, cn_why *why)
{
    cn_import_ref made;
    cn_import_meta meta = cn_add_meta(c->request->options, s);
    cn_err err = cn_layout_finish(&c->layout, &meta, &made, why);
    return err == CN_OK ? entry_made(c, &made, path_before_name(c), why) : err;
}

static cn_err
take_symlink(cn_add_collector *c, const cn_add_batch *b, const cn_add_step *s, cn_why *why)
{
    cn_slice text = cn_slice_skip(cn_buf_slice(&b->text), s->name_start + s->name_len);
    cn_unixfs_data d = {
        .type = CN_UNIXFS_SYMLINK,
        .has_data = true,
        .data = cn_slice_head(text, s->target_len),
    };
    cn_import_meta meta = cn_add_meta(c->request->options, s);
    meta.has_mode = false;
    cn_import_meta_set(&meta, &d);
    cn_import_ref made = {0};
    cn_buf message = {0};
    cn_buf block = {0};
    size_t path_len = 0;
    cn_err err = CN_OK;
    cn_buf_init(&message, c->request->mem, PATH_MAX_BYTES);
    cn_buf_init(&block, c->request->mem, PATH_MAX_BYTES);
    CN_TRY(enter(c, b, s, CN_SOURCE_SYMLINK, &path_len));
    CN_TRY(cn_unixfs_data_encode(&d, NULL, &message));
    CN_TRY(cn_dagpb_data_append(cn_buf_slice(&message), &block));
    CN_TRY(cn_emit_node(&c->emit, cn_buf_slice(&block), &made.cid, why));
    made.tsize_bytes = block.len;
    CN_TRY(entry_made(c, &made, path_len, why));
out:
    cn_buf_release(&message);
    cn_buf_release(&block);
    return err;
}

static cn_err
start_dir(cn_add_collector *c, const cn_add_batch *b, const cn_add_step *s, cn_why *why)
{
    if (c->dirs_len == CN_ADD_DEPTH_MAX) {
        return cn_why_set(
            why, CN_ERR_TOO_DEEP, "folders are nested deeper than %d", CN_ADD_DEPTH_MAX);
    }
    cn_add_open_dir dir = {0};
    dir.held_start = c->done_dirs.len;
    cn_err err = enter(c, b, s, CN_SOURCE_DIR_START, &dir.path_len);
    if (err != CN_OK) {
        return err;
    }
    if (c->dirs_len > 0) {
        c->dirs[c->dirs_len - 1].entries++;
    }
    cn_import_meta meta = cn_add_meta(c->request->options, s);
    cn_dir_builder_init(&dir.builder, &c->emit, &meta);
    c->dirs[c->dirs_len++] = dir;
    return CN_OK;
}

/* Write the innermost folder, hold its event, link it. */
static cn_err end_dir(cn_add_collector *c, cn_why *why)
{
    CN_ASSERT(c->dirs_len > 0);
    cn_add_open_dir *dir = &c->dirs[c->dirs_len - 1];
    size_t path_len = dir->path_len;
    bool is_root = c->dirs_len == 1;
    bool top = is_root || (c->request->wrap && c->dirs_len == 2);
    bool skip = c->request->skip_empty_dirs && dir->entries == 0 && !top;
    cn_import_ref made;
    cn_err err = skip ? CN_OK : cn_dir_builder_finish(&dir->builder, &made, why);
    if (err == CN_OK && cn_dir_builder_is_hamt(&dir->builder)) {
        err = cn_add_held_sort(c, dir->held_start);
    }
    cn_dir_builder_release(&dir->builder);
    c->dirs_len--;
    if (err != CN_OK || skip) {
        c->path.len = path_len;
        return err;
    }
    c->name_len = c->path.len - path_len - (path_len > 0 ? 1 : 0);
    err = hold_dir(c, &made, is_root);
    if (err == CN_OK && c->dirs_len > 0) {
        err = link_up(c, &made, path_len);
    }
    c->path.len = path_len;
    /* With a wrapping folder, all events of folders come after all files. */
    return err == CN_OK && is_root ? tell_held(c, why) : err;
}

static cn_err
take_step(cn_add_collector *c, const cn_add_batch *b, const cn_add_step *s, cn_why *why)
{
    size_t before = 0;
    switch (s->kind) {
    case CN_ADD_LEAF:
        return take_leaf(c, &b->leaves[s->leaf], why);
    case CN_ADD_FILE_START:
        c->file_bytes = 0;
        return enter(c, b, s, CN_SOURCE_FILE, &before);
    case CN_ADD_FILE_END:
        return end_file(c, s, why);
    case CN_ADD_SYMLINK:
        return take_symlink(c, b, s, why);
    case CN_ADD_DIR_START:
        return start_dir(c, b, s, why);
    case CN_ADD_DIR_END:
    default:
        return end_dir(c, why);
    }
}

/* Give the leaves to the sink, before any node that links to them. */
static cn_err put_leaves(cn_add_collector *c, const cn_add_batch *b, cn_why *why)
{
    cn_import_sink *sink = c->request->sink;
    size_t len = 0;
    for (size_t i = 0; sink != NULL && i < b->leaves_len; i++) {
        if (!cn_cid_is_identity(&b->leaves[i].cid, NULL)) {
            c->blocks[len++] = (cn_import_block){&b->leaves[i].cid, b->leaves[i].block};
        }
    }
    return len == 0 ? CN_OK : sink->put(sink, c->blocks, len, why);
}

cn_err cn_add_collect(cn_add_collector *c, cn_add_batch *b, cn_why *why)
{
    cn_err err = b->hash_err;
    if (err == CN_OK) {
        err = put_leaves(c, b, why);
    }
    for (size_t i = 0; i < b->steps_len && err == CN_OK; i++) {
        err = take_step(c, b, &b->steps[i], why);
    }
    return err;
}

cn_err cn_add_collector_finish(cn_add_collector *c, cn_cid *ret_root, cn_why *why)
{
    cn_err err = CN_OK;
    if (c->request->wrap && c->dirs_len == 1 && c->dirs[0].builder.len > 0) {
        err = end_dir(c, why);
    }
    if (err == CN_OK) {
        err = cn_emit_flush(&c->emit, why);
    }
    if (err == CN_OK && c->roots_len == 0) {
        err = cn_why_set(why, CN_ERR_NOT_FOUND, "expected a file argument");
    }
    if (err == CN_OK) {
        *ret_root = c->root;
    }
    return err;
}
