/*
 * From argument to CID.
 */
#include "cmd/content.h"

#include "node/node.h"
#include "unixfs/resolve.h"

cn_err cn_content_find(cn_call *call, cn_slice arg, cn_content *ret)
{
    cn_blocks *blocks = NULL;
    cn_content c = {0};
    cn_why *why = cn_call_why(call);
    cn_mem *mem = cn_call_mem(call);
    cn_err err = CN_OK;
    CN_TRY(cn_call_blocks(call, &blocks));
    CN_TRY(cn_ipfs_path_parse_arg(arg, mem, &c.path, why));
    CN_TRY(cn_resolve_local(blocks, mem, &c.path, &c.cid, &c.rest, why));
    *ret = c;
    c = (cn_content){0};
out:
    cn_content_release(&c);
    return err;
}

void cn_content_release(cn_content *c)
{
    cn_ipfs_path_release(&c->path);
    *c = (cn_content){0};
}

static cn_err may_go_on(void *ctx)
{
    return cn_call_check(ctx);
}

cn_err cn_content_ahead(cn_call *call, cn_ahead *ret)
{
    cn_blocks *blocks = NULL;
    cn_err err = cn_call_blocks(call, &blocks);
    if (err == CN_OK) {
        const cn_ahead_options options = {
            .rt = cn_call_rt(call),
            .mem = cn_call_mem(call),
            .blocks = blocks,
            .check = may_go_on,
            .ctx = call};
        cn_ahead_init(ret, &options);
    }
    return err;
}

cn_err cn_content_drive(cn_call *call, cn_drive *ret)
{
    cn_blocks *blocks = NULL;
    cn_err err = cn_call_blocks(call, &blocks);
    if (err == CN_OK) {
        cn_drive_init(ret, cn_call_mem(call), blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    }
    return err;
}

cn_err cn_content_share(cn_call *call, cn_latch_hold *ret)
{
    cn_node *node = NULL;
    const cn_latch_wait wait = {may_go_on, call};
    cn_err err = cn_call_node(call, &node);
    return err != CN_OK ? err : cn_latch_share(cn_node_latch(node), &wait, ret);
}

cn_err cn_content_exclude(cn_call *call, cn_latch_hold *ret)
{
    cn_node *node = NULL;
    const cn_latch_wait wait = {may_go_on, call};
    cn_err err = cn_call_node(call, &node);
    return err != CN_OK ? err : cn_latch_exclude(cn_node_latch(node), &wait, ret);
}

/* Nobody is to wait for ever because a block does not come. */
static void step_aside(void *ctx)
{
    cn_content_shared *s = ctx;
    cn_latch *latch = s->hold.latch;
    if (latch != NULL && cn_latch_is_wanted(latch)) {
        cn_latch_give(&s->hold);
        (void)!cn_content_share(s->call, &s->hold); /* fails only if the call is to end */
    }
}

cn_err cn_content_share_aside(cn_call *call, cn_content_shared *ret)
{
    *ret = (cn_content_shared){.call = call};
    cn_err err = cn_content_share(call, &ret->hold);
    if (err == CN_OK) {
        ret->rounds = cn_latch_rounds(ret->hold.latch);
        cn_call_while_waiting(call, step_aside, ret);
    }
    return err;
}

bool cn_content_was_aside(cn_content_shared *s)
{
    uint64_t before = s->rounds;
    if (s->hold.latch == NULL) {
        return false; /* the call is to end */
    }
    s->rounds = cn_latch_rounds(s->hold.latch);
    return s->rounds != before;
}

void cn_content_unshare(cn_content_shared *s)
{
    if (s->call != NULL) {
        cn_call_while_waiting(s->call, NULL, NULL);
        cn_latch_give(&s->hold);
    }
}
