/*
 * The tar reader. States: HEAD (a header block is gathered), PAX (the records of a PAX header),
 * BODY (bytes of a file), PADDING (zero bytes behind one), PAST (the end was seen).
 */
#include "base/num.h"
#include "unixfs/tar.h"

enum { HEAD, PAX, BODY, PADDING, PAST };
enum { RECORDS_MAX_BYTES = 1 << 20 };

void cn_untar_init(cn_untar *u, cn_mem *mem)
{
    *u = (cn_untar){.mem = mem};
    cn_buf_init(&u->held, mem, RECORDS_MAX_BYTES);
    cn_buf_init(&u->path, mem, CN_TAR_PATH_MAX_BYTES + CN_TAR_BLOCK_BYTES);
    cn_buf_init(&u->target, mem, CN_TAR_PATH_MAX_BYTES + CN_TAR_BLOCK_BYTES);
}

void cn_untar_release(cn_untar *u)
{
    cn_buf_release(&u->held);
    cn_buf_release(&u->path);
    cn_buf_release(&u->target);
    *u = (cn_untar){0};
}

/* A text field: up to its NUL, or all of it. */
static cn_slice text_at(const uint8_t *block, size_t at, size_t max)
{
    cn_slice field = cn_slice_of(block + at, max);
    return cn_slice_head(field, cn_slice_find(field, 0));
}

/* An octal field: digits, then NUL or space. */
static cn_err octal_at(const uint8_t *block, size_t at, size_t max, uint64_t *ret)
{
    uint64_t value = 0;
    size_t i = 0;
    while (i < max && block[at + i] >= '0' && block[at + i] <= '7') {
        value = value << 3 | (uint64_t)(block[at + i++] - '0');
    }
    bool ends = i == max || block[at + i] == 0 || block[at + i] == ' ';
    if (!ends) {
        return CN_ERR_MALFORMED;
    }
    *ret = value;
    return CN_OK;
}

static bool is_zero(cn_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Does the header's sum over itself agree? */
static bool sum_fits(const uint8_t *block)
{
    uint64_t said = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < CN_TAR_BLOCK_BYTES; i++) {
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    }
    return octal_at(block, 148, 8, &said) == CN_OK && said == sum;
}

/* A decimal time with an optional fraction. */
static cn_err take_mtime(cn_slice text, cn_tar_entry *e)
{
    size_t dot = cn_slice_find(text, '.');
    bool below = cn_slice_starts(text, cn_str("-"));
    cn_slice part = cn_slice_skip(text, dot + 1);
    uint32_t ns = 0;
    cn_err err = cn_num_i64(cn_slice_head(text, dot), &e->mtime_s);
    for (size_t i = 0; i < 9; i++) {
        uint8_t c = i < part.len ? part.data[i] : '0';
        if (c < '0' || c > '9') {
            return CN_ERR_MALFORMED;
        }
        ns = ns * 10 + (uint32_t)(c - '0');
    }
    if (below && ns != 0) {
        e->mtime_s--;
        ns = 1000000000u - ns;
    }
    e->mtime_ns = ns;
    return err;
}

static cn_err take_record(cn_untar *u, cn_slice key, cn_slice value)
{
    if (cn_slice_is(key, "path")) {
        u->has_path = true;
        cn_buf_reset(&u->path);
        return cn_buf_append(&u->path, value);
    }
    if (cn_slice_is(key, "linkpath")) {
        u->has_target = true;
        cn_buf_reset(&u->target);
        return cn_buf_append(&u->target, value);
    }
    if (cn_slice_is(key, "mtime")) {
        u->has_mtime = true;
        return take_mtime(value, &u->pax);
    }
    if (cn_slice_is(key, "size")) {
        u->has_size = true;
        return cn_num_u64(value, &u->pax.size_bytes);
    }
    return CN_OK;
}

/* All records of a PAX header, for the entry that follows. */
static cn_err take_records(cn_untar *u)
{
    cn_slice rest = cn_buf_slice(&u->held);
    while (rest.len > 0) {
        uint64_t len = 0;
        size_t space = cn_slice_find(rest, ' ');
        cn_err err = cn_num_u64(cn_slice_head(rest, space), &len);
        if (err != CN_OK || len > rest.len || len < space + 3 || rest.data[len - 1] != '\n') {
            return CN_ERR_MALFORMED;
        }
        cn_slice record = cn_slice_of(rest.data + space + 1, (size_t)len - space - 2);
        size_t equals = cn_slice_find(record, '=');
        err = take_record(u, cn_slice_head(record, equals), cn_slice_skip(record, equals + 1));
        if (err != CN_OK) {
            return err;
        }
        rest = cn_slice_skip(rest, (size_t)len);
    }
    return CN_OK;
}

/* Path and target of an entry: from the PAX header, else from the block. */
static cn_err take_texts(cn_untar *u, const uint8_t *block, cn_tar_entry *e)
{
    cn_err err = CN_OK;
    cn_slice prefix = text_at(block, 345, 155);
    if (!u->has_path) {
        cn_buf_reset(&u->path);
        CN_TRY(cn_buf_append(&u->path, prefix));
        if (prefix.len > 0) {
            CN_TRY(cn_buf_byte(&u->path, '/'));
        }
        CN_TRY(cn_buf_append(&u->path, text_at(block, 0, 100)));
    }
    if (!u->has_target) {
        cn_buf_reset(&u->target);
        CN_TRY(cn_buf_append(&u->target, text_at(block, 157, 100)));
    }
    e->path = cn_buf_slice(&u->path);
    e->target = cn_buf_slice(&u->target);
out:
    return err;
}

static cn_err take_entry(cn_untar *u, const uint8_t *block, cn_untar_event *ret)
{
    cn_tar_entry e = {.type = (cn_tar_type)block[156]};
    uint64_t mode = 0;
    uint64_t mtime = 0;
    cn_err err = CN_OK;
    CN_TRY(octal_at(block, 100, 8, &mode));
    CN_TRY(octal_at(block, 124, 12, &e.size_bytes));
    CN_TRY(octal_at(block, 136, 12, &mtime));
    e.mode = (uint32_t)(mode & 07777);
    e.mtime_s = (int64_t)mtime;
    if (block[156] == 'x') {
        if (e.size_bytes > RECORDS_MAX_BYTES) {
            return CN_ERR_TOO_LARGE;
        }
        u->state = PAX;
        u->left = e.size_bytes;
    } else if (e.type == CN_TAR_FILE || e.type == CN_TAR_DIR || e.type == CN_TAR_SYMLINK) {
        CN_TRY(take_texts(u, block, &e));
        e.size_bytes = u->has_size ? u->pax.size_bytes : e.size_bytes;
        e.mtime_s = u->has_mtime ? u->pax.mtime_s : e.mtime_s;
        e.mtime_ns = u->has_mtime ? u->pax.mtime_ns : 0;
        u->has_path = u->has_target = u->has_size = u->has_mtime = false;
        u->state = BODY;
        u->left = e.size_bytes;
        *ret = (cn_untar_event){.kind = CN_UNTAR_ENTRY, .entry = e};
    } else {
        return CN_ERR_UNSUPPORTED;
    }
    u->pad = (CN_TAR_BLOCK_BYTES - u->left % CN_TAR_BLOCK_BYTES) % CN_TAR_BLOCK_BYTES;
out:
    return err;
}

static cn_slice use(cn_slice *in, uint64_t most)
{
    cn_slice head = cn_slice_head(*in, (size_t)CN_MIN(most, in->len));
    *in = cn_slice_skip(*in, head.len);
    return head;
}

/* Gather `held` up to `n` bytes; true once they are there. */
static cn_err gather(cn_untar *u, cn_slice *in, size_t n, bool *ret_have)
{
    cn_err err = cn_buf_append(&u->held, use(in, n - u->held.len));
    *ret_have = u->held.len == n;
    return err;
}

static cn_err read_head(cn_untar *u, cn_slice *in, cn_untar_event *ret)
{
    bool have = false;
    cn_err err = gather(u, in, CN_TAR_BLOCK_BYTES, &have);
    if (err != CN_OK || !have) {
        return err;
    }
    if (is_zero(cn_buf_slice(&u->held))) {
        u->state = PAST;
    } else if (!sum_fits(u->held.data)) {
        err = CN_ERR_MALFORMED;
    } else {
        err = take_entry(u, u->held.data, ret);
    }
    cn_buf_reset(&u->held);
    return err;
}

static cn_err step(cn_untar *u, cn_slice *in, cn_untar_event *ret)
{
    bool have = false;
    cn_err err = CN_OK;
    switch (u->state) {
    case HEAD:
        return read_head(u, in, ret);
    case PAX:
        CN_TRY(gather(u, in, (size_t)u->left, &have));
        if (have) {
            CN_TRY(take_records(u));
            cn_buf_reset(&u->held);
            u->state = PADDING;
        }
        break;
    case BODY:
        if (u->left == 0) {
            u->state = PADDING;
            break;
        }
        ret->kind = CN_UNTAR_DATA;
        ret->data = use(in, u->left);
        u->left -= ret->data.len;
        break;
    case PADDING:
        u->pad -= use(in, u->pad).len;
        u->state = u->pad == 0 ? HEAD : PADDING;
        break;
    default:
        (void)use(in, in->len);
        break;
    }
out:
    return err;
}

cn_err cn_untar_next(cn_untar *u, cn_slice *in, cn_untar_event *ret, cn_why *why)
{
    cn_untar_event event = {.kind = CN_UNTAR_MORE};
    while (event.kind == CN_UNTAR_MORE && in->len > 0) {
        cn_err err = step(u, in, &event);
        if (err != CN_OK) {
            return cn_why_set(why, err, "tar: %s", cn_err_sentence(err));
        }
    }
    *ret = event;
    return CN_OK;
}

cn_err cn_untar_finish(const cn_untar *u, cn_why *why)
{
    return u->state == PAST ? CN_OK : cn_why_set(why, CN_ERR_TRUNCATED, "unexpected EOF");
}
