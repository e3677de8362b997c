/*
 * Order of held events. The events of one sub-folder, inner ones first and its own last, are a
 * group that lies together; groups are moved whole.
 */
#include "unixfs/add_internal.h"

#include "crypto/murmur3.h"

#include <stdlib.h>

typedef struct group {
    uint64_t hash;
    size_t start;
    size_t len;
} group;

#define GROUPS_MAX ((size_t)1 << 32)

static int by_hash(const void *a, const void *b)
{
    const group *x = a;
    const group *y = b;
    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return x->start < y->start ? -1 : 1;
}

/* The part of an event's path below the folder; it is a sub-folder's own if it has no slash. */
static cn_slice below(const cn_add_collector *c, cn_slice path)
{
    return cn_slice_skip(path, c->path.len > 0 ? c->path.len + 1 : 0);
}

static bool has_slash(cn_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '/') {
            return true;
        }
    }
    return false;
}

/* Find the groups in `held`. */
static cn_err find_groups(const cn_add_collector *c, cn_slice held, group **ret, size_t *ret_len)
{
    cn_cur cur = cn_cur_of(held);
    void *groups = NULL;
    size_t cap = 0;
    size_t len = 0;
    size_t start = 0;
    cn_err err = CN_OK;
    while (!cn_cur_done(&cur) && err == CN_OK) {
        cn_slice bytes = {0};
        cn_slice path = {0};
        cn_add_held d;
        CN_ASSERT(cn_cur_take(&cur, sizeof d, &bytes) == CN_OK);
        cn_copy(&d, bytes.data, sizeof d);
        CN_ASSERT(cn_cur_take(&cur, d.path_len, &path) == CN_OK);
        cn_slice name = below(c, path);
        if (has_slash(name)) {
            continue;
        }
        err = cn_array_grow(c->request->mem, &groups, &cap, len, GROUPS_MAX, sizeof(group));
        if (err == CN_OK) {
            size_t end = held.len - cur.rest.len;
            ((group *)groups)[len++] = (group){cn_murmur3_x64_64(name), start, end - start};
            start = end;
        }
    }
    *ret = groups;
    *ret_len = len;
    return err;
}

cn_err cn_add_held_sort(cn_add_collector *c, size_t start)
{
    cn_slice held = cn_slice_skip(cn_buf_slice(&c->done_dirs), start);
    group *groups = NULL;
    size_t len = 0;
    cn_buf sorted;
    cn_err err = CN_OK;
    cn_buf_init(&sorted, c->request->mem, held.len + 1);
    CN_TRY(find_groups(c, held, &groups, &len));
    if (len < 2) {
        goto out;
    }
    qsort(groups, len, sizeof *groups, by_hash);
    for (size_t i = 0; i < len; i++) {
        cn_slice group_bytes = cn_slice_skip(held, groups[i].start);
        CN_TRY(cn_buf_append(&sorted, cn_slice_head(group_bytes, groups[i].len)));
    }
    cn_copy(c->done_dirs.data + start, sorted.data, sorted.len);
out:
    cn_buf_release(&sorted);
    cn_free(c->request->mem, groups);
    return err;
}
