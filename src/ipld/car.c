/*
 * The CAR reader. States: PRAGMA (the first section, header of v1 or pragma of v2), V2 (the fixed
 * header of 40 bytes), HEADER (of the inner v1), BLOCKS, PAST (all that counts was read; the rest
 * is passed over). A section that arrives in one piece is lent without a copy.
 */
#include "ipld/car.h"

#include "base/le.h"
#include "ipld/dagcbor.h"

enum { PRAGMA, V2, HEADER, BLOCKS, PAST };
enum { V2_HEADER_BYTES = 40, PREFIX_BITS_MAX = 63 };

void cn_car_init(cn_car *c, cn_mem *mem, size_t block_max_bytes)
{
    *c = (cn_car){.mem = mem, .block_max_bytes = block_max_bytes, .inner_end = UINT64_MAX};
    size_t section_max = CN_MAX(block_max_bytes + CN_CID_MAX_BYTES, CN_CAR_HEADER_MAX_BYTES);
    cn_buf_init(&c->held, mem, section_max);
}

void cn_car_release(cn_car *c)
{
    cn_buf_release(&c->held);
    if (c->mem != NULL) {
        cn_free(c->mem, c->roots);
    }
    *c = (cn_car){0};
}

static cn_slice use(cn_car *c, cn_slice *in, size_t n)
{
    cn_slice head = cn_slice_head(*in, n);
    *in = cn_slice_skip(*in, n);
    c->position += head.len;
    return head;
}

static bool prefix_is_read(const cn_car *c)
{
    return c->prefix_bits == UINT32_MAX;
}

static uint64_t section_max(const cn_car *c)
{
    return c->state == BLOCKS ? c->block_max_bytes + CN_CID_MAX_BYTES : CN_CAR_HEADER_MAX_BYTES;
}

/* Read the length before a section, as far as it has arrived. */
static cn_err read_prefix(cn_car *c, cn_slice *in)
{
    while (in->len > 0 && !prefix_is_read(c)) {
        uint8_t byte = *use(c, in, 1).data;
        if (c->prefix_bits >= PREFIX_BITS_MAX || (byte == 0 && c->prefix_bits > 0)) {
            return CN_ERR_MALFORMED;
        }
        c->section_bytes |= (uint64_t)(byte & 0x7f) << c->prefix_bits;
        c->prefix_bits = (byte & 0x80) != 0 ? c->prefix_bits + 7 : UINT32_MAX;
    }
    if (prefix_is_read(c) && c->section_bytes > section_max(c)) {
        return CN_ERR_TOO_LARGE;
    }
    return CN_OK;
}

/* Gather `n` bytes; *ret_have once they are there, lent from `in` or from `held`. */
static cn_err gather(cn_car *c, cn_slice *in, size_t n, cn_slice *ret, bool *ret_have)
{
    *ret_have = false;
    if (c->held_is_lent) {
        c->held_is_lent = false;
        cn_buf_reset(&c->held);
    }
    if (c->held.len == 0 && in->len >= n) {
        *ret = use(c, in, n);
        *ret_have = true;
        return CN_OK;
    }
    cn_slice part = cn_slice_head(*in, n - c->held.len);
    cn_err err = cn_buf_append(&c->held, part);
    if (err != CN_OK) {
        return err;
    }
    (void)use(c, in, part.len);
    if (c->held.len == n) {
        *ret = cn_buf_slice(&c->held);
        *ret_have = true;
        c->held_is_lent = true;
    }
    return CN_OK;
}

static cn_err add_root(cn_car *c, cn_slice bytes)
{
    cn_err err = cn_array_grow(
        c->mem, (void **)&c->roots, &c->roots_cap, c->roots_len, CN_CAR_ROOTS_MAX,
        sizeof *c->roots);
    if (err == CN_OK) {
        err = cn_cid_decode_all(bytes, &c->roots[c->roots_len]);
    }
    c->roots_len += err == CN_OK ? 1 : 0;
    return err;
}

/* The value of "roots": a list of links, or null. */
static cn_err read_roots(cn_car *c, cn_cur *cur)
{
    cn_cbor_item list = {0};
    cn_err err = cn_cbor_next(cur, &list);
    if (err != CN_OK || list.kind == CN_CBOR_NULL) {
        return err;
    }
    if (list.kind != CN_CBOR_ARRAY) {
        return CN_ERR_MALFORMED;
    }
    for (uint64_t i = 0; i < list.number; i++) {
        cn_cbor_item item = {0};
        err = cn_cbor_next(cur, &item);
        if (err == CN_OK) {
            err = item.kind == CN_CBOR_LINK ? add_root(c, item.data) : CN_ERR_MALFORMED;
        }
        if (err != CN_OK) {
            return err;
        }
    }
    return CN_OK;
}

/* The header: a map of "version" and "roots". */
static cn_err read_header(cn_car *c, cn_slice section, uint64_t *ret_version)
{
    cn_cur cur = cn_cur_of(section);
    cn_cbor_item map = {0};
    cn_err err = cn_dagcbor_check(section, NULL);
    if (err == CN_OK) {
        err = cn_cbor_next(&cur, &map);
    }
    if (err == CN_OK && map.kind != CN_CBOR_MAP) {
        err = CN_ERR_MALFORMED;
    }
    *ret_version = 0;
    for (uint64_t i = 0; err == CN_OK && i < map.number; i++) {
        cn_cbor_item key = {0};
        cn_cbor_item value = {0};
        err = cn_cbor_next(&cur, &key);
        if (err == CN_OK && cn_slice_is(key.data, "roots")) {
            err = read_roots(c, &cur);
        } else if (err == CN_OK && cn_slice_is(key.data, "version")) {
            err = cn_cbor_next(&cur, &value);
            *ret_version = value.kind == CN_CBOR_UINT ? value.number : 0;
        } else if (err == CN_OK) {
            err = CN_ERR_MALFORMED;
        }
    }
    return err;
}

static cn_err take_header(cn_car *c, cn_slice section, cn_car_event *ret, cn_why *why)
{
    uint64_t version = 0;
    cn_err err = read_header(c, section, &version);
    if (err != CN_OK) {
        return cn_why_set(why, err, "invalid car: its header is not well made");
    }
    if (version == 2 && c->state == PRAGMA) {
        c->state = V2;
        c->version = 2;
        return CN_OK;
    }
    if (version != 1) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "invalid car version: %llu", (unsigned long long)version);
    }
    c->version = c->is_inner ? 2 : 1;
    c->state = BLOCKS;
    ret->kind = CN_CAR_HEADER;
    return CN_OK;
}

/* The fixed header of a CARv2: where its data lies. */
static cn_err take_v2(cn_car *c, cn_slice header, cn_why *why)
{
    uint64_t offset = cn_le_get(header.data + 16, 8);
    uint64_t size = cn_le_get(header.data + 24, 8);
    if (offset < c->position || __builtin_add_overflow(offset, size, &c->inner_end)) {
        return cn_why_set(why, CN_ERR_MALFORMED, "invalid car: its data lies outside of it");
    }
    c->skip = offset - c->position;
    c->is_inner = true;
    c->state = HEADER;
    return CN_OK;
}

static cn_err take_block(const cn_car *c, cn_slice section, cn_car_event *ret, cn_why *why)
{
    size_t used = 0;
    cn_err err = cn_cid_decode(section, &ret->cid, &used);
    if (err != CN_OK) {
        return cn_why_set(
            why, err, "invalid car: no CID in the section before byte %llu",
            (unsigned long long)c->position);
    }
    ret->data = cn_slice_skip(section, used);
    if (ret->data.len > c->block_max_bytes) {
        return cn_why_set(why, CN_ERR_TOO_LARGE, "a block of the car is larger than the limit");
    }
    ret->kind = CN_CAR_BLOCK;
    return CN_OK;
}

/* A section is there whole. One of length zero ends the archive. */
static cn_err take_section(cn_car *c, cn_slice section, cn_car_event *ret, cn_why *why)
{
    c->prefix_bits = 0;
    c->section_bytes = 0;
    if (c->state != BLOCKS) {
        return take_header(c, section, ret, why);
    }
    if (section.len == 0) {
        c->state = PAST;
        return CN_OK;
    }
    return take_block(c, section, ret, why);
}

/* Do one thing with what has arrived; nothing can be done when *in is empty afterwards. */
static cn_err step(cn_car *c, cn_slice *in, cn_car_event *ret, cn_why *why)
{
    cn_slice bytes = {0};
    bool have = false;
    cn_err err = CN_OK;
    if (c->skip > 0) {
        c->skip -= use(c, in, (size_t)CN_MIN(c->skip, in->len)).len;
        return CN_OK;
    }
    if (c->state == PAST || (c->prefix_bits == 0 && c->position >= c->inner_end)) {
        c->state = PAST;
        (void)use(c, in, in->len);
        return CN_OK;
    }
    if (c->state == V2) {
        err = gather(c, in, V2_HEADER_BYTES, &bytes, &have);
        return err == CN_OK && have ? take_v2(c, bytes, why) : err;
    }
    if (!prefix_is_read(c)) {
        err = read_prefix(c, in);
        if (err != CN_OK) {
            return cn_why_set(why, err, "invalid car: a section's length");
        }
    }
    if (prefix_is_read(c)) {
        err = gather(c, in, (size_t)c->section_bytes, &bytes, &have);
        return err == CN_OK && have ? take_section(c, bytes, ret, why) : err;
    }
    return CN_OK;
}

cn_err cn_car_next(cn_car *c, cn_slice *in, cn_car_event *ret, cn_why *why)
{
    cn_car_event event = {.kind = CN_CAR_MORE};
    while (c->failed == CN_OK && event.kind == CN_CAR_MORE && in->len > 0) {
        c->failed = step(c, in, &event, why);
    }
    if (c->failed == CN_OK) {
        *ret = event;
    }
    return c->failed;
}

cn_err cn_car_finish(cn_car *c, cn_why *why)
{
    if (c->failed != CN_OK) {
        return c->failed;
    }
    bool between = c->state == PAST || (c->state == BLOCKS && c->prefix_bits == 0);
    return between ? CN_OK : cn_why_set(why, CN_ERR_TRUNCATED, "unexpected EOF");
}
