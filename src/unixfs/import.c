/*
 * Import options: defaults, the rules between them, and the CID of a block.
 */
#include "unixfs/import.h"

enum { FILE_LINKS_DEFAULT = 174, FANOUT_DEFAULT = 256, INLINE_DEFAULT = 32, DIGEST_MIN_BYTES = 20 };

void cn_import_options_init(cn_import_options *o)
{
    *o = (cn_import_options){
        .cid_version = -1,
        .hash = CN_MH_SHA2_256,
        .file_links_max = FILE_LINKS_DEFAULT,
        .hamt_fanout = FANOUT_DEFAULT,
        .hamt_threshold_bytes = 262144,
        .inline_limit_bytes = INLINE_DEFAULT,
        .chunker =
            {.kind = CN_CHUNK_SIZE,
             .min_bytes = CN_CHUNK_DEFAULT_BYTES,
             .max_bytes = CN_CHUNK_DEFAULT_BYTES},
    };
}

static cn_err settle_version(cn_import_options *o, cn_why *why)
{
    if (o->hash != CN_MH_SHA2_256) {
        if (o->cid_version == 0) {
            return cn_why_set(why, CN_ERR_USAGE, "CIDv0 only supports sha2-256");
        }
        o->cid_version = o->cid_version < 0 ? 1 : o->cid_version;
    }
    o->cid_version = o->cid_version < 0 ? 0 : o->cid_version;
    if (o->cid_version > 1) {
        return cn_why_set(why, CN_ERR_USAGE, "unknown CID version: %d", o->cid_version);
    }
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    cn_err err = cn_multihash_sum(o->hash, 0, cn_str(""), digest, &len);
    if (err != CN_OK) {
        return cn_why_set(
            why, err, "hash function 0x%llx cannot be computed", (unsigned long long)o->hash);
    }
    if (o->hash != CN_MH_IDENTITY && len < DIGEST_MIN_BYTES) {
        return cn_why_set(
            why, CN_ERR_USAGE,
            "potentially insecure hash functions not allowed: a digest of %zu bytes, "
            "take one of %d or more",
            len, DIGEST_MIN_BYTES);
    }
    return CN_OK;
}

static cn_err settle_leaves(cn_import_options *o, cn_why *why)
{
    bool meta = o->preserve_mode || o->preserve_mtime || o->has_mode || o->has_mtime;
    if (meta && o->raw_leaves == CN_CHOICE_YES) {
        return cn_why_set(
            why, CN_ERR_USAGE,
            "raw-leaves can't be used with UnixFS metadata like mode or modification time");
    }
    if (o->raw_leaves == CN_CHOICE_UNSET) {
        o->raw_leaves = o->cid_version > 0 && !meta ? CN_CHOICE_YES : CN_CHOICE_NO;
    }
    return CN_OK;
}

cn_err cn_import_options_settle(cn_import_options *o, cn_why *why)
{
    cn_err err = settle_version(o, why);
    if (err != CN_OK) {
        return err;
    }
    if (o->inline_blocks && o->inline_limit_bytes > CN_IMPORT_INLINE_MAX_BYTES) {
        return cn_why_set(
            why, CN_ERR_USAGE, "inline-limit %zu exceeds maximum allowed size of %d bytes",
            o->inline_limit_bytes, CN_IMPORT_INLINE_MAX_BYTES);
    }
    if (o->hamt_fanout < CN_IMPORT_FANOUT_MIN || o->hamt_fanout > CN_IMPORT_FANOUT_MAX ||
        (o->hamt_fanout & (o->hamt_fanout - 1)) != 0) {
        return cn_why_set(
            why, CN_ERR_USAGE, "HAMT fanout must be a positive power of 2 and multiple of 8: %u",
            o->hamt_fanout);
    }
    return settle_leaves(o, why);
}

cn_err cn_import_cid(const cn_import_options *o, uint64_t codec, cn_slice block, cn_cid *ret)
{
    if (o->inline_blocks && block.len <= o->inline_limit_bytes) {
        cn_multihash inlined = {CN_MH_IDENTITY, block};
        return cn_cid_make(1, codec, &inlined, ret);
    }
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    cn_err err = cn_multihash_sum(o->hash, 0, block, digest, &len);
    if (err != CN_OK) {
        return err;
    }
    cn_multihash mh = {o->hash, {digest, len}};
    unsigned version = codec == CN_CODEC_DAG_PB ? (unsigned)o->cid_version : 1;
    return cn_cid_make(version, codec, &mh, ret);
}

void cn_import_meta_set(const cn_import_meta *meta, cn_unixfs_data *d)
{
    d->has_mode = meta->has_mode && meta->mode != 0;
    d->mode = meta->mode & 07777;
    d->has_mtime = meta->has_mtime;
    d->mtime_s = meta->mtime_s;
    d->mtime_ns = meta->mtime_ns;
}
