/*
 * Version, results, time limits and cancel handles of the public API.
 */
#include "api/internal.h"

#include "base/mem.h"

#ifndef CAIRN_VERSION
#error "the build says which version this is"
#endif

unsigned cairn_api_version(void)
{
    return CAIRN_API_VERSION;
}

const char *cairn_version(void)
{
    return CAIRN_VERSION;
}

cairn_cancel *cairn_cancel_new(void)
{
    return cn_alloc(cn_mem_default(), sizeof(cairn_cancel));
}

void cairn_cancel_now(cairn_cancel *c)
{
    atomic_store(&c->cancelled, true);
}

void cairn_cancel_free(cairn_cancel *c)
{
    cn_free(cn_mem_default(), c);
}

cn_err cn_api_wait_init(cn_api_wait *w, cn_rt *rt, const cairn_wait *wait)
{
    *w = (cn_api_wait){.rt = rt, .deadline = CN_TIME_NEVER};
    if (wait != NULL) {
        if (wait->struct_size < sizeof *wait || wait->timeout_ns < 0) {
            return CN_ERR_USAGE;
        }
        w->timeout_ns = wait->timeout_ns;
        w->cancel = wait->cancel;
        cn_api_wait_restart(w);
    }
    return CN_OK;
}

void cn_api_wait_restart(cn_api_wait *w)
{
    if (w->timeout_ns > 0) {
        w->deadline = cn_time_after(cn_rt_now(w->rt), w->timeout_ns);
    }
}

cn_err cn_api_wait_check(const cn_api_wait *w)
{
    if (w->cancel != NULL && atomic_load(&w->cancel->cancelled)) {
        return CN_ERR_CANCELLED;
    }
    if (w->timeout_ns > 0 && cn_rt_now(w->rt).ns >= w->deadline.ns) {
        return CN_ERR_TIMEOUT;
    }
    return CN_OK;
}

static cairn_result result_of(cn_err err)
{
    switch (cn_err_class_of(err)) {
    case CN_CLASS_NONE:
        return CAIRN_OK;
    case CN_CLASS_PEER:
        return CAIRN_ERROR_INPUT;
    case CN_CLASS_RETRY:
        return err == CN_ERR_TIMEOUT ? CAIRN_ERROR_TIMEOUT : CAIRN_ERROR_BUSY;
    case CN_CLASS_LIMIT:
        return err == CN_ERR_QUOTA ? CAIRN_ERROR_DISK : CAIRN_ERROR_INPUT;
    case CN_CLASS_LOCAL:
        return err == CN_ERR_NO_MEMORY ? CAIRN_ERROR_MEMORY : CAIRN_ERROR_DISK;
    case CN_CLASS_GONE:
        return err == CN_ERR_CANCELLED ? CAIRN_ERROR_CANCELLED : CAIRN_ERROR_NOT_FOUND;
    case CN_CLASS_USAGE:
        return CAIRN_ERROR_USE;
    case CN_CLASS_BUG:
        break;
    }
    return CAIRN_ERROR_BUG;
}

cairn_result cn_api_result(cn_err err, const cn_why *why, cairn_message *message)
{
    _Static_assert(sizeof message->text >= CN_WHY_BYTES, "a sentence fits into a message");
    if (message != NULL) {
        cn_slice text = err == CN_OK ? cn_str("") : cn_str(cn_why_text(why, err));
        cn_copy(message->text, text.data, text.len);
        message->text[text.len] = '\0';
    }
    return result_of(err);
}
