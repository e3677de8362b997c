/*
 * The path resolver. `at` is the block reached and `rest` what is still to walk; a block is wanted
 * only while `rest` is not empty. In shards `rest` begins with the segment looked up until its
 * entry is found.
 */
#include "unixfs/resolve.h"

#include "base/num.h"
#include "codec/quote.h"
#include "ipld/dagcbor.h"
#include "ipld/dagjson.h"
#include "unixfs/shard.h"

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why);
static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why);
static const cn_pull_ops resolve_ops = {.next = next, .give = give};

void cn_resolve_init(cn_resolve *r, cn_mem *mem, const cn_ipfs_path *path)
{
    *r = (cn_resolve){
        .pull = {.ops = &resolve_ops},
        .mem = mem,
        .ns = path->ns,
        .at = path->root,
        .rest = path->rest};
}

void cn_resolve_release(cn_resolve *r)
{
    if (r->mem != NULL) {
        cn_free(r->mem, r->roots);
    }
    *r = (cn_resolve){0};
}

/* Note the CID that a segment of the path stands for. */
static cn_err add_root(cn_resolve *r, const cn_cid *cid)
{
    cn_err err = cn_array_grow(
        r->mem, (void **)&r->roots, &r->roots_cap, r->roots_len, CN_RESOLVE_SEGMENTS_MAX,
        sizeof *r->roots);
    if (err == CN_OK) {
        r->roots[r->roots_len++] = *cid;
    }
    return err;
}

static cn_err no_link(const cn_resolve *r, cn_slice segment, cn_why *why)
{
    char quoted[CN_QUOTE_TEXT_BYTES];
    char text[CN_CID_TEXT_BYTES];
    return cn_why_set(
        why, CN_ERR_NO_LINK, "no link named %s under %s", cn_quote_text(segment, quoted),
        cn_cid_text(r->in_shard ? &r->dir : &r->at, text));
}

/* Go to the block `cid`, by the segment that ends where `after` begins. */
static cn_err follow(cn_resolve *r, const cn_cid *cid, cn_slice after)
{
    r->at = *cid;
    r->rest = after;
    r->in_shard = false;
    return add_root(r, cid);
}

/* Look a name up in one shard: its entry, or the shard below that may have it. */
static cn_err in_shard(cn_resolve *r, const cn_dagpb *node, const cn_unixfs_data *data, cn_why *why)
{
    cn_shard shard = {0};
    cn_shard_link found = {0};
    cn_slice after = r->rest;
    cn_slice segment = {0};
    (void)cn_ipfs_path_next(&after, &segment);
    cn_err err = cn_shard_open(node, data, &shard, why);
    if (err != CN_OK) {
        return err;
    }
    if (!r->in_shard) {
        r->in_shard = true;
        r->dir = r->at;
        r->hash = cn_shard_hash(segment);
        r->bits_used = 0;
    }
    err = cn_shard_find(&shard, segment, r->hash, r->bits_used, &found);
    if (err == CN_ERR_NO_LINK) {
        return no_link(r, segment, why);
    }
    if (err != CN_OK) {
        return cn_why_set(why, err, "sharded directory: %s", cn_err_sentence(err));
    }
    cn_cid cid = cn_dagpb_link_cid(&found.link);
    if (!found.is_shard) {
        return follow(r, &cid, after);
    }
    r->bits_used += shard.bits;
    r->at = cid;
    return CN_OK;
}

static cn_err in_directory(cn_resolve *r, const cn_dagpb *node, cn_why *why)
{
    cn_dagpb_link link = {0};
    cn_slice after = r->rest;
    cn_slice segment = {0};
    (void)cn_ipfs_path_next(&after, &segment);
    if (!cn_dagpb_find(node, segment, &link)) {
        return no_link(r, segment, why);
    }
    cn_cid cid = cn_dagpb_link_cid(&link);
    return follow(r, &cid, after);
}

/* A DAG-PB node as data: Data, Links/N/Hash, Links/N/Name, Links/N/Tsize. */
static cn_err in_fields(cn_resolve *r, const cn_dagpb *node, cn_why *why)
{
    cn_slice after = r->rest;
    cn_slice segment = {0};
    cn_dagpb_link link = {0};
    uint64_t index = 0;
    (void)cn_ipfs_path_next(&after, &segment);
    bool is_links = cn_slice_is(segment, "Links");
    if (!is_links && !cn_slice_is(segment, "Data")) {
        return no_link(r, segment, why);
    }
    if (!cn_ipfs_path_next(&after, &segment)) {
        r->is_done = true;
        return CN_OK;
    }
    if (!is_links || cn_num_u64(segment, &index) != CN_OK ||
        !cn_dagpb_link_at(node, (size_t)index, &link)) {
        return no_link(r, segment, why);
    }
    if (!cn_ipfs_path_next(&after, &segment)) {
        r->is_done = true;
        return CN_OK;
    }
    if (cn_slice_is(segment, "Hash")) {
        cn_cid cid = cn_dagpb_link_cid(&link);
        return follow(r, &cid, after);
    }
    if (after.len > 0 || (!cn_slice_is(segment, "Name") && !cn_slice_is(segment, "Tsize"))) {
        return no_link(r, segment, why);
    }
    r->is_done = true;
    return CN_OK;
}

static cn_err in_dagpb(cn_resolve *r, cn_slice block, cn_why *why)
{
    cn_dagpb node = {0};
    cn_unixfs_data data = {0};
    cn_err err = cn_dagpb_decode(block, &node, why);
    if (err != CN_OK) {
        return err;
    }
    if (r->ns == CN_NS_IPLD || cn_unixfs_data_decode(node.data, &data, NULL) != CN_OK) {
        return in_fields(r, &node, why);
    }
    if (data.type == CN_UNIXFS_HAMT) {
        return in_shard(r, &node, &data, why);
    }
    if (data.type == CN_UNIXFS_DIRECTORY) {
        return in_directory(r, &node, why);
    }
    return in_fields(r, &node, why);
}

/* Walk inside a block of dag-cbor or dag-json. */
static cn_err in_tree(cn_resolve *r, cn_slice block, cn_why *why)
{
    bool is_json = r->at.codec == CN_CODEC_DAG_JSON || r->at.codec == CN_CODEC_JSON;
    cn_cid link = {0};
    bool is_link = false;
    cn_slice rest = r->rest;
    cn_err err = is_json ? cn_dagjson_find(block, &rest, &link, &is_link, why)
                         : cn_dagcbor_find(block, &rest, &link, &is_link, why);
    if (err == CN_ERR_NO_LINK) {
        cn_slice segment = {0};
        (void)cn_ipfs_path_next(&rest, &segment);
        return rest.len == 0 ? err : no_link(r, segment, why);
    }
    if (err != CN_OK) {
        return err;
    }
    if (is_link) {
        return follow(r, &link, rest);
    }
    r->is_done = true;
    return CN_OK;
}

static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why)
{
    cn_resolve *r = (cn_resolve *)m;
    cn_slice after = r->rest;
    cn_slice segment = {0};
    switch (r->at.codec) {
    case CN_CODEC_DAG_PB:
        return in_dagpb(r, block, why);
    case CN_CODEC_DAG_CBOR:
    case CN_CODEC_CBOR:
    case CN_CODEC_DAG_JSON:
    case CN_CODEC_JSON:
        return in_tree(r, block, why);
    default:
        (void)cn_ipfs_path_next(&after, &segment);
        return no_link(r, segment, why);
    }
}

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    cn_resolve *r = (cn_resolve *)m;
    if (r->ns == CN_NS_IPNS) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "could not resolve name");
    }
    if (r->roots_len == 0) {
        cn_err err = add_root(r, &r->at);
        if (err != CN_OK) {
            return err;
        }
    }
    if (r->is_done || r->rest.len == 0) {
        r->is_done = true;
        *ret = (cn_pull){.kind = CN_PULL_END};
        return CN_OK;
    }
    *ret = (cn_pull){.kind = CN_PULL_WANT, .wants = &r->at, .wants_len = 1};
    return CN_OK;
}

cn_err cn_resolve_local(
    cn_blocks *blocks,
    cn_mem *mem,
    const cn_ipfs_path *path,
    cn_cid *ret,
    cn_slice *ret_rest,
    cn_why *why)
{
    cn_resolve r;
    cn_drive d;
    cn_pull step = {0};
    cn_resolve_init(&r, mem, path);
    cn_drive_init(&d, mem, blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    cn_err err = cn_drive_next(&d, &r.pull, &step, why);
    if (err == CN_OK) {
        *ret = *cn_resolve_cid(&r);
        *ret_rest = cn_resolve_remainder(&r);
    }
    cn_drive_release(&d);
    cn_resolve_release(&r);
    return err;
}
