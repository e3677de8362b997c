/*
 * The tar writer. A header is one block of fixed fields; what does not fit in it goes into a PAX
 * header, an entry of its own before it, whose records are sorted by key.
 */
#include "unixfs/tar.h"

#include <stdio.h>

enum {
    NAME_BYTES = 100,
    PREFIX_BYTES = 155,
    AT_NAME = 0,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_MTIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
    AT_MAJOR = 329,
    AT_MINOR = 337,
    AT_PREFIX = 345,
};

static const uint64_t octal11_max = (UINT64_C(1) << 33) - 1;

/* The fields of one header block as they will stand in it. */
typedef struct fields {
    cn_slice name;
    cn_slice prefix;
    cn_slice target;
    uint32_t mode;
    uint64_t size;
    uint64_t mtime;
    char type;
} fields;

static bool is_ascii(cn_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] >= 0x80 || s.data[i] == 0) {
            return false;
        }
    }
    return true;
}

/* Copy text into a field of `max` bytes, leaving out what is not ASCII. */
static void put_text(uint8_t *at, size_t max, cn_slice text)
{
    size_t used = 0;
    for (size_t i = 0; i < text.len && used < max; i++) {
        if (text.data[i] < 0x80 && text.data[i] != 0) {
            at[used++] = text.data[i];
        }
    }
}

/* An octal number in a field of `bytes`, with a NUL at its end. */
static void put_octal(uint8_t *at, size_t bytes, uint64_t value)
{
    at[bytes - 1] = 0;
    for (size_t i = bytes - 1; i-- > 0; value >>= 3) {
        at[i] = (uint8_t)('0' + (value & 7));
    }
}

static cn_err append_block(const fields *f, cn_buf *out)
{
    uint8_t block[CN_TAR_BLOCK_BYTES] = {0};
    unsigned sum = 0;
    put_text(block + AT_NAME, NAME_BYTES, f->name);
    put_octal(block + AT_MODE, 8, f->mode);
    put_octal(block + AT_UID, 8, 0);
    put_octal(block + AT_GID, 8, 0);
    put_octal(block + AT_SIZE, 12, f->size);
    put_octal(block + AT_MTIME, 12, f->mtime);
    block[AT_TYPE] = (uint8_t)f->type;
    put_text(block + AT_LINK, NAME_BYTES, f->target);
    cn_copy(
        block + AT_MAGIC,
        "ustar\0"
        "00",
        8);
    if (f->type != 'x') { /* Go leaves them empty in a header of records */
        put_octal(block + AT_MAJOR, 8, 0);
        put_octal(block + AT_MINOR, 8, 0);
    }
    put_text(block + AT_PREFIX, PREFIX_BYTES, f->prefix);
    for (size_t i = 0; i < 8; i++) {
        block[AT_SUM + i] = ' ';
    }
    for (size_t i = 0; i < sizeof block; i++) {
        sum += block[i];
    }
    put_octal(block + AT_SUM, 7, sum);
    return cn_buf_append(out, cn_slice_of(block, sizeof block));
}

/* Cut a long path in two at a slash so that both parts fit their fields. */
static bool split_path(cn_slice path, cn_slice *prefix, cn_slice *name)
{
    size_t limit = CN_MIN(path.len, (size_t)PREFIX_BYTES + 1);
    limit -= limit == path.len && path.len > 0 && path.data[path.len - 1] == '/' ? 1 : 0;
    size_t at = limit;
    while (at > 0 && path.data[at - 1] != '/') {
        at--;
    }
    if (at <= 1 || path.len - at == 0 || path.len - at > NAME_BYTES || at - 1 > PREFIX_BYTES) {
        return false;
    }
    *prefix = cn_slice_head(path, at - 1);
    *name = cn_slice_skip(path, at);
    return true;
}

/* One record of a PAX header: its own length in decimal, key, value. */
static cn_err append_record(cn_buf *out, const char *key, cn_slice value)
{
    size_t body = 3 + strlen(key) + value.len; /* " ", "=", newline */
    size_t len = body + 1;
    char digits[24];
    cn_err err = CN_OK;
    while ((size_t)snprintf(digits, sizeof digits, "%zu", len) + body != len) {
        len = (size_t)snprintf(digits, sizeof digits, "%zu", len) + body;
    }
    CN_TRY(cn_buf_printf(out, "%zu %s=", len, key));
    CN_TRY(cn_buf_append(out, value));
    CN_TRY(cn_buf_byte(out, '\n'));
out:
    return err;
}

/* The records that an entry needs; none if all fits a ustar header. */
static cn_err append_records(const cn_tar_entry *e, bool path_fits, cn_buf *out)
{
    char text[48];
    cn_err err = CN_OK;
    if (e->type == CN_TAR_SYMLINK && (!is_ascii(e->target) || e->target.len > NAME_BYTES)) {
        CN_TRY(append_record(out, "linkpath", e->target));
    }
    if (e->mtime_ns != 0) {
        bool below = e->mtime_s < 0; /* the fraction counts away from zero in decimal */
        int64_t whole = below ? e->mtime_s + 1 : e->mtime_s;
        uint32_t part = below ? 1000000000u - e->mtime_ns : e->mtime_ns;
        const char *sign = below && whole == 0 ? "-" : "";
        int len = snprintf(text, sizeof text, "%s%lld.%09u", sign, (long long)whole, part);
        while (len > 0 && text[len - 1] == '0') {
            len--;
        }
        CN_TRY(append_record(out, "mtime", cn_slice_of(text, (size_t)len)));
    } else if (e->mtime_s < 0 || (uint64_t)e->mtime_s > octal11_max) {
        (void)snprintf(text, sizeof text, "%lld", (long long)e->mtime_s);
        CN_TRY(append_record(out, "mtime", cn_str(text)));
    }
    if (!path_fits) {
        CN_TRY(append_record(out, "path", e->path));
    }
    if (e->size_bytes > octal11_max) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)e->size_bytes);
        CN_TRY(append_record(out, "size", cn_str(text)));
    }
out:
    return err;
}

/* The PAX header's own entry: folder/PaxHeaders.0/name, then the records. */
static cn_err append_pax(cn_slice path, cn_slice records, cn_buf *out)
{
    cn_buf name;
    cn_err err = CN_OK;
    size_t at = path.len;
    fields f = {.type = 'x', .size = records.len};
    while (at > 0 && path.data[at - 1] != '/') {
        at--;
    }
    cn_buf_init(&name, out->mem, CN_TAR_PATH_MAX_BYTES + 32);
    CN_TRY(cn_buf_append(&name, cn_slice_head(path, at)));
    CN_TRY(cn_buf_text(&name, "PaxHeaders.0/"));
    CN_TRY(cn_buf_append(&name, cn_slice_skip(path, at)));
    f.name = cn_buf_slice(&name);
    CN_TRY(append_block(&f, out));
    CN_TRY(cn_buf_append(out, records));
    CN_TRY(cn_tar_pad(records.len, out));
out:
    cn_buf_release(&name);
    return err;
}

/* Seconds rounded to the nearest, as the archive keeps no fraction. */
static void round_mtime(cn_tar_entry *e)
{
    if (e->mtime_ns >= 500000000u && e->mtime_s < INT64_MAX) {
        e->mtime_s++;
    }
    e->mtime_ns = 0;
}

cn_err cn_tar_header(const cn_tar_entry *e, bool whole_seconds, cn_buf *out)
{
    cn_tar_entry t = *e;
    cn_buf records;
    cn_slice prefix = {0};
    cn_slice name = t.path;
    fields f = {0};
    cn_err err = CN_OK;
    if (t.path.len > CN_TAR_PATH_MAX_BYTES || t.target.len > CN_TAR_PATH_MAX_BYTES) {
        return CN_ERR_TOO_LARGE;
    }
    if (whole_seconds) {
        round_mtime(&t);
    }
    cn_buf_init(&records, out->mem, 4 * CN_TAR_PATH_MAX_BYTES);
    bool ascii = is_ascii(t.path);
    bool fits = ascii && t.path.len <= NAME_BYTES;
    bool splits = ascii && !fits && split_path(t.path, &prefix, &name);
    CN_TRY(append_records(&t, fits || splits, &records));
    if (records.len > 0) { /* a PAX header makes splitting needless */
        if (splits) {
            cn_buf_reset(&records);
            CN_TRY(append_records(&t, false, &records));
            prefix = (cn_slice){0};
            name = t.path;
        }
        CN_TRY(append_pax(t.path, cn_buf_slice(&records), out));
    }
    f = (fields){
        .name = name,
        .prefix = prefix,
        .target = t.target,
        .mode = t.mode & 07777,
        .size = t.size_bytes > octal11_max ? 0 : t.size_bytes,
        .mtime = t.mtime_s < 0 || (uint64_t)t.mtime_s > octal11_max ? 0 : (uint64_t)t.mtime_s,
        .type = (char)t.type};
    CN_TRY(append_block(&f, out));
out:
    cn_buf_release(&records);
    return err;
}

static cn_err append_zeros(size_t n, cn_buf *out)
{
    static const uint8_t zeros[2 * CN_TAR_BLOCK_BYTES] = {0};
    return cn_buf_append(out, cn_slice_of(zeros, n));
}

cn_err cn_tar_pad(uint64_t size_bytes, cn_buf *out)
{
    size_t over = (size_t)(size_bytes % CN_TAR_BLOCK_BYTES);
    return over == 0 ? CN_OK : append_zeros(CN_TAR_BLOCK_BYTES - over, out);
}

cn_err cn_tar_end(cn_buf *out)
{
    return append_zeros(2 * (size_t)CN_TAR_BLOCK_BYTES, out);
}
