/*
 * Directory builder: packed entries, the measure that decides for a HAMT, and the plain node.
 * Kubo decides at each entry whether to switch; the measure only grows, so deciding at the end
 * gives the same.
 */
#include "unixfs/dir_internal.h"

#include "codec/protobuf.h"

#define ENTRIES_MAX_BYTES ((size_t)1 << 36)

static cn_unixfs_data plain_data(const cn_dir_builder *b)
{
    cn_unixfs_data d = {.type = CN_UNIXFS_DIRECTORY};
    cn_import_meta_set(&b->meta, &d);
    return d;
}

void cn_dir_builder_init(cn_dir_builder *b, cn_emit *emit, const cn_import_meta *meta)
{
    *b = (cn_dir_builder){.emit = emit};
    cn_buf_init(&b->entries, emit->mem, ENTRIES_MAX_BYTES);
    if (meta != NULL) {
        b->meta = *meta;
    }
    if (emit->options->estimate == CN_ESTIMATE_BLOCK) {
        cn_unixfs_data d = plain_data(b);
        b->estimate = cn_dagpb_data_bytes(cn_unixfs_data_bytes(&d, NULL));
    }
}

void cn_dir_builder_release(cn_dir_builder *b)
{
    cn_buf_release(&b->entries);
    *b = (cn_dir_builder){0};
}

static void put_varint(cn_buf *out, uint64_t value)
{
    out->len += cn_varint_encode(value, out->data + out->len);
}

static void put_bytes(cn_buf *out, cn_slice bytes)
{
    put_varint(out, bytes.len);
    cn_copy(out->data + out->len, bytes.data, bytes.len);
    out->len += bytes.len;
}

cn_err cn_dir_builder_add(cn_dir_builder *b, cn_slice name, const cn_import_ref *child)
{
    cn_dagpb_link link = {
        .cid = cn_cid_bytes(&child->cid),
        .name = name,
        .tsize_bytes = child->tsize_bytes,
        .has_name = true,
        .has_tsize = true,
    };
    cn_err err =
        cn_buf_reserve(&b->entries, name.len + link.cid.len + (size_t)3 * CN_VARINT64_MAX_BYTES);
    if (err != CN_OK) {
        return err;
    }
    put_bytes(&b->entries, name);
    put_bytes(&b->entries, link.cid);
    put_varint(&b->entries, link.tsize_bytes);
    b->len++;
    switch (b->emit->options->estimate) {
    case CN_ESTIMATE_LINKS:
        b->estimate += name.len + link.cid.len;
        break;
    case CN_ESTIMATE_BLOCK:
        b->estimate += cn_dagpb_link_bytes(&link);
        break;
    case CN_ESTIMATE_DISABLED:
    default:
        break;
    }
    return CN_OK;
}

/* What this file wrote reads back; anything else is a mistake of ours. */
static uint64_t take_varint(cn_cur *c)
{
    uint64_t value = 0;
    CN_ASSERT(cn_pb_varint_decode(c, &value) == CN_OK);
    return value;
}

static cn_slice take_bytes(cn_cur *c)
{
    cn_slice bytes = {0};
    CN_ASSERT(cn_cur_take(c, (size_t)take_varint(c), &bytes) == CN_OK);
    return bytes;
}

void cn_dir_entry(const cn_dir_builder *b, size_t offset, cn_dagpb_link *ret, size_t *ret_next)
{
    cn_cur c = cn_cur_of(cn_slice_skip(cn_buf_slice(&b->entries), offset));
    *ret = (cn_dagpb_link){.has_name = true, .has_tsize = true};
    ret->name = take_bytes(&c);
    ret->cid = take_bytes(&c);
    ret->tsize_bytes = take_varint(&c);
    if (ret_next != NULL) {
        *ret_next = b->entries.len - c.rest.len;
    }
}

cn_err cn_dir_twice(cn_slice name, cn_why *why)
{
    return cn_why_set(
        why, CN_ERR_EXISTS, "directory already has entry by that name: %.*s",
        (int)CN_MIN(name.len, (size_t)255), (const char *)name.data);
}

bool cn_dir_builder_is_hamt(const cn_dir_builder *b)
{
    const cn_import_options *o = b->emit->options;
    bool many = o->dir_links_max > 0 && b->len > o->dir_links_max;
    bool large = o->estimate != CN_ESTIMATE_DISABLED && b->estimate > o->hamt_threshold_bytes;
    return o->hamt_threshold_bytes > 0 && (many || large);
}

/* All entries as links, in order of name. */
static cn_err sorted_links(const cn_dir_builder *b, cn_dagpb_link *links, cn_why *why)
{
    size_t offset = 0;
    for (size_t i = 0; i < b->len; i++) {
        cn_dir_entry(b, offset, &links[i], &offset);
    }
    cn_err err = cn_dagpb_sort(b->emit->mem, links, b->len);
    for (size_t i = 1; i < b->len && err == CN_OK; i++) {
        if (cn_slice_eq(links[i - 1].name, links[i].name)) {
            err = cn_dir_twice(links[i].name, why);
        }
    }
    return err;
}

static cn_err write_plain(cn_dir_builder *b, cn_import_ref *ret, cn_why *why)
{
    cn_mem *mem = b->emit->mem;
    cn_unixfs_data d = plain_data(b);
    cn_import_ref made = {0};
    cn_buf block = {0};
    cn_buf message = {0};
    cn_slice data = {0};
    cn_buf_init(&block, mem, ENTRIES_MAX_BYTES);
    cn_buf_init(&message, mem, ENTRIES_MAX_BYTES);
    cn_dagpb_link *links = cn_alloc_array(mem, b->len, sizeof *links);
    cn_err err = links == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    CN_TRY(err);
    CN_TRY(sorted_links(b, links, why));
    CN_TRY(cn_unixfs_data_encode(&d, NULL, &message));
    data = cn_buf_slice(&message);
    CN_TRY(cn_dagpb_encode(links, b->len, &data, &block));
    CN_TRY(cn_emit_node(b->emit, cn_buf_slice(&block), &made.cid, why));
    made.tsize_bytes = block.len;
    for (size_t i = 0; i < b->len; i++) {
        made.tsize_bytes += links[i].tsize_bytes;
    }
    *ret = made;
out:
    cn_free(mem, links);
    cn_buf_release(&block);
    cn_buf_release(&message);
    return err;
}

cn_err cn_dir_builder_finish(cn_dir_builder *b, cn_import_ref *ret, cn_why *why)
{
    const cn_import_options *o = b->emit->options;
    if (cn_dir_builder_is_hamt(b)) {
        return cn_hamt_build(b, ret, why);
    }
    if (o->dir_links_max > 0 && b->len > o->dir_links_max) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "BasicDirectory: cannot add child: maxLinks reached");
    }
    return write_plain(b, ret, why);
}
