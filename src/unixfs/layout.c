/*
 * Layout. Balanced: nodes[k] takes nodes of height k; when one more comes than fits, it is closed
 * and goes to nodes[k + 1]. Closing waits for the one more, so the root is known when it is closed.
 * Trickle: nodes[] is the path from the root to the open node; a node first takes leaves, then four
 * subtrees of each depth from 1 on.
 */
#include "unixfs/layout.h"

#include "ipld/dagpb.h"

enum { TRICKLE_REPEAT = 4 };

#define LINKS_MAX_BYTES ((size_t)1 << 32)

void cn_layout_init(cn_layout *l, cn_emit *emit)
{
    *l = (cn_layout){.emit = emit};
}

void cn_layout_release(cn_layout *l)
{
    for (size_t i = 0; l->nodes != NULL && i < CN_LAYOUT_LEVELS_MAX; i++) {
        cn_buf_release(&l->nodes[i].links);
        cn_buf_release(&l->nodes[i].sizes);
    }
    if (l->nodes != NULL) {
        cn_free(l->emit->mem, l->nodes);
    }
    *l = (cn_layout){0};
}

static cn_err make_nodes(cn_layout *l)
{
    cn_mem *mem = l->emit->mem;
    if (l->nodes != NULL) {
        return CN_OK;
    }
    l->nodes = cn_alloc_array(mem, CN_LAYOUT_LEVELS_MAX, sizeof *l->nodes);
    if (l->nodes == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < CN_LAYOUT_LEVELS_MAX; i++) {
        cn_buf_init(&l->nodes[i].links, mem, LINKS_MAX_BYTES);
        cn_buf_init(&l->nodes[i].sizes, mem, LINKS_MAX_BYTES);
    }
    return CN_OK;
}

static cn_err take_child(cn_layout_node *n, const cn_import_ref *child)
{
    cn_dagpb_link link = {
        .cid = cn_cid_bytes(&child->cid),
        .has_name = true, /* empty, but there */
        .tsize_bytes = child->tsize_bytes,
        .has_tsize = true,
    };
    cn_err err = cn_dagpb_link_append(&link, &n->links);
    if (err == CN_OK) {
        err = cn_buf_append(&n->sizes, cn_slice_of(&child->file_bytes, sizeof child->file_bytes));
    }
    if (err == CN_OK) {
        n->len++;
        n->file_bytes += child->file_bytes;
        n->tsize_bytes += child->tsize_bytes;
    }
    return err;
}

/* Write the node, name it, and empty it. */
static cn_err close_node(
    cn_layout *l, cn_layout_node *n, const cn_import_meta *meta, cn_import_ref *ret, cn_why *why)
{
    cn_unixfs_data d = {
        .type = CN_UNIXFS_FILE,
        .has_filesize = true,
        .filesize = n->file_bytes,
        .blocksizes_len = n->len,
    };
    if (meta != NULL) {
        cn_import_meta_set(meta, &d);
    }
    cn_buf message;
    cn_import_ref made = {.file_bytes = n->file_bytes};
    const void *sizes = n->sizes.data;
    cn_buf_init(&message, l->emit->mem, LINKS_MAX_BYTES);
    cn_err err = cn_unixfs_data_encode(&d, sizes, &message);
    if (err == CN_OK) {
        err = cn_dagpb_data_append(cn_buf_slice(&message), &n->links);
    }
    if (err == CN_OK) {
        err = cn_emit_node(l->emit, cn_buf_slice(&n->links), &made.cid, why);
    }
    cn_buf_release(&message);
    if (err == CN_OK) {
        made.tsize_bytes = n->tsize_bytes + n->links.len;
        *ret = made;
        cn_buf_reset(&n->links);
        cn_buf_reset(&n->sizes);
        n->len = 0;
        n->file_bytes = 0;
        n->tsize_bytes = 0;
    }
    return err;
}

/* Put `child` on `level`, closing full nodes upwards to make room. */
static cn_err add_balanced(cn_layout *l, size_t level, cn_import_ref child, cn_why *why)
{
    for (;; level++) {
        if (level == CN_LAYOUT_LEVELS_MAX) {
            return CN_ERR_TOO_DEEP;
        }
        cn_layout_node *n = &l->nodes[level];
        bool full = n->len == l->emit->options->file_links_max;
        cn_import_ref closed = {0};
        if (full) {
            cn_err err = close_node(l, n, NULL, &closed, why);
            if (err != CN_OK) {
                return err;
            }
        }
        cn_err err = take_child(n, &child);
        if (err != CN_OK || !full) {
            l->nodes_len = CN_MAX(l->nodes_len, level + 1);
            return err;
        }
        child = closed;
    }
}

static cn_err
finish_balanced(cn_layout *l, const cn_import_meta *meta, cn_import_ref *ret, cn_why *why)
{
    if (l->leaves == 1) {
        *ret = l->only;
        l->nodes_len = 0;
        return CN_OK;
    }
    for (size_t level = 0;; level++) {
        if (l->nodes[level].len == 0) {
            continue; /* nothing open here, but above */
        }
        cn_import_ref closed;
        bool top = level + 1 == l->nodes_len;
        cn_err err = close_node(l, &l->nodes[level], top ? meta : NULL, &closed, why);
        if (err == CN_OK && !top) {
            err = add_balanced(l, level + 1, closed, why);
        }
        if (err != CN_OK) {
            return err;
        }
        if (top) {
            l->nodes_len = 0;
            *ret = closed;
            return CN_OK;
        }
    }
}

static cn_err push_trickle(cn_layout *l, unsigned depth_max)
{
    if (l->nodes_len == CN_LAYOUT_LEVELS_MAX) {
        return CN_ERR_TOO_DEEP;
    }
    cn_layout_node *n = &l->nodes[l->nodes_len++];
    n->depth_max = depth_max;
    n->depth = 1;
    n->repeat = 0;
    return CN_OK;
}

/* Close the open node into the one above it. */
static cn_err pop_trickle(cn_layout *l, cn_why *why)
{
    cn_import_ref closed;
    cn_err err = close_node(l, &l->nodes[l->nodes_len - 1], NULL, &closed, why);
    if (err == CN_OK) {
        l->nodes_len--;
        err = take_child(&l->nodes[l->nodes_len - 1], &closed);
    }
    return err;
}

static cn_err add_trickle(cn_layout *l, const cn_import_ref *leaf, cn_why *why)
{
    cn_err err = l->nodes_len == 0 ? push_trickle(l, 0) : CN_OK;
    while (err == CN_OK) {
        cn_layout_node *n = &l->nodes[l->nodes_len - 1];
        if (n->len < l->emit->options->file_links_max) {
            return take_child(n, leaf);
        }
        if (n->depth_max != 0 && n->depth >= n->depth_max) {
            err = pop_trickle(l, why);
            continue;
        }
        unsigned depth = n->depth;
        n->repeat++;
        if (n->repeat == TRICKLE_REPEAT) {
            n->repeat = 0;
            n->depth++;
        }
        err = push_trickle(l, depth);
    }
    return err;
}

static cn_err
finish_trickle(cn_layout *l, const cn_import_meta *meta, cn_import_ref *ret, cn_why *why)
{
    cn_err err = l->nodes_len == 0 ? push_trickle(l, 0) : CN_OK;
    while (err == CN_OK && l->nodes_len > 1) {
        err = pop_trickle(l, why);
    }
    if (err == CN_OK) {
        err = close_node(l, &l->nodes[0], meta, ret, why);
        l->nodes_len = 0;
    }
    return err;
}

cn_err cn_layout_add(cn_layout *l, const cn_import_ref *leaf, cn_why *why)
{
    bool trickle = l->emit->options->layout == CN_LAYOUT_TRICKLE;
    if (!trickle && l->leaves == 0) { /* most files end here: no node is made */
        l->only = *leaf;
        l->leaves = 1;
        return CN_OK;
    }
    if (l->emit->options->file_links_max < (trickle ? 1 : 2)) {
        return cn_why_set(
            why, CN_ERR_USAGE,
            "max-file-links of %zu cannot hold a file of several chunks: take 2 or more",
            l->emit->options->file_links_max);
    }
    cn_err err = make_nodes(l);
    if (err == CN_OK && !trickle && l->leaves == 1) {
        err = add_balanced(l, 0, l->only, why);
    }
    if (err == CN_OK) {
        err = trickle ? add_trickle(l, leaf, why) : add_balanced(l, 0, *leaf, why);
    }
    l->leaves++;
    return err;
}

cn_err cn_layout_finish(cn_layout *l, const cn_import_meta *meta, cn_import_ref *ret, cn_why *why)
{
    bool trickle = l->emit->options->layout == CN_LAYOUT_TRICKLE;
    CN_ASSERT(trickle || l->leaves > 0);
    cn_err err = trickle ? make_nodes(l) : CN_OK;
    if (err == CN_OK) {
        err = trickle ? finish_trickle(l, meta, ret, why) : finish_balanced(l, meta, ret, why);
    }
    l->leaves = 0;
    return err;
}
