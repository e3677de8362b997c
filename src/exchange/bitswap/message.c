/*
 * Reading walks the fields of the message and, inside a wantlist, its entries; no recursion, since
 * nothing nests deeper. A message is checked by reading it once to its end, so that whoever reads
 * the items afterwards meets no error. Unknown fields are passed over; an entry for a CID that is
 * longer than is exchanged is passed over too.
 */
#include "exchange/bitswap/message.h"

#include "codec/protobuf.h"
#include "ipld/blocks.h"

enum {
    FIELD_WANTLIST = 1,
    FIELD_BLOCK_BARE = 2,
    FIELD_BLOCK = 3,
    FIELD_PRESENCE = 4,
    LIST_ENTRY = 1,
    LIST_FULL = 2,
    ENTRY_CID = 1,
    ENTRY_PRIORITY = 2,
    ENTRY_CANCEL = 3,
    ENTRY_TYPE = 4,
    ENTRY_SEND_DONT_HAVE = 5,
    BLOCK_PREFIX = 1,
    BLOCK_DATA = 2,
    PRESENCE_CID = 1,
    PRESENCE_TYPE = 2,
};

/* A CID of an entry; *ret_skip: one that nobody exchanges. */
static cn_err take_cid(cn_slice bytes, cn_cid *ret, bool *ret_skip)
{
    cn_err err = cn_cid_decode_all(bytes, ret);
    *ret_skip = err == CN_ERR_TOO_LARGE || bytes.len > CN_MESSAGE_CID_MAX_BYTES;
    return *ret_skip ? CN_OK : err;
}

static cn_err read_entry(cn_slice in, cn_message_item *ret, bool *ret_skip)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(in);
    cn_pb_field f = {0};
    cn_slice cid = {0};
    *ret = (cn_message_item){.kind = CN_MESSAGE_WANT};
    while (!cn_cur_done(&cur)) {
        CN_TRY(cn_pb_next(&cur, &f));
        if (f.number == ENTRY_CID && f.wire == CN_PB_BYTES) {
            cid = f.bytes;
        } else if (f.number == ENTRY_PRIORITY && f.wire == CN_PB_VARINT) {
            ret->priority = (int32_t)(uint32_t)f.value;
        } else if (f.number == ENTRY_CANCEL && f.wire == CN_PB_VARINT) {
            ret->is_cancel = f.value != 0;
        } else if (f.number == ENTRY_TYPE && f.wire == CN_PB_VARINT) {
            ret->is_have = f.value == 1;
        } else if (f.number == ENTRY_SEND_DONT_HAVE && f.wire == CN_PB_VARINT) {
            ret->send_dont_have = f.value != 0;
        }
    }
    CN_TRY(take_cid(cid, &ret->cid, ret_skip));
out:
    return err;
}

static cn_err read_presence(cn_slice in, cn_message_item *ret, bool *ret_skip)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(in);
    cn_pb_field f = {0};
    cn_slice cid = {0};
    *ret = (cn_message_item){.kind = CN_MESSAGE_PRESENCE, .is_have = true};
    while (!cn_cur_done(&cur)) {
        CN_TRY(cn_pb_next(&cur, &f));
        if (f.number == PRESENCE_CID && f.wire == CN_PB_BYTES) {
            cid = f.bytes;
        } else if (f.number == PRESENCE_TYPE && f.wire == CN_PB_VARINT) {
            ret->is_have = f.value == 0;
        }
    }
    CN_TRY(take_cid(cid, &ret->cid, ret_skip));
out:
    return err;
}

static cn_err read_block(cn_slice in, cn_message_item *ret)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(in);
    cn_pb_field f = {0};
    *ret = (cn_message_item){.kind = CN_MESSAGE_BLOCK};
    while (!cn_cur_done(&cur)) {
        CN_TRY(cn_pb_next(&cur, &f));
        if (f.number == BLOCK_PREFIX && f.wire == CN_PB_BYTES) {
            ret->prefix = f.bytes;
        } else if (f.number == BLOCK_DATA && f.wire == CN_PB_BYTES) {
            ret->data = f.bytes;
        }
    }
out:
    return err;
}

/* What a field of the message says; *ret_skip: nothing, or a wantlist that is now entered. */
static cn_err
read_field(const cn_pb_field *f, cn_message_iter *it, cn_message_item *ret, bool *ret_skip)
{
    *ret_skip = true;
    if (f->wire != CN_PB_BYTES) {
        return CN_OK;
    }
    switch (f->number) {
    case FIELD_WANTLIST:
        it->entries = f->bytes;
        return CN_OK;
    case FIELD_BLOCK_BARE:
        *ret = (cn_message_item){.kind = CN_MESSAGE_BLOCK, .data = f->bytes};
        *ret_skip = false;
        return CN_OK;
    case FIELD_BLOCK:
        *ret_skip = false;
        return read_block(f->bytes, ret);
    case FIELD_PRESENCE:
        return read_presence(f->bytes, ret, ret_skip);
    default:
        return CN_OK;
    }
}

/* The next item; *ret_have false: the end. `full` (nullable) is set by what says so. */
static cn_err read_next(cn_message_iter *it, cn_message_item *ret, bool *ret_have, bool *full)
{
    cn_err err = CN_OK;
    cn_pb_field f = {0};
    bool skip = true;
    *ret_have = false;
    while (skip && (it->entries.len > 0 || it->rest.len > 0)) {
        cn_slice *in = it->entries.len > 0 ? &it->entries : &it->rest;
        bool in_list = in == &it->entries;
        cn_cur cur = cn_cur_of(*in);
        CN_TRY(cn_pb_next(&cur, &f));
        *in = cur.rest;
        if (!in_list) {
            CN_TRY(read_field(&f, it, ret, &skip));
        } else if (f.number == LIST_ENTRY && f.wire == CN_PB_BYTES) {
            CN_TRY(read_entry(f.bytes, ret, &skip));
        } else if (f.number == LIST_FULL && f.wire == CN_PB_VARINT && full != NULL) {
            *full = *full || f.value != 0;
        }
    }
    *ret_have = !skip;
out:
    return err;
}

cn_err cn_message_decode(cn_slice bytes, cn_message *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_message m = {.bytes = bytes};
    cn_message_iter it = cn_message_items(&m);
    cn_message_item item = {0};
    bool have = true;
    if (bytes.len > CN_MESSAGE_MAX_BYTES) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "bitswap: a message of %zu bytes; the limit is %d", bytes.len,
            CN_MESSAGE_MAX_BYTES);
    }
    for (;;) {
        CN_TRY(read_next(&it, &item, &have, &m.is_full));
        if (!have) {
            break;
        }
        m.wants += item.kind == CN_MESSAGE_WANT;
        m.presences += item.kind == CN_MESSAGE_PRESENCE;
        m.blocks += item.kind == CN_MESSAGE_BLOCK;
        m.block_bytes += item.data.len;
        if (item.data.len > CN_BLOCK_MAX_BYTES) {
            return cn_why_set(
                why, CN_ERR_TOO_LARGE, "bitswap: a block of %zu bytes; the limit is %d",
                item.data.len, CN_BLOCK_MAX_BYTES);
        }
    }
    *ret = m;
out:
    return err == CN_OK ? CN_OK : cn_why_set(why, err, "bitswap: a message that breaks its format");
}

bool cn_message_next(cn_message_iter *it, cn_message_item *ret)
{
    bool have = false;
    return read_next(it, ret, &have, NULL) == CN_OK && have;
}

cn_err cn_message_prefix_decode(cn_slice prefix, cn_message_prefix *ret)
{
    cn_err err = CN_OK;
    cn_cur cur = cn_cur_of(prefix);
    uint64_t version = 0;
    uint64_t len = 0;
    cn_message_prefix p = {0, CN_CODEC_DAG_PB, CN_MH_SHA2_256, 32};
    if (prefix.len == 0) {
        *ret = p;
        return CN_OK;
    }
    CN_TRY(cn_varint_decode(&cur, &version));
    CN_TRY(cn_varint_decode(&cur, &p.codec));
    CN_TRY(cn_varint_decode(&cur, &p.hash));
    CN_TRY(cn_varint_decode(&cur, &len));
    if (version > 1 || !cn_cur_done(&cur)) {
        return CN_ERR_MALFORMED;
    }
    if (len > CN_DIGEST_MAX_BYTES) {
        return CN_ERR_TOO_LARGE;
    }
    p.version = (unsigned)version;
    p.digest_bytes = (size_t)len;
    *ret = p;
out:
    return err;
}

/* Append one entry; `type` as on the wire. */
static cn_err put_entry(cn_buf *entries, const cn_message_item *item)
{
    cn_err err = CN_OK;
    cn_slice cid = cn_cid_bytes(&item->cid);
    uint64_t priority = (uint32_t)item->priority;
    size_t len = cn_pb_bytes_size(ENTRY_CID, cid.len);
    len += item->priority != 0 ? cn_pb_varint_size(ENTRY_PRIORITY, priority) : 0;
    len += (size_t)(item->is_cancel ? 2 : 0) + (item->is_have ? 2 : 0);
    len += item->send_dont_have ? 2 : 0;
    CN_TRY(cn_pb_put_head(entries, LIST_ENTRY, len));
    CN_TRY(cn_pb_put_bytes(entries, ENTRY_CID, cid));
    if (item->priority != 0) {
        CN_TRY(cn_pb_put_varint(entries, ENTRY_PRIORITY, priority));
    }
    if (item->is_cancel) {
        CN_TRY(cn_pb_put_varint(entries, ENTRY_CANCEL, 1));
    }
    if (item->is_have) {
        CN_TRY(cn_pb_put_varint(entries, ENTRY_TYPE, 1));
    }
    if (item->send_dont_have) {
        CN_TRY(cn_pb_put_varint(entries, ENTRY_SEND_DONT_HAVE, 1));
    }
out:
    return err;
}

cn_err cn_message_put_want(
    cn_buf *entries, const cn_cid *cid, int32_t priority, bool is_have, bool send_dont_have)
{
    cn_message_item item = {
        .cid = *cid,
        .priority = CN_MAX(priority, 0),
        .is_have = is_have,
        .send_dont_have = send_dont_have,
    };
    return put_entry(entries, &item);
}

cn_err cn_message_put_cancel(cn_buf *entries, const cn_cid *cid)
{
    cn_message_item item = {.cid = *cid, .is_cancel = true};
    return put_entry(entries, &item);
}

cn_err cn_message_put_wantlist(cn_buf *body, cn_slice entries, bool is_full)
{
    cn_err err = CN_OK;
    CN_TRY(cn_pb_put_head(body, FIELD_WANTLIST, entries.len + (is_full ? 2 : 0)));
    CN_TRY(cn_buf_append(body, entries));
    if (is_full) {
        CN_TRY(cn_pb_put_varint(body, LIST_FULL, 1));
    }
out:
    return err;
}

cn_err cn_message_put_presence(cn_buf *body, const cn_cid *cid, bool has)
{
    cn_err err = CN_OK;
    cn_slice bytes = cn_cid_bytes(cid);
    CN_TRY(cn_pb_put_head(
        body, FIELD_PRESENCE, cn_pb_bytes_size(PRESENCE_CID, bytes.len) + (has ? 0 : 2)));
    CN_TRY(cn_pb_put_bytes(body, PRESENCE_CID, bytes));
    if (!has) {
        CN_TRY(cn_pb_put_varint(body, PRESENCE_TYPE, 1));
    }
out:
    return err;
}

/* Version, codec, hash code and digest length of a CID; at most 40 bytes. */
static cn_slice make_prefix(const cn_cid *cid, uint8_t *to)
{
    cn_multihash mh = cn_cid_multihash(cid);
    size_t n = cn_varint_encode(cid->version, to);
    n += cn_varint_encode(cid->codec, to + n);
    n += cn_varint_encode(mh.code, to + n);
    n += cn_varint_encode(mh.digest.len, to + n);
    return cn_slice_of(to, n);
}

cn_err cn_message_put_block_head(cn_buf *body, const cn_cid *cid, size_t len, bool is_bare)
{
    uint8_t room[4 * CN_VARINT64_MAX_BYTES];
    cn_err err = CN_OK;
    if (is_bare) {
        return cn_pb_put_head(body, FIELD_BLOCK_BARE, len);
    }
    cn_slice prefix = make_prefix(cid, room);
    CN_TRY(cn_pb_put_head(
        body, FIELD_BLOCK,
        cn_pb_bytes_size(BLOCK_PREFIX, prefix.len) + cn_pb_bytes_size(BLOCK_DATA, len)));
    CN_TRY(cn_pb_put_bytes(body, BLOCK_PREFIX, prefix));
    CN_TRY(cn_pb_put_head(body, BLOCK_DATA, len));
out:
    return err;
}

cn_err cn_message_put_length(cn_buf *out, size_t len)
{
    return cn_varint_append(out, len);
}
