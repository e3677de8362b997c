/*
 * DAG-PB. The links of a valid node lie in one run (data never stands between them), so a decoded
 * node keeps that run as one slice and steps through it again when asked.
 */
#include "ipld/dagpb.h"

#include "codec/protobuf.h"

enum {
    NODE_DATA = 1,
    NODE_LINKS = 2,
    LINK_HASH = 1,
    LINK_NAME = 2,
    LINK_TSIZE = 3,

    KEY_NODE_DATA = NODE_DATA << 3 | CN_PB_BYTES,
    KEY_NODE_LINKS = NODE_LINKS << 3 | CN_PB_BYTES,
    KEY_LINK_HASH = LINK_HASH << 3 | CN_PB_BYTES,
    KEY_LINK_NAME = LINK_NAME << 3 | CN_PB_BYTES,
    KEY_LINK_TSIZE = LINK_TSIZE << 3 | CN_PB_VARINT,
};

static cn_err bad(cn_why *why, const char *sentence)
{
    return cn_why_set(why, CN_ERR_MALFORMED, "dag-pb: %s", sentence);
}

/* Fields of a link come at most once and in the order Hash, Name, Tsize. */
static cn_err read_link(cn_slice in, cn_dagpb_link *ret, cn_why *why)
{
    cn_dagpb_link link = {0};
    cn_cur c = cn_cur_of(in);
    uint64_t last = 0;
    while (!cn_cur_done(&c)) {
        cn_pb_field f = {0};
        cn_err err = cn_pb_next(&c, &f);
        if (err != CN_OK) {
            return cn_why_set(why, err, "dag-pb: a link cannot be read: %s", cn_err_sentence(err));
        }
        if (f.number < LINK_HASH || f.number > LINK_TSIZE) {
            return bad(why, "a link has a field other than Hash, Name and Tsize");
        }
        if (f.number <= last) {
            return bad(why, "a field of a link is repeated or out of order");
        }
        if (f.wire != (f.number == LINK_TSIZE ? CN_PB_VARINT : CN_PB_BYTES)) {
            return bad(why, "a field of a link has the wrong wire type");
        }
        last = f.number;
        if (f.number == LINK_HASH) {
            link.cid = f.bytes;
        } else if (f.number == LINK_NAME) {
            link.name = f.bytes;
            link.has_name = true;
        } else {
            link.tsize_bytes = f.value;
            link.has_tsize = true;
        }
    }
    if (link.cid.len == 0) {
        return bad(why, "a link has no Hash");
    }
    *ret = link;
    return CN_OK;
}

static cn_err check_link(cn_slice in, cn_why *why)
{
    cn_dagpb_link link = {0};
    cn_cid cid;
    cn_err err = read_link(in, &link, why);
    if (err != CN_OK) {
        return err;
    }
    err = cn_cid_decode_all(link.cid, &cid);
    if (err != CN_OK) {
        (void)cn_why_set(why, err, "dag-pb: a link's Hash is no CID: %s", cn_err_sentence(err));
    }
    return err;
}

/* Take one field of a node; `from` is where it begins. */
static cn_err take_field(cn_dagpb *node, const cn_pb_field *f, cn_slice from, cn_why *why)
{
    if (f->wire != CN_PB_BYTES) {
        return bad(why, "a field of the node has the wrong wire type");
    }
    if (f->number == NODE_DATA) {
        if (node->has_data) {
            return bad(why, "the node has Data twice");
        }
        node->data = f->bytes;
        node->has_data = true;
        return CN_OK;
    }
    if (f->number != NODE_LINKS) {
        return bad(why, "the node has a field other than Data and Links");
    }
    size_t end = (size_t)(f->bytes.data + f->bytes.len - from.data);
    if (node->links_len == 0) {
        node->links = cn_slice_head(from, end);
    } else if (node->links.data + node->links.len != from.data) {
        return bad(why, "Data stands between Links");
    } else {
        node->links.len += end;
    }
    node->links_len++;
    return check_link(f->bytes, why);
}

cn_err cn_dagpb_decode(cn_slice block, cn_dagpb *ret, cn_why *why)
{
    cn_dagpb node = {0};
    cn_cur c = cn_cur_of(block);
    while (!cn_cur_done(&c)) {
        cn_slice from = c.rest;
        cn_pb_field f = {0};
        cn_err err = cn_pb_next(&c, &f);
        if (err != CN_OK) {
            return cn_why_set(
                why, err, "dag-pb: the node cannot be read: %s", cn_err_sentence(err));
        }
        err = take_field(&node, &f, from, why);
        if (err != CN_OK) {
            return err;
        }
    }
    *ret = node;
    return CN_OK;
}

bool cn_dagpb_next(cn_dagpb_iter *it, cn_dagpb_link *ret)
{
    if (it->rest.len == 0) {
        return false;
    }
    cn_cur c = cn_cur_of(it->rest);
    cn_pb_field f = {0};
    CN_ASSERT(cn_pb_next(&c, &f) == CN_OK && read_link(f.bytes, ret, NULL) == CN_OK);
    it->rest = c.rest;
    return true;
}

bool cn_dagpb_link_at(const cn_dagpb *node, size_t index, cn_dagpb_link *ret)
{
    if (index >= node->links_len) {
        return false;
    }
    cn_dagpb_iter it = cn_dagpb_links(node);
    for (size_t i = 0; i <= index; i++) {
        CN_ASSERT(cn_dagpb_next(&it, ret));
    }
    return true;
}

bool cn_dagpb_find(const cn_dagpb *node, cn_slice name, cn_dagpb_link *ret)
{
    cn_dagpb_iter it = cn_dagpb_links(node);
    cn_dagpb_link link;
    while (cn_dagpb_next(&it, &link)) {
        if (cn_slice_eq(link.name, name)) {
            *ret = link;
            return true;
        }
    }
    return false;
}

cn_cid cn_dagpb_link_cid(const cn_dagpb_link *link)
{
    cn_cid cid = {0};
    CN_ASSERT(cn_cid_decode_all(link->cid, &cid) == CN_OK);
    return cid;
}

/* One-byte key, length, bytes. */
static size_t bytes_field_bytes(size_t len)
{
    return 1 + cn_varint_len(len) + len;
}

static size_t link_body_bytes(const cn_dagpb_link *link)
{
    size_t n = bytes_field_bytes(link->cid.len);
    n += link->has_name ? bytes_field_bytes(link->name.len) : 0;
    n += link->has_tsize ? 1 + cn_varint_len(link->tsize_bytes) : 0;
    return n;
}

size_t cn_dagpb_link_bytes(const cn_dagpb_link *link)
{
    return bytes_field_bytes(link_body_bytes(link));
}

size_t cn_dagpb_data_bytes(size_t data_len)
{
    return bytes_field_bytes(data_len);
}

static void put_key(cn_buf *out, uint8_t key, uint64_t value)
{
    out->data[out->len++] = key;
    out->len += cn_varint_encode(value, out->data + out->len);
}

static void put_bytes(cn_buf *out, uint8_t key, cn_slice bytes)
{
    put_key(out, key, bytes.len);
    cn_copy(out->data + out->len, bytes.data, bytes.len);
    out->len += bytes.len;
}

cn_err cn_dagpb_link_append(const cn_dagpb_link *link, cn_buf *out)
{
    size_t body = link_body_bytes(link);
    cn_err err = cn_buf_reserve(out, bytes_field_bytes(body));
    if (err != CN_OK) {
        return err;
    }
    put_key(out, KEY_NODE_LINKS, body);
    put_bytes(out, KEY_LINK_HASH, link->cid);
    if (link->has_name) {
        put_bytes(out, KEY_LINK_NAME, link->name);
    }
    if (link->has_tsize) {
        put_key(out, KEY_LINK_TSIZE, link->tsize_bytes);
    }
    return CN_OK;
}

cn_err cn_dagpb_data_append(cn_slice data, cn_buf *out)
{
    cn_err err = cn_buf_reserve(out, bytes_field_bytes(data.len));
    if (err == CN_OK) {
        put_bytes(out, KEY_NODE_DATA, data);
    }
    return err;
}

/* Merge the sorted runs [0, half) and [half, len) of `from` into `to`. */
static void merge(cn_dagpb_link *to, const cn_dagpb_link *from, size_t half, size_t len)
{
    size_t a = 0;
    size_t b = half;
    for (size_t i = 0; i < len; i++) {
        bool left = b == len || (a < half && cn_slice_cmp(from[a].name, from[b].name) <= 0);
        to[i] = left ? from[a++] : from[b++];
    }
}

cn_err cn_dagpb_sort(cn_mem *mem, cn_dagpb_link *links, size_t links_len)
{
    bool sorted = true;
    for (size_t i = 1; i < links_len && sorted; i++) {
        sorted = cn_slice_cmp(links[i - 1].name, links[i].name) <= 0;
    }
    if (sorted) {
        return CN_OK;
    }
    cn_dagpb_link *spare = cn_alloc_array(mem, links_len, sizeof *spare);
    if (spare == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_dagpb_link *from = links;
    cn_dagpb_link *to = spare;
    for (size_t run = 1; run < links_len; run *= 2) {
        for (size_t i = 0; i < links_len; i += 2 * run) {
            size_t len = CN_MIN(2 * run, links_len - i);
            merge(to + i, from + i, CN_MIN(run, len), len);
        }
        cn_dagpb_link *swap = from;
        from = to;
        to = swap;
    }
    if (from != links) {
        cn_copy(links, from, links_len * sizeof *links);
    }
    cn_free(mem, spare);
    return CN_OK;
}

cn_err
cn_dagpb_encode(const cn_dagpb_link *links, size_t links_len, const cn_slice *data, cn_buf *out)
{
    size_t size = data == NULL ? 0 : cn_dagpb_data_bytes(data->len);
    for (size_t i = 0; i < links_len; i++) {
        size += cn_dagpb_link_bytes(&links[i]);
    }
    cn_err err = cn_buf_reserve(out, size);
    for (size_t i = 0; i < links_len && err == CN_OK; i++) {
        err = cn_dagpb_link_append(&links[i], out);
    }
    if (data != NULL && err == CN_OK) {
        err = cn_dagpb_data_append(*data, out);
    }
    return err;
}
