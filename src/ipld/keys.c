/*
 * Keys noted in any order, sorted by map and key, so that those that are the same lie side by side.
 */
#include "ipld/keys.h"

#include <stdlib.h>

void cn_keys_init(cn_keys *k, cn_mem *mem, cn_slice block, cn_keys_order order)
{
    *k = (cn_keys){.mem = mem, .block = block, .order = order};
}

void cn_keys_release(cn_keys *k)
{
    cn_free(k->mem, k->list);
    *k = (cn_keys){0};
}

cn_err cn_keys_add(cn_keys *k, uint32_t map, cn_slice key)
{
    size_t at = key.len == 0 ? 0 : (size_t)(key.data - k->block.data);
    if (at > UINT32_MAX || key.len > UINT32_MAX) {
        return CN_ERR_TOO_LARGE;
    }
    cn_err err = cn_array_grow(
        k->mem, (void **)&k->list, &k->cap, k->len, k->block.len + 1, sizeof *k->list);
    if (err == CN_OK) {
        k->list[k->len++] = (cn_key_at){map, (uint32_t)at, (uint32_t)key.len};
    }
    return err;
}

static cn_slice text_of(const cn_keys *k, const cn_key_at *key)
{
    return cn_slice_head(cn_slice_skip(k->block, key->at), key->len);
}

static int compare(const void *a, const void *b, void *ctx)
{
    const cn_key_at *x = a;
    const cn_key_at *y = b;
    const cn_keys *k = ctx;
    if (x->map != y->map) {
        return x->map < y->map ? -1 : 1;
    }
    return k->order(text_of(k, x), text_of(k, y));
}

bool cn_keys_repeated(cn_keys *k, cn_slice *ret_key)
{
    if (k->len < 2) {
        return false;
    }
    qsort_r(k->list, k->len, sizeof *k->list, compare, k);
    for (size_t i = 1; i < k->len; i++) {
        if (compare(&k->list[i - 1], &k->list[i], k) == 0) {
            *ret_key = text_of(k, &k->list[i]);
            return true;
        }
    }
    return false;
}
