/*
 * Batches: leaves in one buffer, ready to be hashed together. A dag-pb leaf is written around its
 * bytes where they were read to, so that they are never copied.
 */
#include "unixfs/add_internal.h"

#include "crypto/sha256.h"
#include "codec/varint.h"

enum {
    TEXT_MAX_BYTES = 16 << 20,
    HASH_GROUP = 48, /* leaves given to cn_sha256_many at once; a multiple of its lanes */
    KEY_TYPE = 0x08,
    KEY_BYTES = 0x12,
    KEY_FILESIZE = 0x18,
    KEY_NODE_DATA = 0x0a,
};

static size_t leaf_room(const cn_import_options *o)
{
    return o->chunker.max_bytes + CN_ADD_HEAD_BYTES + CN_ADD_TAIL_BYTES;
}

cn_err cn_add_batch_init(cn_add_batch *b, cn_mem *mem, const cn_import_options *options)
{
    size_t gaps = CN_ADD_BATCH_BYTES / CN_MIN(options->chunker.max_bytes, (size_t)1 << 16) *
                  (CN_ADD_HEAD_BYTES + CN_ADD_TAIL_BYTES);
    size_t target = CN_ADD_BATCH_BYTES + CN_MIN(gaps, (size_t)64 << 10);
    *b = (cn_add_batch){.options = options};
    b->data_cap = CN_MAX(target, CN_SHA256_LANES * leaf_room(options));
    cn_buf_init(&b->text, mem, TEXT_MAX_BYTES);
    b->data = cn_alloc_dirty(mem, b->data_cap);
    b->leaves = cn_alloc_dirty(mem, CN_ADD_LEAVES_MAX * sizeof *b->leaves);
    b->steps = cn_alloc_dirty(mem, CN_ADD_STEPS_MAX * sizeof *b->steps);
    return b->data == NULL || b->leaves == NULL || b->steps == NULL ? CN_ERR_NO_MEMORY : CN_OK;
}

void cn_add_batch_release(cn_add_batch *b, cn_mem *mem)
{
    cn_buf_release(&b->text);
    cn_free(mem, b->data);
    cn_free(mem, b->leaves);
    cn_free(mem, b->steps);
    *b = (cn_add_batch){0};
}

void cn_add_batch_reset(cn_add_batch *b)
{
    b->submitted = false;
    b->hash_err = CN_OK;
    b->data_len = 0;
    b->leaves_len = 0;
    b->steps_len = 0;
    cn_buf_reset(&b->text);
}

static size_t put_number(uint8_t *to, uint8_t key, uint64_t value)
{
    to[0] = key;
    return 1 + cn_varint_encode(value, to + 1);
}

/* Write type, filesize and meta around `len` bytes; the node's own key and length before them. */
static cn_slice wrap_leaf(cn_add_batch *b, uint8_t *bytes, size_t len, const cn_import_meta *meta)
{
    cn_unixfs_data d = {.type = CN_UNIXFS_FILE, .has_filesize = true, .filesize = len};
    if (b->options->layout == CN_LAYOUT_TRICKLE) {
        d.type = CN_UNIXFS_RAW;
    }
    if (meta != NULL) {
        cn_import_meta_set(meta, &d);
    }
    /* What stands behind the bytes is the message without type and data; it fits, so nothing grows.
     */
    uint8_t tail[CN_ADD_TAIL_BYTES];
    cn_buf after = {.data = tail, .cap = sizeof tail, .max = sizeof tail, .mem = cn_mem_default()};
    CN_ASSERT(cn_unixfs_data_encode(&d, NULL, &after) == CN_OK);
    cn_slice behind = cn_slice_skip(cn_buf_slice(&after), 2);
    cn_copy(bytes + len, behind.data, behind.len);

    uint8_t head[CN_ADD_HEAD_BYTES];
    uint8_t inner[8];
    size_t inner_len = put_number(inner, KEY_TYPE, d.type);
    if (len > 0) {
        inner_len += put_number(inner + inner_len, KEY_BYTES, len);
    }
    size_t head_len = put_number(head, KEY_NODE_DATA, inner_len + len + behind.len);
    cn_copy(head + head_len, inner, inner_len);
    head_len += inner_len;
    cn_copy(bytes - head_len, head, head_len);
    return (cn_slice){bytes - head_len, head_len + len + behind.len};
}

void cn_add_batch_leaf(cn_add_batch *b, size_t len, const cn_import_meta *meta)
{
    uint8_t *bytes = b->data + b->data_len + CN_ADD_HEAD_BYTES;
    bool raw = b->options->raw_leaves == CN_CHOICE_YES;
    cn_add_leaf *leaf = &b->leaves[b->leaves_len];
    leaf->block = raw ? (cn_slice){bytes, len} : wrap_leaf(b, bytes, len, meta);
    leaf->file_bytes = len;
    b->steps[b->steps_len++] = (cn_add_step){.kind = CN_ADD_LEAF, .leaf = (uint32_t)b->leaves_len};
    b->leaves_len++;
    b->data_len += CN_ADD_HEAD_BYTES + len + CN_ADD_TAIL_BYTES;
}

static bool inlined(const cn_import_options *o, cn_slice block)
{
    return o->inline_blocks && block.len <= o->inline_limit_bytes;
}

/* sha2-256 of up to HASH_GROUP leaves at once. */
static cn_err
hash_group(const cn_import_options *o, cn_add_leaf *leaves, size_t len, uint64_t codec)
{
    cn_slice in[HASH_GROUP] = {0};
    uint8_t digests[HASH_GROUP][CN_SHA256_BYTES];
    for (size_t i = 0; i < len; i++) {
        in[i] = leaves[i].block;
    }
    cn_sha256_many(in, digests, len);
    unsigned version = codec == CN_CODEC_DAG_PB ? (unsigned)o->cid_version : 1;
    cn_err err = CN_OK;
    for (size_t i = 0; i < len && err == CN_OK; i++) {
        cn_multihash mh = {CN_MH_SHA2_256, {digests[i], CN_SHA256_BYTES}};
        err = inlined(o, in[i]) ? cn_import_cid(o, codec, in[i], &leaves[i].cid)
                                : cn_cid_make(version, codec, &mh, &leaves[i].cid);
    }
    return err;
}

void cn_add_batch_hash(cn_add_batch *b)
{
    const cn_import_options *o = b->options;
    uint64_t codec = o->raw_leaves == CN_CHOICE_YES ? CN_CODEC_RAW : CN_CODEC_DAG_PB;
    cn_err err = CN_OK;
    for (size_t i = 0; i < b->leaves_len && err == CN_OK;) {
        if (o->hash == CN_MH_SHA2_256) {
            size_t len = CN_MIN(b->leaves_len - i, (size_t)HASH_GROUP);
            err = hash_group(o, b->leaves + i, len, codec);
            i += len;
        } else {
            err = cn_import_cid(o, codec, b->leaves[i].block, &b->leaves[i].cid);
            i++;
        }
    }
    b->hash_err = err;
}
