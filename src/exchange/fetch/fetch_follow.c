/*
 * Following links, deep first: those of a node that came go onto a pile, the first on top. Nodes
 * that are here already are read by a worker, some at a time, and their links go onto the pile too.
 * A node is followed once, whatever links to it.
 */
#include "exchange/fetch/fetch_internal.h"

#include "ipld/links.h"

bool cn_fetch_has_links(const cn_cid *cid)
{
    return cid->codec == CN_CODEC_DAG_PB || cid->codec == CN_CODEC_DAG_CBOR ||
           cid->codec == CN_CODEC_DAG_JSON || cid->codec == CN_CODEC_DAG_JOSE;
}

bool cn_fetch_is_seen(cn_fetch *f, const cn_cid *cid)
{
    void *value = NULL;
    bool is_new = false;
    /* without memory, or when there are too many: as if seen, so that work stays bounded */
    return cn_map_put(&f->seen, cn_cid_bytes(cid), &value, &is_new) != CN_OK || !is_new;
}

/* Links in the order of the block, onto `pile`: the last on top. `store` (nullable): without leaves
 * that are there. */
static void collect(cn_blocks *store, const cn_cid *cid, cn_slice block, cn_pile *pile)
{
    cn_links links = {0};
    cn_link link;
    bool have = true;
    size_t size = 0;
    if (cn_links_open(cid->codec, block, &links, NULL) != CN_OK) {
        return; /* whoever walks there will say what is wrong */
    }
    while (cn_links_next(&links, &link, &have) == CN_OK && have) {
        bool counts = !cn_cid_is_identity(&link.cid, NULL) &&
                      (store == NULL || cn_fetch_has_links(&link.cid) ||
                       cn_blocks_size(store, &link.cid, &size) != CN_OK);
        if (counts) {
            (void)!cn_pile_push(pile, &link.cid);
        }
    }
}

void cn_fetch_links_missing(cn_blocks *store, const cn_cid *cid, cn_slice block, cn_pile *pile)
{
    collect(store, cid, block, pile);
}

void cn_fetch_links_all(cn_mem *mem, const cn_cid *cid, cn_slice block, cn_pile *pile)
{
    cn_pile in_order = {0};
    cn_pile_init(&in_order, mem, CN_FETCH_PILE_BYTES);
    collect(NULL, cid, block, &in_order);
    cn_pile_turn_over(pile, &in_order);
    cn_pile_release(&in_order);
}

void cn_fetch_follow(cn_fetch *f, const cn_cid *cid, cn_slice block)
{
    if (block.len > 0) {
        cn_fetch_links_all(f->options.mem, cid, block, &f->pile);
    } else {
        (void)!cn_pile_push(&f->to_look, cid);
    }
}

/* --- nodes that are here --- */

static void run_look(cn_work *work)
{
    cn_fetch_look *l = (cn_fetch_look *)work;
    cn_fetch *f = l->fetch;
    cn_buf bufs[CN_FETCH_LOOK];
    cn_err errs[CN_FETCH_LOOK];
    for (size_t i = 0; i < l->len; i++) {
        cn_buf_init(&bufs[i], f->options.mem, CN_BLOCK_MAX_BYTES);
    }
    cn_blocks_get_many(f->store, l->cids, l->len, bufs, errs);
    for (size_t i = l->len; i-- > 0;) { /* the first node's links are on top in the end */
        if (errs[i] == CN_OK) {
            cn_fetch_links_all(f->options.mem, &l->cids[i], cn_buf_slice(&bufs[i]), &l->links);
        }
        cn_buf_release(&bufs[i]);
    }
    cn_lock_take(f->hub->lock);
    l->is_done = true;
    cn_fetch_dirty(f);
    cn_lock_give(f->hub->lock);
    cn_net_wake(f->net);
}

void cn_fetch_look_turn(cn_fetch *f)
{
    cn_fetch_look *l = &f->look;
    cn_lock_take(f->hub->lock);
    bool is_done = l->is_done;
    l->is_done = false;
    cn_lock_give(f->hub->lock);
    if (is_done) {
        cn_pile in_order = {0};
        cn_rt_work_wait(f->rt, &l->work);
        l->is_running = false;
        cn_pile_init(&in_order, f->options.mem, CN_FETCH_PILE_BYTES);
        cn_pile_turn_over(&in_order, &l->links);
        cn_pile_turn_over(&f->pile, &in_order);
        cn_pile_release(&in_order);
        cn_lock_take(f->hub->lock);
        cn_fetch_dirty(f);
        cn_lock_give(f->hub->lock);
    }
    if (l->is_running || cn_pile_is_empty(&f->to_look)) {
        return;
    }
    l->len = 0;
    while (l->len < CN_FETCH_LOOK && cn_pile_pop(&f->to_look, &l->cids[l->len])) {
        l->len++;
    }
    l->work.run = run_look;
    l->is_running = true;
    cn_rt_work_submit(f->rt, &l->work);
}
