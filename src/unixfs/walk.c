/*
 * The DAG walker. States: START (the root is to be taken), NEED (a block is wanted), READY (the
 * entry in hand is complete), RUN, OVER. A frame is closed before the block behind its last link is
 * opened; `parent` and `parent_block` then keep what the entry in hand refers to.
 */
#include "unixfs/walk.h"

enum { START, NEED, READY, RUN, OVER };

typedef struct frame {
    cn_held held;
    cn_cid cid;
    cn_links links;
    uint64_t depth; /* of this block */
} frame;

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why);
static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why);
static cn_err fail(cn_pull_machine *m, cn_err err, const cn_why *why);
static const cn_pull_ops walk_ops = {.next = next, .give = give, .fail = fail};

void cn_walk_init(cn_walk *w, cn_mem *mem, const cn_cid *root, const cn_walk_options *options)
{
    *w = (cn_walk){.pull = {.ops = &walk_ops}, .mem = mem};
    if (options != NULL) {
        w->options = *options;
    }
    w->options.ahead = cn_pull_ahead(w->options.ahead);
    size_t seen_max = w->options.seen_max == 0 ? CN_WALK_SEEN_MAX : w->options.seen_max;
    cn_stack_init(&w->stack, mem, sizeof(frame), CN_PULL_DEPTH_MAX);
    cn_map_init(&w->seen, mem, sizeof(uint64_t), seen_max, 0);
    cn_walk_again(w, root);
}

void cn_walk_again(cn_walk *w, const cn_cid *root)
{
    w->wants[0] = *root;
    w->wants_len = 1;
    w->state = START;
    w->entry = (cn_walk_entry){.cid = &w->wants[0]};
}

void cn_walk_release(cn_walk *w)
{
    cn_stack_release(&w->stack);
    if (w->mem != NULL) {
        cn_map_release(&w->seen);
        cn_held_release(w->mem, &w->parent_block);
    }
    *w = (cn_walk){0};
}

/*
 * Is this CID at this depth to be yielded, and is it to be gone below? With `unique` one that was
 * met at the same depth or nearer is neither; nearer than before it is gone below again, as what
 * lies under it may have been cut off by depth_max.
 */
static cn_err visit(cn_walk *w, const cn_cid *cid, uint64_t depth, bool *ret_take)
{
    const cn_walk_options *o = &w->options;
    void *value = NULL;
    bool is_new = true;
    w->entry.is_repeat = false;
    w->goes_deeper = !o->has_depth_max || depth < o->depth_max;
    *ret_take = !o->has_depth_max || depth <= o->depth_max;
    if (!o->unique || !*ret_take || (depth == 0 && o->root_apart)) {
        return CN_OK;
    }
    cn_slice key = o->by_multihash ? cn_cid_key(cid) : cn_cid_bytes(cid);
    cn_err err = cn_map_put(&w->seen, key, &value, &is_new);
    if (err != CN_OK) {
        return err;
    }
    uint64_t *least = value;
    if (!is_new && (!o->has_depth_max || *least <= depth)) {
        *ret_take = false;
        return CN_OK;
    }
    *least = depth;
    w->entry.is_repeat = !is_new;
    return CN_OK;
}

/* Add the links that follow in the innermost frames. */
static void look_ahead(cn_walk *w)
{
    if (w->stack.len == 0) {
        return;
    }
    const frame *f = cn_stack_top(&w->stack);
    cn_links links = f->links;
    cn_link link = {0};
    bool have = true;
    while (w->wants_len < w->options.ahead) {
        if (cn_links_next(&links, &link, &have) != CN_OK || !have) {
            return;
        }
        bool is_seen = w->options.raw_unseen && link.cid.codec == CN_CODEC_RAW;
        if (!is_seen && !cn_cid_is_identity(&link.cid, NULL)) {
            w->wants[w->wants_len++] = link.cid;
        }
    }
}

/* The entry in hand has its CID in wants[0]: ask for the block, or yield it unseen. */
static void want_or_yield(cn_walk *w)
{
    bool is_unseen = w->options.raw_unseen && w->wants[0].codec == CN_CODEC_RAW;
    w->state = is_unseen ? READY : NEED;
    w->wants_len = 1;
    if (!is_unseen) {
        look_ahead(w);
    }
}

/* Was that the last link of `f`? Then close it, keeping what the entry in hand points at. */
static cn_err close_if_last(cn_walk *w, const frame *f)
{
    cn_links probe = f->links;
    cn_link link = {0};
    bool have = false;
    cn_err err = cn_links_next(&probe, &link, &have);
    if (err == CN_OK && !have) {
        cn_stack_take(&w->stack, &w->parent_block);
    }
    return err;
}

/* Take the next link that is to be yielded; false when there are no more. */
static cn_err advance(cn_walk *w, bool *ret_more)
{
    cn_held_release(w->mem, &w->parent_block);
    for (;;) {
        frame *f = cn_stack_top(&w->stack);
        cn_link link = {0};
        bool have = false;
        bool taken = false;
        if (f == NULL) {
            *ret_more = false;
            return CN_OK;
        }
        cn_err err = cn_links_next(&f->links, &link, &have);
        if (err != CN_OK) {
            return err;
        }
        if (!have) {
            cn_stack_pop(&w->stack);
            continue;
        }
        uint64_t depth = f->depth + 1;
        err = visit(w, &link.cid, depth, &taken);
        if (err != CN_OK) {
            return err;
        }
        if (taken) {
            w->wants[0] = link.cid;
            w->parent = f->cid;
            bool is_repeat = w->entry.is_repeat;
            w->entry = (cn_walk_entry){
                .cid = &w->wants[0],
                .parent = &w->parent,
                .name = link.name,
                .depth = depth,
                .is_repeat = is_repeat};
            err = close_if_last(w, f);
            want_or_yield(w);
            *ret_more = true;
            return err;
        }
    }
}

/* A block that cannot be used: with go_on an entry, else the walk's end. */
static cn_err skip_block(cn_walk *w, cn_err err, const cn_why *why)
{
    bool is_ours = err == CN_ERR_NO_MEMORY || err == CN_ERR_CANCELLED;
    if (!w->options.go_on || is_ours) {
        return err;
    }
    w->missing_why = (cn_why){0};
    (void)cn_why_set(&w->missing_why, err, "%s", cn_why_text(why, err));
    w->entry.missing = err;
    w->entry.why = &w->missing_why;
    w->entry.block = (cn_slice){0};
    w->state = READY;
    return CN_OK;
}

static cn_err fail(cn_pull_machine *m, cn_err err, const cn_why *why)
{
    return skip_block((cn_walk *)m, err, why);
}

/* Open a frame over the block if it has links; its order of entry is its own before theirs. */
static cn_err open_block(cn_walk *w, cn_slice block, cn_why *why)
{
    cn_links links = {0};
    cn_link link = {0};
    bool have = false;
    void *opened = NULL;
    frame *f = NULL;
    cn_err err = CN_OK;
    CN_TRY(cn_links_open(w->wants[0].codec, block, &links, why));
    CN_TRY(cn_links_next(&links, &link, &have));
    if (!have) {
        return CN_OK;
    }
    CN_TRY(cn_stack_push(&w->stack, block, &opened, why));
    f = opened;
    f->cid = w->wants[0];
    f->depth = w->entry.depth;
    CN_TRY(cn_links_open(f->cid.codec, cn_slice_of(f->held.bytes, f->held.len), &f->links, why));
out:
    return err;
}

static cn_err give(cn_pull_machine *m, cn_slice block, cn_why *why)
{
    cn_walk *w = (cn_walk *)m;
    cn_why inner = {0};
    w->entry.block = block;
    w->state = READY;
    if (!w->goes_deeper) {
        return CN_OK;
    }
    cn_err err = open_block(w, block, &inner);
    if (err == CN_OK) {
        return CN_OK;
    }
    char text[CN_CID_TEXT_BYTES];
    (void)cn_why_wrap(&inner, err, "%s: ", cn_cid_text(&w->wants[0], text));
    err = skip_block(w, err, &inner);
    return err == CN_OK ? CN_OK : cn_why_set(why, err, "%s", inner.text);
}

/* Take the root. */
static cn_err start(cn_walk *w, bool *ret_more)
{
    cn_err err = visit(w, &w->wants[0], 0, ret_more);
    if (err == CN_OK && *ret_more) {
        want_or_yield(w);
    }
    return err;
}

static cn_err next(cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    cn_walk *w = (cn_walk *)m;
    bool more = w->state != OVER;
    cn_err err = CN_OK;
    if (w->state == START) {
        err = start(w, &more);
    } else if (w->state == RUN) {
        err = advance(w, &more);
    }
    if (err != CN_OK) {
        return cn_why_set(why, err, "%s", cn_err_sentence(err));
    }
    if (!more) {
        w->state = OVER;
        *ret = (cn_pull){.kind = CN_PULL_END};
    } else if (w->state == READY) {
        w->state = RUN;
        *ret = (cn_pull){.kind = CN_PULL_ENTRY, .entry = &w->entry};
    } else {
        *ret = (cn_pull){.kind = CN_PULL_WANT, .wants = w->wants, .wants_len = w->wants_len};
    }
    return CN_OK;
}
