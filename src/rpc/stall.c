/*
 * A list of the calls that run, under one lock.
 */
#include "rpc/stall.h"

cn_err cn_stalls_init(cn_stalls *l, cn_mem *mem)
{
    *l = (cn_stalls){0};
    return cn_lock_new(mem, &l->lock);
}

void cn_stalls_release(cn_stalls *l)
{
    cn_lock_free(l->lock);
    *l = (cn_stalls){0};
}

void cn_stall_begin(cn_stall *s, cn_stalls *l, cn_mem *mem, cn_slice name)
{
    if (name.len == 0 || name.len > CN_STALL_NAME_BYTES) {
        return;
    }
    cn_copy(s->name, name.data, name.len);
    s->name[name.len] = '\0';
    cn_buf_init(&s->report, mem, CN_STALL_REPORT_MAX_BYTES);
    s->list = l;
    cn_lock_take(l->lock);
    s->prev = NULL;
    s->next = l->first;
    if (l->first != NULL) {
        l->first->prev = s;
    }
    l->first = s;
    cn_lock_give(l->lock);
}

void cn_stall_end(cn_stall *s)
{
    cn_stalls *l = s->list;
    if (l == NULL) {
        return;
    }
    cn_lock_take(l->lock);
    if (s->prev == NULL) {
        l->first = s->next;
    } else {
        s->prev->next = s->next;
    }
    if (s->next != NULL) {
        s->next->prev = s->prev;
    }
    cn_lock_give(l->lock);
    cn_buf_release(&s->report);
    s->list = NULL;
}

void cn_stall_say(cn_stall *s, cn_slice report)
{
    if (s->list == NULL) {
        return;
    }
    cn_lock_take(s->list->lock);
    cn_buf_reset(&s->report);
    if (cn_buf_append(&s->report, report) != CN_OK) {
        cn_buf_reset(&s->report); /* the next one may find room */
    }
    cn_lock_give(s->list->lock);
}

cn_err cn_stalls_take(cn_stalls *l, cn_slice name, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_lock_take(l->lock);
    for (cn_stall *s = l->first; s != NULL; s = s->next) {
        if (cn_slice_is(name, s->name)) {
            err = cn_buf_append(out, cn_buf_slice(&s->report));
            cn_buf_reset(&s->report);
            break;
        }
    }
    cn_lock_give(l->lock);
    return err;
}
