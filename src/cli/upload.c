/*
 * Multipart body. Each piece is one HTTP chunk: a part's head, a block of a file's bytes, or the
 * closing line and the last chunk.
 */
#include "cli/upload.h"

#include <stdio.h>

enum { BLOCK_BYTES = 1 << 18, PATH_BYTES_MAX = 1 << 20 };

cn_err cn_upload_init(cn_upload *u, cn_mem *mem, cn_source *source, cn_input *input)
{
    *u = (cn_upload){
        .source = source, .input = input, .mem = mem, .boundary = "cairn-part-7d1f0a3e5b2c4986"};
    cn_buf_init(&u->path, mem, PATH_BYTES_MAX);
    cn_buf_init(&u->piece, mem, 4 * PATH_BYTES_MAX);
    u->data = cn_alloc_dirty(mem, BLOCK_BYTES);
    return u->data == NULL ? CN_ERR_NO_MEMORY : CN_OK;
}

void cn_upload_release(cn_upload *u)
{
    cn_buf_release(&u->path);
    cn_buf_release(&u->piece);
    cn_free(u->mem, u->data);
}

static cn_err put_escaped(cn_buf *out, cn_slice s)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < s.len && err == CN_OK; i++) {
        uint8_t c = s.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        err = plain ? cn_buf_byte(out, c) : cn_buf_printf(out, "%%%02X", (unsigned)c);
    }
    return err;
}

/* "file?mode=0644&mtime=1&mtime-nsecs=2" */
static cn_err put_field_name(cn_buf *out, const cn_source_entry *e)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, e->kind == CN_SOURCE_DIR_START ? "dir" : "file"));
    if (e->has_mode) {
        CN_TRY(cn_buf_printf(out, "?mode=%04o", e->mode));
    }
    if (e->has_mtime) {
        CN_TRY(cn_buf_printf(out, "%cmtime=%lld", e->has_mode ? '&' : '?', (long long)e->mtime_s));
        if (e->mtime_ns > 0) {
            CN_TRY(cn_buf_printf(out, "&mtime-nsecs=%u", e->mtime_ns));
        }
    }
out:
    return err;
}

/* The head of a part, at the path of the open folders and `name`. */
static cn_err put_head(cn_upload *u, cn_buf *out, const cn_source_entry *e, const char *type)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_printf(out, "\r\n--%s\r\nContent-Disposition: form-data; name=\"", u->boundary));
    CN_TRY(put_field_name(out, e));
    CN_TRY(cn_buf_text(out, "\"; filename=\""));
    CN_TRY(put_escaped(out, cn_buf_slice(&u->path)));
    if (u->path.len > 0 && e->name.len > 0) {
        CN_TRY(cn_buf_text(out, "%2F"));
    }
    CN_TRY(put_escaped(out, e->name));
    CN_TRY(cn_buf_text(out, "\"\r\n"));
    if (e->path != NULL && e->kind == CN_SOURCE_FILE) {
        CN_TRY(cn_buf_text(out, "Abspath-Encoded: "));
        CN_TRY(put_escaped(out, cn_str(e->path)));
        CN_TRY(cn_buf_text(out, "\r\n"));
    }
    CN_TRY(cn_buf_printf(out, "Content-Type: %s\r\n\r\n", type));
out:
    return err;
}

static cn_err enter(cn_upload *u, cn_slice name)
{
    cn_err err = u->path.len > 0 ? cn_buf_byte(&u->path, '/') : CN_OK;
    return err == CN_OK ? cn_buf_append(&u->path, name) : err;
}

static void leave(cn_upload *u)
{
    size_t at = u->path.len;
    while (at > 0 && u->path.data[at - 1] != '/') {
        at--;
    }
    u->path.len = at > 0 ? at - 1 : 0;
}

static cn_err put_entry(cn_upload *u, const cn_source_entry *e, cn_buf *out)
{
    cn_err err = CN_OK;
    switch (e->kind) {
    case CN_SOURCE_FILE:
        u->in_file = true;
        return put_head(u, out, e, "application/octet-stream");
    case CN_SOURCE_SYMLINK:
        err = put_head(u, out, e, "application/symlink");
        return err == CN_OK ? cn_buf_append(out, e->target) : err;
    case CN_SOURCE_DIR_START:
        err = put_head(u, out, e, "application/x-directory");
        return err == CN_OK ? enter(u, e->name) : err;
    case CN_SOURCE_DIR_END:
        leave(u);
        return CN_OK;
    case CN_SOURCE_END:
    default:
        u->ended = true;
        return cn_buf_printf(out, "\r\n--%s--\r\n", u->boundary);
    }
}

/* A block of the open file, or of standard input. */
static cn_err put_block(cn_upload *u, cn_buf *out, cn_why *why)
{
    size_t len = 0;
    cn_err err = u->source != NULL ? cn_source_read(u->source, u->data, BLOCK_BYTES, &len, why)
                                   : u->input->ops->read(u->input, u->data, BLOCK_BYTES, &len, why);
    if (err != CN_OK) {
        return err;
    }
    u->in_file = u->source != NULL ? len == BLOCK_BYTES : len > 0;
    return cn_buf_append(out, cn_slice_of(u->data, len));
}

static cn_err put_next(cn_upload *u, cn_buf *out, cn_why *why)
{
    cn_source_entry e = {.kind = CN_SOURCE_FILE, .name = cn_str("stdin")};
    cn_err err = CN_OK;
    if (u->in_file) {
        return put_block(u, out, why);
    }
    if (u->source != NULL) {
        err = cn_source_next(u->source, &e, why);
    } else if (u->piece.cap > 0 && u->input == NULL) {
        e.kind = CN_SOURCE_END;
    }
    if (err == CN_OK) {
        err = put_entry(u, &e, out);
    }
    return err;
}

cn_err cn_upload_next(cn_upload *u, cn_slice *ret, cn_why *why)
{
    cn_buf body;
    cn_err err = CN_OK;
    cn_buf_reset(&u->piece);
    if (u->ended) {
        *ret = cn_str("");
        return CN_OK;
    }
    cn_buf_init(&body, u->mem, 4 * PATH_BYTES_MAX);
    while (err == CN_OK && body.len == 0 && !u->ended) {
        bool was_in_input = u->source == NULL && u->in_file;
        err = put_next(u, &body, why);
        if (was_in_input && !u->in_file) {
            u->input = NULL; /* read to its end: only the closing line is left */
        }
    }
    if (err == CN_OK) {
        err = cn_buf_printf(&u->piece, "%zx\r\n", body.len);
    }
    if (err == CN_OK) {
        err = cn_buf_append(&u->piece, cn_buf_slice(&body));
    }
    if (err == CN_OK) {
        err = cn_buf_text(&u->piece, u->ended ? "\r\n0\r\n\r\n" : "\r\n");
    }
    cn_buf_release(&body);
    if (err == CN_OK) {
        *ret = cn_buf_slice(&u->piece);
    }
    return err;
}
