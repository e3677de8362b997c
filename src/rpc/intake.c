/*
 * Invariant: `open` is the path of the folders begun and not ended. A part is given once its
 * parent is `open`; until then each step ends one folder or begins one. A folder without a name,
 * as Go's client sends the one it is asked to add, holds all that follows it.
 */
#include "rpc/intake.h"

#include "base/num.h"
#include "base/time.h"
#include "codec/quote.h"
#include "http/url.h"

enum { TARGET_MAX = 64 << 10 };

static bool is_folder(const cn_part *p)
{
    return cn_slice_is(p->content_type, "application/x-directory") ||
           cn_slice_is(p->content_type, "multipart/form-data");
}

/* The last segment of a path, and what is before it. */
static cn_slice base_of(cn_slice path, cn_slice *ret_dir)
{
    size_t start = path.len;
    while (start > 0 && path.data[start - 1] != '/') {
        start--;
    }
    *ret_dir = cn_slice_head(path, start > 0 ? start - 1 : 0);
    return cn_slice_skip(path, start);
}

/* Clean a decoded file name into u->path: no empty, "." or ".." segments. */
static cn_err clean(cn_intake *u, cn_slice name, cn_why *why)
{
    size_t depth = 0;
    cn_buf_reset(&u->path);
    while (name.len > 0) {
        size_t len = cn_slice_find(name, '/');
        cn_slice segment = cn_slice_head(name, len);
        name = cn_slice_skip(name, len + 1);
        if (segment.len == 0 || cn_slice_is(segment, ".")) {
            continue;
        }
        if (cn_slice_is(segment, "..")) {
            cn_slice dir = {0};
            (void)base_of(cn_buf_slice(&u->path), &dir);
            u->path.len = dir.len;
            depth -= depth > 0 ? 1 : 0;
            continue;
        }
        if (++depth > CN_INTAKE_DEPTH_MAX || cn_slice_find(segment, 0) < segment.len) {
            return cn_why_set(why, CN_ERR_MALFORMED, "multipart: a file name is not a path");
        }
        cn_err err = u->path.len > 0 ? cn_buf_byte(&u->path, '/') : CN_OK;
        err = err == CN_OK ? cn_buf_append(&u->path, segment) : err;
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}

/* Where the client keeps the file is of no use to us, but must be readable. */
static cn_err check_abspath(const cn_intake *u, cn_buf *scratch, cn_why *why)
{
    cn_buf_reset(scratch);
    cn_err err = cn_url_decode(u->part.abspath, true, scratch);
    char text[CN_QUOTE_TEXT_BYTES];
    return err != CN_ERR_MALFORMED
               ? err
               : cn_why_set(
                     why, err, "invalid URL escape %s", cn_quote_text(u->part.abspath, text));
}

/* Get the next part and its path. */
static cn_err fetch(cn_intake *u, cn_why *why)
{
    cn_buf name;
    bool have = false;
    cn_err err = CN_OK;
    cn_buf_init(&name, u->parts.mem, CN_INTAKE_PATH_MAX);
    CN_TRY(cn_multipart_next(&u->parts, &u->part, &have, why));
    if (!have) {
        u->ended = true;
        goto out;
    }
    err = cn_url_decode(u->part.filename, true, &name);
    if (err == CN_ERR_MALFORMED) { /* not escaped: take it as it is */
        cn_buf_reset(&name);
        err = cn_buf_append(&name, u->part.filename);
    }
    CN_TRY(err);
    CN_TRY(clean(u, cn_buf_slice(&name), why));
    CN_TRY(check_abspath(u, &name, why));
    u->has_part = true;
out:
    cn_buf_release(&name);
    return err;
}

/* Is `dir` the folder `path` or above it? */
static bool is_above(cn_slice dir, cn_slice path)
{
    return dir.len == 0 ||
           (cn_slice_starts(path, dir) && (path.len == dir.len || path.data[dir.len] == '/'));
}

static cn_err set_shown(cn_intake *u, cn_slice path, cn_source_entry *e)
{
    cn_slice dir = {0};
    cn_buf_reset(&u->shown);
    cn_err err = cn_buf_append(&u->shown, path);
    if (err == CN_OK) {
        err = cn_buf_cstr(&u->shown, &e->path);
    }
    if (err == CN_OK) {
        e->name = base_of(cn_buf_slice(&u->shown), &dir);
    }
    return err;
}

static cn_err octal(cn_slice text, uint32_t *ret)
{
    uint32_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '7' || value > 0777777) {
            return CN_ERR_MALFORMED;
        }
        value = value << 3 | (uint32_t)(text.data[i] - '0');
    }
    *ret = value & 07777;
    return text.len == 0 ? CN_ERR_MALFORMED : CN_OK;
}

/*
 * Mode and time: in the query behind the form's field name. What is not a number says nothing, as
 * Kubo has it.
 */
static cn_err read_attributes(cn_intake *u, cn_source_entry *e)
{
    cn_query q = {0};
    int64_t seconds = 0;
    int64_t rest_ns = 0;
    cn_err err = cn_query_parse(cn_url_query(u->part.name), u->parts.mem, &q);
    if (err != CN_OK) {
        return err;
    }
    const cn_slice *mode = cn_query_get(&q, "mode");
    const cn_slice *mtime = cn_query_get(&q, "mtime");
    const cn_slice *nsecs = cn_query_get(&q, "mtime-nsecs");
    e->has_mode = mode != NULL && mode->len > 0 && octal(*mode, &e->mode) == CN_OK;
    bool has_seconds = mtime != NULL && cn_num_i64(*mtime, &seconds) == CN_OK;
    bool has_rest = nsecs != NULL && cn_num_i64(*nsecs, &rest_ns) == CN_OK && rest_ns != 0;
    e->has_mtime = has_seconds || has_rest;
    if (e->has_mtime) {
        int64_t below = (rest_ns % CN_NS_PER_S + CN_NS_PER_S) % CN_NS_PER_S;
        (void)__builtin_add_overflow(seconds, (rest_ns - below) / CN_NS_PER_S, &e->mtime_s);
        e->mtime_ns = (uint32_t)below;
    }
    cn_query_release(&q);
    return CN_OK;
}

static cn_err read_target(cn_intake *u, cn_source_entry *e, cn_why *why)
{
    cn_buf_reset(&u->target);
    for (;;) {
        size_t got = 0;
        cn_err err = cn_buf_reserve(&u->target, 4096);
        if (err == CN_OK) {
            err = cn_multipart_read(&u->parts, u->target.data + u->target.len, 4096, &got, why);
        }
        if (err != CN_OK) {
            return err;
        }
        u->target.len += got;
        if (got < 4096) {
            break;
        }
    }
    e->target = cn_buf_slice(&u->target);
    return CN_OK;
}

/* Give the part itself. */
static cn_err give_part(cn_intake *u, cn_source_entry *e, cn_why *why)
{
    cn_err err = CN_OK;
    CN_TRY(set_shown(u, cn_buf_slice(&u->path), e));
    CN_TRY(read_attributes(u, e));
    u->has_part = false;
    if (is_folder(&u->part)) {
        e->kind = CN_SOURCE_DIR_START;
        u->in_root = u->in_root || u->path.len == 0;
        cn_buf_reset(&u->open);
        CN_TRY(cn_buf_append(&u->open, cn_buf_slice(&u->path)));
    } else if (cn_slice_is(u->part.content_type, "application/symlink")) {
        e->kind = CN_SOURCE_SYMLINK;
        CN_TRY(read_target(u, e, why));
    } else {
        e->kind = CN_SOURCE_FILE;
        u->in_file = true;
    }
out:
    return err;
}

static void close_folder(cn_intake *u, cn_source_entry *e)
{
    cn_slice dir = {0};
    (void)base_of(cn_buf_slice(&u->open), &dir);
    u->open.len = dir.len;
    e->kind = CN_SOURCE_DIR_END;
}

/* Begin the folder that lies one below `open` on the way to `dir`. */
static cn_err open_folder(cn_intake *u, cn_slice dir, cn_source_entry *e)
{
    size_t at = u->open.len == 0 ? 0 : u->open.len + 1;
    size_t len = at + cn_slice_find(cn_slice_skip(dir, at), '/');
    cn_slice next = cn_slice_head(dir, len);
    cn_buf_reset(&u->open);
    cn_err err = cn_buf_append(&u->open, next);
    e->kind = CN_SOURCE_DIR_START;
    return err == CN_OK ? set_shown(u, next, e) : err;
}

static cn_err upload_next(cn_source *s, cn_source_entry *ret, cn_why *why)
{
    cn_intake *u = (cn_intake *)s;
    cn_source_entry e = {0};
    cn_slice dir = {0};
    cn_err err = CN_OK;
    u->in_file = false;
    while (!u->has_part && !u->ended) {
        CN_TRY(fetch(u, why));
        if (u->has_part && is_folder(&u->part) && u->path.len == 0 && u->in_root) {
            u->has_part = false; /* it is open already */
        }
    }
    (void)base_of(cn_buf_slice(&u->path), &dir);
    if (u->ended ? u->open.len > 0 : !is_above(cn_buf_slice(&u->open), dir)) {
        close_folder(u, &e);
    } else if (u->ended) {
        e.kind = u->in_root ? CN_SOURCE_DIR_END : CN_SOURCE_END;
        u->in_root = false;
    } else if (u->open.len < dir.len) {
        CN_TRY(open_folder(u, dir, &e));
    } else {
        CN_TRY(give_part(u, &e, why));
    }
    *ret = e;
out:
    return err;
}

static cn_err upload_read(cn_source *s, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    cn_intake *u = (cn_intake *)s;
    if (!u->in_file) {
        *ret_len = 0;
        return CN_OK;
    }
    return cn_multipart_read(&u->parts, data, len, ret_len, why);
}

static const cn_source_ops upload_ops = {.next = upload_next, .read = upload_read};

cn_err cn_intake_init(cn_intake *u, cn_mem *mem, cn_input *in, cn_slice content_type)
{
    cn_slice boundary = {0};
    *u = (cn_intake){.source = {&upload_ops}};
    cn_err err = cn_multipart_boundary(content_type, &boundary);
    if (err == CN_OK) {
        err = cn_multipart_init(&u->parts, mem, in, boundary);
    }
    cn_buf_init(&u->open, mem, CN_INTAKE_PATH_MAX);
    cn_buf_init(&u->path, mem, CN_INTAKE_PATH_MAX);
    cn_buf_init(&u->shown, mem, CN_INTAKE_PATH_MAX);
    cn_buf_init(&u->target, mem, TARGET_MAX);
    return err;
}

void cn_intake_release(cn_intake *u)
{
    cn_multipart_release(&u->parts);
    cn_buf_release(&u->open);
    cn_buf_release(&u->path);
    cn_buf_release(&u->shown);
    cn_buf_release(&u->target);
    *u = (cn_intake){0};
}
