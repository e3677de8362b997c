/*
 * DAG-CBOR for walking. Items come one after the other, so links are found by stepping through all
 * of them, and an item is skipped by counting how many are still due. Only the check of keys needs
 * to know what is open: a stack of small frames, bounded, on the C stack. Keys in the order that
 * dag-cbor wants cannot repeat; only a block that has others is gone through again for them.
 */
#include "ipld/dagcbor.h"

#include "base/num.h"
#include "codec/quote.h"
#include "ipld/keys.h"
#include "ipld/path.h"

enum { TAG_LINK = 42, INFO_1 = 24, INFO_2 = 25, INFO_4 = 26, INFO_8 = 27 };
enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22 };

/* The argument behind an initial byte with additional information `info`. */
static cn_err take_number(cn_cur *c, unsigned info, uint64_t *ret)
{
    if (info < INFO_1) {
        *ret = info;
        return CN_OK;
    }
    if (info > INFO_8) {
        return CN_ERR_MALFORMED;
    }
    cn_slice bytes = {0};
    cn_err err = cn_cur_take(c, (size_t)1 << (info - INFO_1), &bytes);
    if (err != CN_OK) {
        return err;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        number = number << 8 | bytes.data[i];
    }
    static const uint64_t least[] = {INFO_1, 1 << 8, 1 << 16, (uint64_t)1 << 32};
    if (number < least[info - INFO_1]) {
        return CN_ERR_MALFORMED; /* fits into fewer bytes */
    }
    *ret = number;
    return CN_OK;
}

/* A float that is a number: its exponent is not all ones. */
static bool float_is_finite(cn_slice f)
{
    if (f.len == 2) {
        return (f.data[0] & 0x7c) != 0x7c;
    }
    if (f.len == 4) {
        return (f.data[0] & 0x7f) != 0x7f || (f.data[1] & 0x80) == 0;
    }
    return (f.data[0] & 0x7f) != 0x7f || (f.data[1] & 0xf0) != 0xf0;
}

static cn_err take_simple(cn_cur *c, unsigned info, cn_cbor_item *ret)
{
    cn_err err = CN_OK;
    cn_slice data = {0};
    if (info == SIMPLE_FALSE || info == SIMPLE_TRUE) {
        *ret = (cn_cbor_item){.kind = info == SIMPLE_TRUE ? CN_CBOR_TRUE : CN_CBOR_FALSE};
    } else if (info == SIMPLE_NULL) {
        *ret = (cn_cbor_item){.kind = CN_CBOR_NULL};
    } else if (info >= INFO_2 && info <= INFO_8) {
        CN_TRY(cn_cur_take(c, (size_t)1 << (info - INFO_1), &data));
        if (!float_is_finite(data)) {
            return CN_ERR_MALFORMED;
        }
        *ret = (cn_cbor_item){.kind = CN_CBOR_FLOAT, .data = data};
    } else {
        err = CN_ERR_MALFORMED;
    }
out:
    return err;
}

/* The bytes behind tag 42: a zero byte, then the CID. */
static cn_err take_link(cn_cur *c, uint64_t tag, cn_cbor_item *ret)
{
    cn_err err = CN_OK;
    uint8_t first = 0;
    uint64_t len = 0;
    cn_slice data = {0};
    if (tag != TAG_LINK) {
        return CN_ERR_UNSUPPORTED;
    }
    CN_TRY(cn_cur_byte(c, &first));
    if (first >> 5 != CN_CBOR_BYTES) {
        return CN_ERR_MALFORMED;
    }
    CN_TRY(take_number(c, first & 0x1f, &len));
    CN_TRY(cn_cur_take(c, (size_t)len, &data));
    if (data.len < 2 || data.data[0] != 0) {
        return CN_ERR_MALFORMED;
    }
    *ret = (cn_cbor_item){.kind = CN_CBOR_LINK, .data = cn_slice_skip(data, 1)};
out:
    return err;
}

cn_err cn_cbor_next(cn_cur *c, cn_cbor_item *ret)
{
    cn_err err = CN_OK;
    uint8_t first = 0;
    uint64_t number = 0;
    cn_cbor_item item = {0};
    CN_TRY(cn_cur_byte(c, &first));
    if (first >> 5 == 7) {
        return take_simple(c, first & 0x1f, ret);
    }
    CN_TRY(take_number(c, first & 0x1f, &number));
    if (first >> 5 == 6) {
        return take_link(c, number, ret);
    }
    item = (cn_cbor_item){.kind = (cn_cbor_kind)(first >> 5), .number = number};
    if (item.kind == CN_CBOR_BYTES || item.kind == CN_CBOR_TEXT) {
        CN_TRY(cn_cur_take(c, (size_t)number, &item.data));
    } else if (item.kind == CN_CBOR_ARRAY && number > cn_cur_left(c)) {
        return CN_ERR_TRUNCATED;
    } else if (item.kind == CN_CBOR_MAP && number > cn_cur_left(c) / 2) {
        return CN_ERR_TRUNCATED;
    }
    *ret = item;
out:
    return err;
}

/* An array or map that is open: items still due in it, and in a map the key before. */
typedef struct open_item {
    uint64_t due;
    const uint8_t *key;
    uint32_t key_len;
    uint32_t map; /* its number from 1; 0: an array */
} open_item;

/* A check on its way through a block. */
typedef struct checking {
    uint32_t maps;     /* begun so far */
    bool is_unordered; /* a key stands before one that it should follow */
    cn_keys *keys;     /* NULL in the first round */
} checking;

/* The order of keys in dag-cbor: the shorter first, then by bytes. */
static int key_order(cn_slice a, cn_slice b)
{
    return a.len != b.len ? (a.len < b.len ? -1 : 1) : cn_slice_cmp(a, b);
}

/* One item goes into `in`; in a map every other one is a key. */
static cn_err count_item(checking *k, open_item *in, const cn_cbor_item *item)
{
    bool is_key = in->map != 0 && in->due % 2 == 0;
    in->due--;
    if (!is_key) {
        return CN_OK;
    }
    if (item->kind != CN_CBOR_TEXT || item->data.len > UINT32_MAX) {
        return CN_ERR_MALFORMED;
    }
    if (k->keys != NULL) {
        return cn_keys_add(k->keys, in->map, item->data);
    }
    if (in->key != NULL && key_order(cn_slice_of(in->key, in->key_len), item->data) >= 0) {
        k->is_unordered = true;
    }
    static const uint8_t none = 0;
    in->key = item->data.len == 0 ? &none : item->data.data;
    in->key_len = (uint32_t)item->data.len;
    return CN_OK;
}

static cn_err check_items(cn_cur *c, checking *k, open_item *open, size_t open_max)
{
    size_t depth = 0;
    open[0] = (open_item){.due = 1};
    for (;;) {
        while (open[depth].due == 0) {
            if (depth-- == 0) {
                return CN_OK;
            }
        }
        cn_cbor_item item = {0};
        cn_err err = cn_cbor_next(c, &item);
        if (err == CN_OK) {
            err = count_item(k, &open[depth], &item);
        }
        if (err == CN_OK && item.kind == CN_CBOR_LINK) {
            cn_cid cid;
            err = cn_cid_decode_all(item.data, &cid);
        }
        if (err != CN_OK) {
            return err;
        }
        if (item.kind == CN_CBOR_ARRAY || item.kind == CN_CBOR_MAP) {
            if (++depth == open_max) {
                return CN_ERR_TOO_DEEP;
            }
            bool is_map = item.kind == CN_CBOR_MAP;
            open[depth] = (open_item){
                .due = is_map ? item.number * 2 : item.number, .map = is_map ? ++k->maps : 0};
        }
    }
}

/* The second round, through a block that is good but for its keys, which are in no order. */
static cn_err check_keys(cn_slice block, open_item *open, size_t open_max, cn_why *why)
{
    cn_keys keys;
    checking k = {.keys = &keys};
    cn_cur c = cn_cur_of(block);
    cn_slice key = {0};
    char quoted[CN_QUOTE_TEXT_BYTES];
    cn_keys_init(&keys, cn_mem_default(), block, key_order);
    cn_err err = check_items(&c, &k, open, open_max);
    if (err == CN_OK && cn_keys_repeated(&keys, &key)) {
        err = cn_why_set(why, CN_ERR_MALFORMED, "duplicate map key %s", cn_quote_text(key, quoted));
    }
    cn_keys_release(&keys);
    return err;
}

cn_err cn_dagcbor_check(cn_slice block, cn_why *why)
{
    open_item open[CN_DAGCBOR_DEPTH_MAX];
    checking k = {0};
    cn_cur c = cn_cur_of(block);
    cn_err err = check_items(&c, &k, open, CN_LEN(open));
    if (err == CN_OK && !cn_cur_done(&c)) {
        err = CN_ERR_MALFORMED;
    }
    if (err != CN_OK) {
        return cn_why_set(
            why, err, "dag-cbor: %s at byte %zu", cn_err_sentence(err), block.len - c.rest.len);
    }
    return k.is_unordered ? check_keys(block, open, CN_LEN(open), why) : CN_OK;
}

cn_err cn_dagcbor_next_link(cn_cur *c, cn_cid *ret, bool *ret_have)
{
    while (!cn_cur_done(c)) {
        cn_cbor_item item = {0};
        cn_err err = cn_cbor_next(c, &item);
        if (err != CN_OK) {
            return err;
        }
        if (item.kind == CN_CBOR_LINK) {
            *ret_have = true;
            return cn_cid_decode_all(item.data, ret);
        }
    }
    *ret_have = false;
    return CN_OK;
}

/* Pass over `count` whole items. */
static cn_err skip(cn_cur *c, uint64_t count)
{
    while (count > 0) {
        cn_cbor_item item = {0};
        cn_err err = cn_cbor_next(c, &item);
        if (err != CN_OK) {
            return err;
        }
        count--;
        count += item.kind == CN_CBOR_ARRAY ? item.number : 0;
        count += item.kind == CN_CBOR_MAP ? item.number * 2 : 0;
    }
    return CN_OK;
}

static cn_err no_key(cn_slice segment, cn_why *why)
{
    char quoted[CN_QUOTE_TEXT_BYTES];
    return cn_why_set(why, CN_ERR_NO_LINK, "key not found: %s", cn_quote_text(segment, quoted));
}

/* Move `c`, which stands behind the head `in`, to the value that `segment` names. */
static cn_err enter(cn_cur *c, const cn_cbor_item *in, cn_slice segment, cn_why *why)
{
    if (in->kind == CN_CBOR_ARRAY) {
        uint64_t index = 0;
        if (cn_num_u64(segment, &index) != CN_OK || index >= in->number) {
            return no_key(segment, why);
        }
        return skip(c, index);
    }
    if (in->kind != CN_CBOR_MAP) {
        return cn_why_set(
            why, CN_ERR_NO_LINK, "a path goes on below a value that is not a map or a list");
    }
    for (uint64_t i = 0; i < in->number; i++) {
        cn_cbor_item key = {0};
        cn_err err = cn_cbor_next(c, &key);
        if (err != CN_OK) {
            return err;
        }
        if (key.kind != CN_CBOR_TEXT) {
            return CN_ERR_MALFORMED;
        }
        if (cn_slice_eq(key.data, segment)) {
            return CN_OK;
        }
        err = skip(c, 1);
        if (err != CN_OK) {
            return err;
        }
    }
    return no_key(segment, why);
}

cn_err
cn_dagcbor_find(cn_slice block, cn_slice *rest, cn_cid *ret_link, bool *ret_is_link, cn_why *why)
{
    cn_cur c = cn_cur_of(block);
    for (;;) {
        cn_cbor_item item = {0};
        cn_slice after = *rest;
        cn_slice segment = {0};
        cn_err err = cn_cbor_next(&c, &item);
        if (err != CN_OK) {
            return err;
        }
        if (item.kind == CN_CBOR_LINK) {
            *ret_is_link = true;
            return cn_cid_decode_all(item.data, ret_link);
        }
        if (!cn_ipfs_path_next(&after, &segment)) {
            *ret_is_link = false;
            return CN_OK;
        }
        err = enter(&c, &item, segment, why);
        if (err != CN_OK) {
            return err;
        }
        *rest = after;
    }
}
