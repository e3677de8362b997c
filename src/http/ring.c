/*
 * Bytes lie in [start, start + len) modulo cap.
 */
#include "http/ring.h"

void cn_ring_init(cn_ring *r, cn_mem *mem)
{
    *r = (cn_ring){.mem = mem};
}

void cn_ring_release(cn_ring *r)
{
    if (r->mem != NULL) {
        cn_free(r->mem, r->data);
    }
    *r = (cn_ring){.mem = r->mem};
}

cn_err cn_ring_grow(cn_ring *r, size_t cap)
{
    if (cap <= r->cap) {
        return CN_OK;
    }
    uint8_t *data = cn_alloc_dirty(r->mem, cap);
    if (data == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    size_t len = cn_ring_take(r, data, r->len);
    cn_free(r->mem, r->data);
    r->data = data;
    r->cap = cap;
    r->start = 0;
    r->len = len;
    return CN_OK;
}

size_t cn_ring_put(cn_ring *r, cn_slice s)
{
    size_t done = 0;
    while (done < s.len && r->len < r->cap) {
        size_t end = (r->start + r->len) % r->cap;
        size_t run = end < r->start ? r->start - end : r->cap - end;
        run = CN_MIN(run, s.len - done);
        cn_copy(r->data + end, s.data + done, run);
        r->len += run;
        done += run;
    }
    return done;
}

size_t cn_ring_take(cn_ring *r, uint8_t *data, size_t len)
{
    size_t done = 0;
    while (done < len && r->len > 0) {
        size_t run = CN_MIN(CN_MIN(r->len, r->cap - r->start), len - done);
        cn_copy(data + done, r->data + r->start, run);
        r->start = (r->start + run) % r->cap;
        r->len -= run;
        done += run;
    }
    return done;
}
