/*
 * Files and raw blocks as bodies. A small one is read whole and answered from memory; a large one
 * is pulled as the socket takes it. Raw leaves that the store has checked before are read from
 * their segment straight into the server's buffer; all else comes by the driver that reads ahead.
 */
#include "gateway/internal.h"
#include "gateway/mime.h"

#include <stdio.h>

const char cn_gw_immutable[] = "public, max-age=29030400, immutable";

typedef struct body {
    cn_gateway *gateway;
    cn_ahead ahead;
    cn_read read;
    cn_slice data;  /* to be handed out */
    cn_place place; /* of the leaf that is read from the store, where `span_left` is not 0 */
    uint64_t span_at;
    uint64_t span_left;
    uint64_t left;    /* of the answer */
    bool reads_ahead; /* and is counted as such */
    cn_gw_wait *wait; /* NULL: what is here alone */
    bool is_waiting;  /* it said BUSY last */
} body;

static void body_free(void *ctx)
{
    body *b = ctx;
    if (b->reads_ahead) {
        (void)atomic_fetch_sub(&b->gateway->aheads, 1);
    }
    cn_read_release(&b->read);
    cn_ahead_release(&b->ahead);
    cn_gw_wait_drop(b->wait);
    cn_free(b->gateway->mem, b);
}

/* Have the span read from the store, if it lies there, checked and not read ahead already. */
static bool open_span(body *b, const cn_pull *step)
{
    cn_store *store = b->gateway->options.store;
    if (store == NULL || cn_ahead_has(&b->ahead, &step->span_cid) ||
        cn_store_find(store, cn_cid_key(&step->span_cid), &b->place) != CN_OK ||
        b->place.len != step->span_block_bytes || !cn_store_is_checked(store, &b->place)) {
        return false;
    }
    b->span_at = step->span_offset;
    b->span_left = step->span_len;
    return true;
}

/* Move on until there is something to hand out; MALFORMED if the file ends too early. */
static cn_err advance(body *b)
{
    cn_err err = CN_OK;
    while (err == CN_OK && b->data.len == 0 && b->span_left == 0) {
        cn_pull step = {0};
        err = cn_ahead_next(&b->ahead, &b->read.pull, &step, NULL);
        if (err != CN_OK) {
            break;
        }
        if (step.kind == CN_PULL_DATA) {
            b->data = step.data;
        } else if (step.kind == CN_PULL_SPAN && !open_span(b, &step)) {
            cn_read_want_span(&b->read);
        } else if (step.kind == CN_PULL_END) {
            err = CN_ERR_MALFORMED;
        }
    }
    return err;
}

/* Read ahead from now on, unless as many answers as may be do so. */
static void read_ahead(body *b)
{
    if (atomic_fetch_add(&b->gateway->aheads, 1) < CN_GATEWAY_AHEAD_MAX) {
        b->reads_ahead = true;
        cn_read_ahead(&b->read, CN_PULL_AHEAD);
    } else {
        (void)atomic_fetch_sub(&b->gateway->aheads, 1);
    }
}

static cn_err body_read(void *ctx, uint8_t *data, size_t max, size_t *ret_len)
{
    body *b = ctx;
    size_t done = 0;
    max = (size_t)CN_MIN((uint64_t)max, b->left);
    if (b->wait != NULL && !b->is_waiting) {
        cn_gw_wait_begin(b->wait);
    }
    b->is_waiting = false;
    while (done < max) {
        cn_err err = advance(b);
        size_t len = 0;
        if (err == CN_ERR_BUSY && done > 0) {
            break;
        }
        if (err != CN_OK) {
            b->is_waiting = err == CN_ERR_BUSY;
            return err;
        }
        if (b->data.len > 0) {
            len = CN_MIN(b->data.len, max - done);
            cn_copy(data + done, b->data.data, len);
            b->data = cn_slice_skip(b->data, len);
        } else {
            len = (size_t)CN_MIN(b->span_left, (uint64_t)(max - done));
            err = cn_store_read(
                b->gateway->options.store, &b->place, (uint32_t)b->span_at, data + done, len);
            if (err != CN_OK) {
                return err;
            }
            b->span_at += len;
            b->span_left -= len;
        }
        done += len;
    }
    b->left -= done;
    *ret_len = done;
    return CN_OK;
}

/* A reader of a->cid that has told about the file. WRONG_TYPE: it is none. */
static cn_err body_open(cn_gw_ask *a, body **ret)
{
    cn_gateway *g = a->gateway;
    const cn_ahead_options drive = {.rt = g->options.rt, .mem = a->mem, .blocks = a->blocks};
    cn_read_options options = {.ahead = 1, .spans = true};
    cn_pull step = {0};
    cn_err err = CN_OK;
    body *b = cn_alloc(g->mem, sizeof *b);
    if (b == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    b->gateway = g;
    cn_ahead_init(&b->ahead, &drive);
    cn_read_init(&b->read, a->mem, &a->cid, &options);
    CN_TRY(cn_ahead_next(&b->ahead, &b->read.pull, &step, &a->why));
    CN_ASSERT(step.kind == CN_PULL_ENTRY);
    if (b->read.info.size_bytes > CN_GATEWAY_SMALL_MAX) {
        if (a->may_fetch && a->wait == NULL) {
            err = CN_ERR_NOT_FOUND; /* some of it may be: come again with a way to peers */
            goto out;
        }
        if (a->wait != NULL) {
            b->wait = a->wait;
            cn_gw_wait_hold(b->wait);
        }
        read_ahead(b);
    }
    *ret = b;
    b = NULL;
out:
    if (b != NULL) {
        body_free(b);
    }
    return err;
}

/* The first bytes of the file, by a reader of its own. */
static cn_err sniff(cn_gw_ask *a, const char **ret)
{
    body *b = NULL;
    size_t len = 0;
    uint8_t head[CN_MIME_SNIFF_BYTES];
    cn_err err = CN_OK;
    CN_TRY(body_open(a, &b));
    b->left = CN_MIN(b->read.info.size_bytes, (uint64_t)sizeof head);
    cn_read_range(&b->read, 0, b->left);
    CN_TRY(body_read(b, head, sizeof head, &len));
    *ret = cn_mime_of_bytes(cn_slice_of(head, len));
out:
    if (b != NULL) {
        body_free(b);
    }
    return err;
}

/* inline or attachment; the name in ASCII with the rest as '_', and in UTF-8. */
static cn_err disposition(cn_gw_ask *a, const char *kind, cn_slice name)
{
    cn_buf ascii;
    cn_buf full;
    cn_buf value;
    const char *text = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&ascii, a->mem, 64 << 10);
    cn_buf_init(&full, a->mem, 256 << 10);
    cn_buf_init(&value, a->mem, 1 << 20);
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < 0x80) {
            CN_TRY(cn_buf_byte(&ascii, name.data[i]));
        } else if ((name.data[i] & 0xc0) != 0x80) {
            CN_TRY(cn_buf_byte(&ascii, '_'));
        }
    }
    CN_TRY(cn_buf_printf(&value, "%s; filename=\"", kind));
    CN_TRY(cn_url_encode_segment(cn_buf_slice(&ascii), &value));
    CN_TRY(cn_buf_text(&value, "\"; filename*=UTF-8''"));
    CN_TRY(cn_url_encode_segment(name, &value));
    CN_TRY(cn_buf_cstr(&value, &text));
    CN_TRY(cn_http_response_header(a->response, "Content-Disposition", text));
out:
    cn_buf_release(&ascii);
    cn_buf_release(&full);
    cn_buf_release(&value);
    return err;
}

static bool wants_download(const cn_gw_ask *a)
{
    const cn_slice *download = cn_query_get(&a->query, "download");
    return download != NULL && cn_slice_is(*download, "true");
}

/* Headers that all content has. */
static cn_err content_headers(cn_gw_ask *a, const char *type)
{
    const char *text = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_gw_common_headers(a));
    CN_TRY(cn_http_response_header(a->response, "Cache-Control", cn_gw_immutable));
    CN_TRY(cn_http_response_header(a->response, "Content-Type", type));
    CN_TRY(cn_buf_cstr(&a->etag, &text));
    CN_TRY(cn_http_response_header(a->response, "Etag", text));
    CN_TRY(cn_gw_path_header(a));
    CN_TRY(cn_buf_cstr(&a->roots, &text));
    CN_TRY(cn_http_response_header(a->response, "X-Ipfs-Roots", text));
out:
    return err;
}

/* 416, with the size only where the range could be read. */
static cn_err refuse_range(cn_gw_ask *a, const char *message, uint64_t size, bool is_readable)
{
    const char *text = NULL;
    bool html = a->wants_html;
    cn_err err = CN_OK;
    a->wants_html = false;
    CN_TRY(cn_gw_error(a, 416, "%s", message));
    a->wants_html = html;
    if (is_readable) {
        CN_TRY(cn_gw_header(a, "Content-Range", "bytes */%llu", (unsigned long long)size));
    }
    CN_TRY(cn_gw_header(a, "Cache-Control", "%s", cn_gw_immutable));
    CN_TRY(cn_buf_cstr(&a->etag, &text));
    CN_TRY(cn_gw_header(a, "Etag", "%s", text));
    CN_TRY(cn_buf_cstr(&a->roots, &text));
    CN_TRY(cn_gw_header(a, "X-Ipfs-Roots", "%s", text));
    CN_TRY(cn_gw_path_header(a));
out:
    return err;
}

/*
 * Which bytes: all, or those of the Range header. *ret_done: it was answered with 400, 412 or 416.
 */
static cn_err choose_range(
    cn_gw_ask *a, uint64_t size, uint64_t *from, uint64_t *to, bool *partial, bool *ret_done)
{
    cn_err err = CN_OK;
    cn_slice range = cn_http_header(a->request, "Range");
    cn_slice condition = cn_http_header(a->request, "If-Range");
    cn_slice match = cn_http_header(a->request, "If-Match");
    *from = 0;
    *to = size;
    if (match.len > 0 && !cn_etag_listed(match, cn_buf_slice(&a->etag))) {
        *ret_done = true;
        return cn_gw_error(a, 412, "the content is not the one that If-Match names");
    }
    if (range.len == 0) {
        return CN_OK;
    }
    cn_err parsed = cn_range_parse(range, size, from, to);
    if (parsed == CN_ERR_MALFORMED) {
        *ret_done = true;
        if (a->is_head && a->form != CN_FORM_RAW) {
            return refuse_range(a, "invalid range", size, false);
        }
        CN_TRY(cn_gw_error(a, 400, "invalid range request: invalid range"));
        CN_TRY(cn_gw_path_header(a));
        return CN_OK;
    }
    if (condition.len > 0 && !cn_slice_eq(condition, cn_buf_slice(&a->etag))) {
        *from = 0;
        *to = size;
        return CN_OK;
    }
    if (parsed == CN_ERR_TOO_LARGE) {
        *ret_done = true;
        return refuse_range(a, "invalid range: failed to overlap", size, true);
    }
    *partial = parsed == CN_OK;
out:
    return err;
}

/* The response object for `len` bytes from `b`, which is used up. */
static cn_err make_response(cn_gw_ask *a, body *b, uint64_t len)
{
    cn_err err = CN_OK;
    b->left = len;
    if (a->is_head) {
        err = cn_http_response_empty((int64_t)len, &a->response);
        body_free(b);
        return err;
    }
    if (len <= CN_GATEWAY_SMALL_MAX) {
        size_t got = 0;
        uint8_t *bytes = cn_alloc_dirty(a->mem, (size_t)len + 1);
        err = bytes == NULL ? CN_ERR_NO_MEMORY : body_read(b, bytes, (size_t)len + 1, &got);
        if (err == CN_OK) {
            err = cn_http_response_bytes(cn_slice_of(bytes, got), &a->response);
            a->cached_bytes = got;
        }
        cn_free(a->mem, bytes);
        body_free(b);
        return err;
    }
    a->may_cache = false;
    cn_http_pull pull = {
        .size_bytes = (int64_t)len,
        .piece_bytes = (size_t)CN_MIN(len, (uint64_t)CN_GATEWAY_PIECE_BYTES),
        .ctx = b,
        .read = body_read,
        .free = body_free,
        .waker = b->wait == NULL ? NULL : cn_gw_wait_waker(b->wait),
    };
    return cn_http_response_pull(a->mem, &pull, &a->response);
}

/* What the file is: symlink, by name, by content. */
static cn_err type_of(cn_gw_ask *a, const body *b, cn_slice name, const char **ret)
{
    const char *type = b->read.info.type == CN_UNIXFS_SYMLINK ? "inode/symlink" : NULL;
    cn_err err = CN_OK;
    type = type != NULL ? type : cn_mime_of_name(name);
    if (type == NULL) {
        CN_TRY(sniff(a, &type));
    }
    *ret = type;
out:
    return err;
}

cn_err cn_gw_serve_file(cn_gw_ask *a, cn_slice name)
{
    const char *type = NULL;
    body *b = NULL;
    body *used = NULL;
    uint64_t size = 0;
    uint64_t from = 0;
    uint64_t to = 0;
    bool partial = false;
    bool done = false;
    cn_err err = CN_OK;
    const cn_slice *given = cn_query_get(&a->query, "filename");
    CN_TRY(body_open(a, &b));
    CN_TRY(cn_gw_not_modified(a, cn_gw_immutable, b->read.info.size_bytes, &done));
    if (!done) {
        CN_TRY(choose_range(a, b->read.info.size_bytes, &from, &to, &partial, &done));
    }
    if (done) {
        goto out;
    }
    name = given != NULL && given->len > 0 ? *given : name;
    CN_TRY(type_of(a, b, name, &type));
    size = b->read.info.size_bytes;
    cn_read_range(&b->read, from, to - from);
    used = b;
    b = NULL;
    CN_TRY(make_response(a, used, to - from));
    CN_TRY(content_headers(a, type));
    CN_TRY(cn_http_response_header(a->response, "Accept-Ranges", "bytes"));
    if (partial) {
        CN_TRY(cn_gw_header(
            a, "Content-Range", "bytes %llu-%lld/%llu", (unsigned long long)from, (long long)to - 1,
            (unsigned long long)size));
    }
    if (given != NULL && given->len > 0) {
        CN_TRY(disposition(a, wants_download(a) ? "attachment" : "inline", *given));
    }
    a->status = partial ? 206 : 200;
out:
    if (b != NULL) {
        body_free(b);
    }
    return err;
}

cn_err cn_gw_serve_block(cn_gw_ask *a, const char *media_type, const char *extension)
{
    cn_buf block;
    cn_buf name;
    cn_slice part = {0};
    uint64_t from = 0;
    uint64_t to = 0;
    bool partial = false;
    bool done = false;
    cn_err err = CN_OK;
    char text[CN_CID_TEXT_BYTES];
    const cn_slice *given = cn_query_get(&a->query, "filename");
    bool is_shown = strstr(media_type, "json") != NULL && !wants_download(a);
    cn_buf_init(&block, a->mem, CN_DRIVE_BLOCK_MAX_BYTES);
    cn_buf_init(&name, a->mem, 64 << 10);
    CN_TRY(cn_blocks_get(a->blocks, &a->cid, &block, &a->why));
    CN_TRY(cn_gw_not_modified(a, cn_gw_immutable, block.len, &done));
    if (!done) {
        CN_TRY(choose_range(a, block.len, &from, &to, &partial, &done));
    }
    if (done) {
        goto out;
    }
    part = cn_slice_head(cn_slice_skip(cn_buf_slice(&block), (size_t)from), (size_t)(to - from));
    if (a->is_head) {
        CN_TRY(cn_http_response_empty((int64_t)part.len, &a->response));
    } else {
        CN_TRY(cn_http_response_bytes(part, &a->response));
    }
    CN_TRY(content_headers(a, media_type));
    CN_TRY(cn_http_response_header(a->response, "Accept-Ranges", "bytes"));
    CN_TRY(cn_http_response_header(a->response, "X-Content-Type-Options", "nosniff"));
    if (partial) {
        CN_TRY(cn_gw_header(
            a, "Content-Range", "bytes %llu-%lld/%zu", (unsigned long long)from, (long long)to - 1,
            block.len));
    }
    if (given != NULL && given->len > 0) {
        CN_TRY(cn_buf_append(&name, *given));
    } else {
        CN_TRY(cn_buf_printf(&name, "%s.%s", cn_cid_text(&a->cid, text), extension));
    }
    CN_TRY(disposition(a, is_shown ? "inline" : "attachment", cn_buf_slice(&name)));
    a->may_cache = a->may_cache && part.len <= CN_GATEWAY_SMALL_MAX;
    a->cached_bytes = part.len;
    a->status = partial ? 206 : 200;
out:
    cn_buf_release(&block);
    cn_buf_release(&name);
    return err;
}
