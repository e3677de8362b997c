/*
 * The UnixFS message. Blocksizes are not unpacked into memory: they are counted once and read from
 * the message again when asked for.
 */
#include "unixfs/data.h"

#include "base/le.h"
#include "codec/protobuf.h"

enum {
    TYPE = 1,
    DATA = 2,
    FILESIZE = 3,
    BLOCKSIZES = 4,
    HASH_TYPE = 5,
    FANOUT = 6,
    MODE = 7,
    MTIME = 8,
    MTIME_SECONDS = 1,
    MTIME_FRACTION = 2,
    FRACTION_MAX = 999999999,
    MTIME_MAX_BYTES = 1 + CN_VARINT64_MAX_BYTES + 1 + 4,
};

static uint8_t key(unsigned number, unsigned type)
{
    return (uint8_t)(number << 3 | type);
}

/* Count the varints of a packed run; each must be whole. */
static cn_err count_packed(cn_slice packed, size_t *count)
{
    cn_cur c = cn_cur_of(packed);
    while (!cn_cur_done(&c)) {
        uint64_t value = 0;
        cn_err err = cn_pb_varint_decode(&c, &value);
        if (err != CN_OK) {
            return err;
        }
        *count += 1;
    }
    return CN_OK;
}

static cn_err read_mtime(cn_slice in, cn_unixfs_data *d, cn_why *why)
{
    cn_cur c = cn_cur_of(in);
    bool has_seconds = d->has_mtime; /* a repeated message adds to the one before */
    while (!cn_cur_done(&c)) {
        cn_pb_field f = {0};
        cn_err err = cn_pb_next(&c, &f);
        if (err != CN_OK) {
            return cn_why_set(why, err, "unixfs: mtime: %s", cn_err_sentence(err));
        }
        if (f.number == MTIME_SECONDS && f.wire == CN_PB_VARINT) {
            d->mtime_s = (int64_t)f.value;
            has_seconds = true;
        } else if (f.number == MTIME_FRACTION && f.wire == CN_PB_FIXED32) {
            if (f.value == 0 || f.value > FRACTION_MAX) {
                return cn_why_set(
                    why, CN_ERR_MALFORMED,
                    "unixfs: mtime has a fraction of %llu ns, not in 1..999999999",
                    (unsigned long long)f.value);
            }
            d->mtime_ns = (uint32_t)f.value;
        }
    }
    if (!has_seconds) {
        return cn_why_set(why, CN_ERR_MALFORMED, "unixfs: mtime has no seconds");
    }
    d->has_mtime = true;
    return CN_OK;
}

static cn_err take_varint(cn_unixfs_data *d, const cn_pb_field *f, bool *has_type)
{
    switch (f->number) {
    case TYPE:
        if (f->value <= CN_UNIXFS_HAMT) { /* protobuf keeps an unknown value as unknown field */
            d->type = (cn_unixfs_type)f->value;
            *has_type = true;
        }
        break;
    case FILESIZE:
        d->filesize = f->value;
        d->has_filesize = true;
        break;
    case BLOCKSIZES:
        d->blocksizes_len++;
        break;
    case HASH_TYPE:
        d->hash_type = f->value;
        d->has_hash_type = true;
        break;
    case FANOUT:
        d->fanout = f->value;
        d->has_fanout = true;
        break;
    case MODE:
        d->mode = (uint32_t)f->value;
        d->has_mode = true;
        break;
    default:
        break;
    }
    return CN_OK;
}

static cn_err take_bytes(cn_unixfs_data *d, const cn_pb_field *f, cn_why *why)
{
    switch (f->number) {
    case DATA:
        d->data = f->bytes;
        d->has_data = true;
        return CN_OK;
    case BLOCKSIZES:
        return count_packed(f->bytes, &d->blocksizes_len);
    case MTIME:
        return read_mtime(f->bytes, d, why);
    default:
        return CN_OK;
    }
}

cn_err cn_unixfs_data_decode(cn_slice message, cn_unixfs_data *ret, cn_why *why)
{
    cn_unixfs_data d = {.message = message};
    bool has_type = false;
    cn_cur c = cn_cur_of(message);
    while (!cn_cur_done(&c)) {
        cn_pb_field f = {0};
        cn_err err = cn_pb_next(&c, &f);
        if (err != CN_OK) {
            return cn_why_set(why, err, "unixfs: %s", cn_err_sentence(err));
        }
        if (f.wire == CN_PB_VARINT) {
            err = take_varint(&d, &f, &has_type);
        } else if (f.wire == CN_PB_BYTES) {
            err = take_bytes(&d, &f, why);
        }
        if (err != CN_OK) {
            return err;
        }
    }
    if (!has_type) {
        return cn_why_set(why, CN_ERR_MALFORMED, "unixfs: the message has no known type");
    }
    *ret = d;
    return CN_OK;
}

bool cn_unixfs_blocksize_next(cn_unixfs_blocksize_iter *it, uint64_t *ret)
{
    while (it->packed.len == 0) {
        if (it->rest.len == 0) {
            return false;
        }
        cn_cur c = cn_cur_of(it->rest);
        cn_pb_field f = {0};
        CN_ASSERT(cn_pb_next(&c, &f) == CN_OK);
        it->rest = c.rest;
        if (f.number == BLOCKSIZES && f.wire == CN_PB_VARINT) {
            *ret = f.value;
            return true;
        }
        if (f.number == BLOCKSIZES && f.wire == CN_PB_BYTES) {
            it->packed = f.bytes;
        }
    }
    cn_cur c = cn_cur_of(it->packed);
    CN_ASSERT(cn_pb_varint_decode(&c, ret) == CN_OK);
    it->packed = c.rest;
    return true;
}

static size_t varint_field_bytes(bool has, uint64_t value)
{
    return has ? 1 + cn_varint_len(value) : 0;
}

static size_t mtime_body_bytes(const cn_unixfs_data *d)
{
    return 1 + cn_varint_len((uint64_t)d->mtime_s) + (d->mtime_ns != 0 ? 5 : 0);
}

size_t cn_unixfs_data_bytes(const cn_unixfs_data *d, const uint64_t *blocksizes)
{
    size_t n = varint_field_bytes(true, d->type);
    n += d->has_data ? 1 + cn_varint_len(d->data.len) + d->data.len : 0;
    n += varint_field_bytes(d->has_filesize, d->filesize);
    for (size_t i = 0; i < d->blocksizes_len; i++) {
        n += varint_field_bytes(true, blocksizes[i]);
    }
    n += varint_field_bytes(d->has_hash_type, d->hash_type);
    n += varint_field_bytes(d->has_fanout, d->fanout);
    n += varint_field_bytes(d->has_mode, d->mode);
    n += d->has_mtime ? 2 + mtime_body_bytes(d) : 0;
    return n;
}

static void put_varint(cn_buf *out, bool has, unsigned number, uint64_t value)
{
    if (has) {
        out->data[out->len++] = key(number, CN_PB_VARINT);
        out->len += cn_varint_encode(value, out->data + out->len);
    }
}

static void put_mtime(cn_buf *out, const cn_unixfs_data *d)
{
    if (!d->has_mtime) {
        return;
    }
    out->data[out->len++] = key(MTIME, CN_PB_BYTES);
    out->data[out->len++] = (uint8_t)mtime_body_bytes(d);
    put_varint(out, true, MTIME_SECONDS, (uint64_t)d->mtime_s);
    if (d->mtime_ns != 0) {
        out->data[out->len++] = key(MTIME_FRACTION, CN_PB_FIXED32);
        cn_le_put(out->data + out->len, d->mtime_ns, 4);
        out->len += 4;
    }
}

cn_err cn_unixfs_data_encode(const cn_unixfs_data *d, const uint64_t *blocksizes, cn_buf *out)
{
    CN_ASSERT(mtime_body_bytes(d) <= MTIME_MAX_BYTES);
    cn_err err = cn_buf_reserve(out, cn_unixfs_data_bytes(d, blocksizes));
    if (err != CN_OK) {
        return err;
    }
    put_varint(out, true, TYPE, d->type);
    if (d->has_data) {
        out->data[out->len++] = key(DATA, CN_PB_BYTES);
        out->len += cn_varint_encode(d->data.len, out->data + out->len);
        cn_copy(out->data + out->len, d->data.data, d->data.len);
        out->len += d->data.len;
    }
    put_varint(out, d->has_filesize, FILESIZE, d->filesize);
    for (size_t i = 0; i < d->blocksizes_len; i++) {
        put_varint(out, true, BLOCKSIZES, blocksizes[i]);
    }
    put_varint(out, d->has_hash_type, HASH_TYPE, d->hash_type);
    put_varint(out, d->has_fanout, FANOUT, d->fanout);
    put_varint(out, d->has_mode, MODE, d->mode);
    put_mtime(out, d);
    return CN_OK;
}
