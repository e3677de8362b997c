/*
 * The queue: copies of lines, as the import lends them for the call only. Invariant: either the
 * list is empty, or its first entry is a root (a line with no root before it has nothing to wait
 * for).
 */
#include "cmd/add_queue.h"

/* One line, kept. */
struct cn_add_waiting {
    cn_cid cid; /* none: how far a file is, and size_bytes of it are done */
    uint64_t size_bytes;
    size_t path_start; /* in cn_add_queue.text */
    size_t path_len;
    bool is_dir;
    bool is_root;
    bool shown;
    bool has_top;
    cn_source_entry top; /* without its texts */
};

void cn_add_queue_init(
    cn_add_queue *q, cn_call *call, cn_store *store, cn_pins *pins, cn_slice pin_name)
{
    *q = (cn_add_queue){.call = call, .store = store, .pins = pins, .pin_name = pin_name};
    cn_buf_init(&q->text, cn_call_mem(call), CN_ADD_QUEUE_TEXT_BYTES);
}

void cn_add_queue_release(cn_add_queue *q)
{
    cn_mem *mem = cn_call_mem(q->call);
    cn_buf_release(&q->text);
    cn_free(mem, q->list);
    cn_free(mem, q->changes);
    q->list = NULL;
    q->changes = NULL;
    q->len = 0;
}

static cn_err make_durable(cn_add_queue *q, cn_why *why)
{
    size_t roots = 0;
    cn_err err = CN_OK;
    for (size_t i = 0; i < q->len; i++) {
        if (q->list[i].is_root) {
            q->changes[roots++] = (cn_pin_change){&q->list[i].cid, CN_PIN_RECURSIVE, q->pin_name};
        }
    }
    CN_TRY(cn_store_flush(q->store, why)); /* blocks before the pin that vouches for them */
    CN_TRY(cn_pins_apply(q->pins, q->changes, roots, why));
out:
    return err;
}

static cn_err print(cn_add_queue *q, const cn_add_waiting *w)
{
    cn_slice path = cn_slice_of(q->text.data + w->path_start, w->path_len);
    const cn_add_event event = {
        .path = path,
        .cid = &w->cid,
        .size_bytes = w->size_bytes,
        .is_dir = w->is_dir,
        .is_root = w->is_root,
        .top = w->has_top ? &w->top : NULL,
    };
    const cn_add_line added = {.event = &event};
    const cn_add_line progress = {.progress_path = path, .progress_bytes = w->size_bytes};
    return cn_add_say(q->call, w->cid.len == 0 ? &progress : &added);
}

cn_err cn_add_queue_settle(cn_add_queue *q, cn_why *why)
{
    if (q->len == 0) {
        return CN_OK;
    }
    cn_err err = make_durable(q, why);
    for (size_t i = 0; i < q->len && err == CN_OK; i++) {
        if (q->list[i].shown) {
            err = print(q, &q->list[i]);
        }
    }
    q->len = 0;
    cn_buf_reset(&q->text);
    return err;
}

cn_err cn_add_queue_tick(cn_add_queue *q, cn_why *why)
{
    bool old = q->len > 0 && cn_rt_now(cn_call_rt(q->call)).ns >= q->due.ns;
    return old ? cn_add_queue_settle(q, why) : CN_OK;
}

static cn_err take_memory(cn_add_queue *q)
{
    cn_mem *mem = cn_call_mem(q->call);
    if (q->list == NULL) {
        q->list = cn_alloc_array(mem, CN_ADD_QUEUE_LINES, sizeof *q->list);
    }
    if (q->changes == NULL) {
        q->changes = cn_alloc_array(mem, CN_ADD_QUEUE_LINES, sizeof *q->changes);
    }
    return q->list == NULL || q->changes == NULL ? CN_ERR_NO_MEMORY : CN_OK;
}

static cn_err keep(cn_add_queue *q, const cn_add_waiting *line, cn_slice path, cn_why *why)
{
    cn_err err = CN_OK;
    if (q->text.len + path.len > CN_ADD_QUEUE_TEXT_BYTES) {
        CN_TRY(cn_add_queue_settle(q, why));
    }
    if (q->len == 0) {
        cn_time now = cn_rt_now(cn_call_rt(q->call));
        q->due = cn_time_after(now, CN_ADD_QUEUE_AGE_MS * CN_NS_PER_MS);
    }
    CN_TRY(take_memory(q));
    q->list[q->len] = *line;
    q->list[q->len].path_start = q->text.len;
    q->list[q->len].path_len = path.len;
    CN_TRY(cn_buf_append(&q->text, path));
    q->len++;
    err = q->len == CN_ADD_QUEUE_LINES ? cn_add_queue_settle(q, why) : cn_add_queue_tick(q, why);
out:
    return err;
}

cn_err cn_add_queue_put(cn_add_queue *q, const cn_add_event *event, bool shown, cn_why *why)
{
    if (q->pins == NULL || (q->len == 0 && !event->is_root)) {
        const cn_add_line line = {.event = event};
        return shown ? cn_add_say(q->call, &line) : CN_OK;
    }
    if (!shown && !event->is_root) {
        return CN_OK;
    }
    cn_add_waiting w = {
        .cid = *event->cid,
        .size_bytes = event->size_bytes,
        .is_dir = event->is_dir,
        .is_root = event->is_root,
        .shown = shown,
        .has_top = event->top != NULL,
    };
    if (event->top != NULL) {
        w.top = *event->top;
        w.top.name = (cn_slice){0};
        w.top.target = (cn_slice){0};
        w.top.path = NULL;
    }
    return keep(q, &w, event->path, why);
}

cn_err cn_add_queue_progress(cn_add_queue *q, cn_slice path, uint64_t file_bytes, cn_why *why)
{
    if (q->len == 0 || cn_call_is_cli(q->call)) { /* there a bar, which has no order with lines */
        const cn_add_line line = {.progress_path = path, .progress_bytes = file_bytes};
        return cn_add_say(q->call, &line);
    }
    const cn_add_waiting w = {.size_bytes = file_bytes, .shown = true};
    return keep(q, &w, path, why);
}
