/*
 * Pieces are borrowed from the parts; nothing is copied.
 */
#include "p2p/security/parts.h"

size_t
cn_parts_next(cn_parts *p, size_t max_bytes, cn_slice ret[CN_PARTS_RECORD_MAX], size_t *ret_bytes)
{
    size_t used = 0;
    size_t sum = 0;
    while (p->index < p->parts_len && sum < max_bytes && used < CN_PARTS_RECORD_MAX) {
        cn_slice rest = cn_slice_skip(p->parts[p->index], p->skip);
        cn_slice piece = cn_slice_head(rest, max_bytes - sum);
        if (piece.len > 0) {
            ret[used++] = piece;
        }
        sum += piece.len;
        p->skip += piece.len;
        if (piece.len == rest.len) {
            p->skip = 0;
            p->index += 1;
        }
    }
    *ret_bytes = sum;
    return used;
}
