/*
 * Links by codec: each codec's own iterator behind one face.
 */
#include "ipld/links.h"

#include "ipld/dagcbor.h"
#include "ipld/dagjson.h"

cn_err cn_links_open(uint64_t codec, cn_slice block, cn_links *ret, cn_why *why)
{
    cn_dagpb node = {0};
    cn_err err = CN_OK;
    cn_links l = {.codec = codec, .rest = block};
    switch (codec) {
    case CN_CODEC_DAG_PB:
        err = cn_dagpb_decode(block, &node, why);
        l.pb = cn_dagpb_links(&node);
        break;
    case CN_CODEC_DAG_CBOR:
    case CN_CODEC_DAG_JOSE:
        err = cn_dagcbor_check(block, why);
        break;
    case CN_CODEC_DAG_JSON:
        err = cn_dagjson_check(block, why);
        break;
    case CN_CODEC_RAW:
    case CN_CODEC_CBOR:
    case CN_CODEC_JSON:
    case CN_CODEC_LIBP2P_KEY:
        l.rest = (cn_slice){0};
        break;
    default:
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "no decoder registered for multicodec code %llu (0x%llx)",
            (unsigned long long)codec, (unsigned long long)codec);
    }
    if (err == CN_OK) {
        *ret = l;
    }
    return err;
}

cn_err cn_links_next(cn_links *l, cn_link *ret, bool *ret_have)
{
    cn_cur c = cn_cur_of(l->rest);
    cn_link link = {0};
    cn_dagpb_link pb = {0};
    cn_err err = CN_OK;
    bool have = false;
    if (l->codec == CN_CODEC_DAG_PB) {
        have = cn_dagpb_next(&l->pb, &pb);
        if (have) {
            *ret = (cn_link){
                .cid = cn_dagpb_link_cid(&pb), .name = pb.name, .tsize_bytes = pb.tsize_bytes};
        }
        *ret_have = have;
        return CN_OK;
    }
    if (l->codec == CN_CODEC_DAG_JSON) {
        err = cn_dagjson_next_link(&l->rest, &link.cid, &have);
    } else {
        err = cn_dagcbor_next_link(&c, &link.cid, &have);
        l->rest = c.rest;
    }
    if (err == CN_OK) {
        *ret_have = have;
        if (have) {
            *ret = link;
        }
    }
    return err;
}
