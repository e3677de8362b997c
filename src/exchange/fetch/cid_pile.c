/*
 * The pile of CIDs.
 */
#include "exchange/fetch/cid_pile.h"

cn_err cn_pile_push(cn_pile *p, const cn_cid *cid)
{
    cn_err err = cn_buf_reserve(&p->bytes, (size_t)cid->len + 1);
    if (err == CN_OK) {
        err = cn_buf_append(&p->bytes, cn_cid_bytes(cid));
    }
    return err == CN_OK ? cn_buf_byte(&p->bytes, cid->len) : err;
}

bool cn_pile_pop(cn_pile *p, cn_cid *ret)
{
    if (p->bytes.len == 0) {
        return false;
    }
    size_t len = p->bytes.data[p->bytes.len - 1];
    CN_ASSERT(len < p->bytes.len);
    p->bytes.len -= len + 1;
    CN_ASSERT(cn_cid_decode_all(cn_slice_of(p->bytes.data + p->bytes.len, len), ret) == CN_OK);
    return true;
}

void cn_pile_turn_over(cn_pile *p, cn_pile *from)
{
    cn_cid cid;
    while (cn_pile_pop(from, &cid)) {
        (void)!cn_pile_push(p, &cid);
    }
}

void cn_pile_take(cn_pile *p, cn_pile *from)
{
    cn_buf empty = p->bytes;
    cn_buf_reset(&empty);
    p->bytes = from->bytes;
    from->bytes = empty;
}
