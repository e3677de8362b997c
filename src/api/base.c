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
    if (c != NULL) {
        atomic_store(&c->cancelled, true);
    }
}

void cairn_cancel_free(cairn_cancel *c)
{
    cn_free(cn_mem_default(), c);
}

/* The most that a newer struct may be larger; more is a size that was never set. */
enum { NEWER_MAX_BYTES = 256 };

cn_err cn_api_options(void *to, size_t size, const void *from, cn_why *why)
{
    const uint8_t *bytes = from;
    uint8_t *out = to;
    size_t given = 0;
    for (size_t i = 0; i < size; i++) {
        out[i] = 0;
    }
    if (from == NULL) {
        return CN_OK;
    }
    cn_copy(&given, from, sizeof given);
    if (given < sizeof given || given > size + NEWER_MAX_BYTES) {
        return cn_why_set(
            why, CN_ERR_USAGE, "struct_size of the options is not set: use CAIRN_INIT");
    }
    for (size_t i = size; i < given; i++) {
        if (bytes[i] != 0) {
            return cn_why_set(
                why, CN_ERR_USAGE, "the options are of a later version of cairn than this library");
        }
    }
    cn_copy(to, from, CN_MIN(size, given));
    return CN_OK;
}

cn_err cn_api_given(const void *p, const char *what, cn_why *why)
{
    return p != NULL ? CN_OK : cn_why_set(why, CN_ERR_USAGE, "no %s was given (it is NULL)", what);
}

cn_err cn_api_wait_init(cn_api_wait *w, cn_rt *rt, const cairn_wait *wait, cn_why *why)
{
    cairn_wait given;
    cn_err err = cn_api_options(&given, sizeof given, wait, why);
    if (err != CN_OK) {
        return err;
    }
    if (given.timeout_ns < 0) {
        return cn_why_set(why, CN_ERR_USAGE, "timeout_ns is negative");
    }
    *w = (cn_api_wait){
        .rt = rt,
        .deadline = CN_TIME_NEVER,
        .timeout_ns = given.timeout_ns,
        .cancel = given.cancel};
    cn_api_wait_restart(w);
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
