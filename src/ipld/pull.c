/*
 * The common part of pull machines, and the driver over a cn_blocks. Invariant: `wanted` points at
 * the CID of the open want from the WANT step until it is answered. A want of an identity CID is
 * answered here, from the machine's own copy of the CID.
 */
#include "ipld/pull.h"

cn_err cn_pull_next(cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    for (;;) {
        cn_pull step = {0};
        cn_err err = m->ops->next(m, &step, why);
        cn_slice inlined = {0};
        if (err != CN_OK) {
            return err;
        }
        if (step.kind == CN_PULL_WANT && cn_cid_is_identity(&step.wants[0], &inlined)) {
            err = m->ops->give(m, inlined, why);
            if (err != CN_OK) {
                return err;
            }
            continue;
        }
        m->wanted = step.kind == CN_PULL_WANT ? &step.wants[0] : NULL;
        *ret = step;
        return CN_OK;
    }
}

cn_err cn_pull_give(cn_pull_machine *m, const cn_cid *cid, cn_slice block, cn_why *why)
{
    if (m->wanted == NULL || !cn_cid_eq(m->wanted, cid)) {
        return cn_why_set(why, CN_ERR_USAGE, "a block was given that is not wanted");
    }
    m->wanted = NULL;
    return m->ops->give(m, block, why);
}

cn_err cn_pull_fail(cn_pull_machine *m, cn_err err, const cn_why *why)
{
    if (m->wanted == NULL) {
        return CN_ERR_USAGE;
    }
    if (m->ops->fail == NULL) {
        return err;
    }
    m->wanted = NULL;
    return m->ops->fail(m, err, why);
}

cn_err cn_pull_blame(const cn_cid *cid, cn_err err, const char *what, cn_why *why)
{
    char text[CN_CID_TEXT_BYTES];
    return cn_why_set(why, err, "%s: %s", cn_cid_text(cid, text), what);
}

void cn_drive_init(cn_drive *d, cn_mem *mem, cn_blocks *blocks, size_t block_max_bytes)
{
    *d = (cn_drive){.blocks = blocks};
    cn_buf_init(&d->block, mem, block_max_bytes);
}

void cn_drive_release(cn_drive *d)
{
    cn_buf_release(&d->block);
}

cn_err cn_drive_next(cn_drive *d, cn_pull_machine *m, cn_pull *ret, cn_why *why)
{
    for (;;) {
        cn_err err = cn_pull_next(m, ret, why);
        if (err != CN_OK || ret->kind != CN_PULL_WANT) {
            return err;
        }
        cn_why missing = {0};
        err = cn_blocks_get(d->blocks, &ret->wants[0], &d->block, &missing);
        if (err == CN_OK) {
            err = cn_pull_give(m, &ret->wants[0], cn_buf_slice(&d->block), why);
        } else if (err != CN_ERR_BUSY) {
            err = cn_pull_fail(m, err, &missing);
            if (err != CN_OK) {
                return cn_why_set(why, err, "%s", cn_why_text(&missing, err));
            }
        }
        if (err != CN_OK) {
            return err;
        }
    }
}
