/*
 * One shard. The bucket is found by the link's name, not by counting bits of the bitmap: both say
 * the same in what is well made, and the name is what the entry is called by.
 */
#include "unixfs/shard.h"

#include "crypto/murmur3.h"

enum { HASH_BITS = 64 };

cn_err cn_shard_open(const cn_dagpb *node, const cn_unixfs_data *data, cn_shard *ret, cn_why *why)
{
    if (data->hash_type != CN_UNIXFS_HAMT_HASH) {
        return cn_why_set(why, CN_ERR_UNSUPPORTED, "only murmur3 supported as hash function");
    }
    uint64_t fanout = data->fanout;
    if (fanout > CN_SHARD_FANOUT_MAX) {
        return cn_why_set(
            why, CN_ERR_TOO_LARGE, "hamt size should be at most %d", CN_SHARD_FANOUT_MAX);
    }
    if (fanout < 8 || (fanout & (fanout - 1)) != 0) {
        return cn_why_set(why, CN_ERR_MALFORMED, "hamt size should be a power of two");
    }
    unsigned bits = (unsigned)__builtin_ctzll(fanout);
    *ret = (cn_shard){.node = *node, .bits = bits, .width = (bits + 3) / 4};
    return CN_OK;
}

cn_err cn_shard_next(const cn_shard *s, cn_dagpb_iter *it, cn_shard_link *ret, bool *ret_have)
{
    cn_dagpb_link link = {0};
    if (!cn_dagpb_next(it, &link)) {
        *ret_have = false;
        return CN_OK;
    }
    if (link.name.len < s->width) {
        return CN_ERR_MALFORMED;
    }
    *ret = (cn_shard_link){
        .link = link,
        .name = cn_slice_skip(link.name, s->width),
        .is_shard = link.name.len == s->width};
    *ret_have = true;
    return CN_OK;
}

uint64_t cn_shard_hash(cn_slice name)
{
    return cn_murmur3_x64_64(name);
}

cn_err cn_shard_find(
    const cn_shard *s, cn_slice name, uint64_t hash, unsigned bits_used, cn_shard_link *ret)
{
    static const char hex[] = "0123456789ABCDEF";
    if (bits_used + s->bits > HASH_BITS) {
        return CN_ERR_TOO_DEEP;
    }
    unsigned bucket = (unsigned)(hash << bits_used >> (HASH_BITS - s->bits));
    char digits[4] = {0};
    for (size_t i = s->width; i-- > 0; bucket >>= 4) {
        digits[i] = hex[bucket & 0xf];
    }
    cn_slice prefix = cn_slice_of(digits, s->width);
    cn_dagpb_iter it = cn_dagpb_links(&s->node);
    for (;;) {
        cn_shard_link at = {0};
        bool have = false;
        cn_err err = cn_shard_next(s, &it, &at, &have);
        if (err != CN_OK) {
            return err;
        }
        if (!have) {
            return CN_ERR_NO_LINK;
        }
        if (cn_slice_starts(at.link.name, prefix) && (at.is_shard || cn_slice_eq(at.name, name))) {
            *ret = at;
            return CN_OK;
        }
    }
}
