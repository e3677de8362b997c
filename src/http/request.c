/*
 * What a handler sees of a request, and how it answers.
 */
#include "http/internal.h"

cn_slice cn_http_method(const cn_http_request *r)
{
    return cn_str(r->method);
}

cn_slice cn_http_target(const cn_http_request *r)
{
    return cn_slice_of(r->target, r->target_len);
}

cn_slice cn_http_header(const cn_http_request *r, const char *name)
{
    const char *value =
        r->server->mhd->lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
    cn_slice s = cn_str(value);
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s = cn_slice_skip(s, 1);
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

bool cn_http_has_header(const cn_http_request *r, const char *name)
{
    return r->server->mhd->lookup_connection_value(r->connection, MHD_HEADER_KIND, name) != NULL;
}

bool cn_http_has_body(const cn_http_request *r)
{
    return r->has_body;
}

void *cn_http_state(const cn_http_request *r)
{
    return r->state;
}

void cn_http_set_state(cn_http_request *r, void *state, void (*release)(void *state))
{
    CN_ASSERT(r->state == NULL);
    r->state = state;
    r->release_state = release;
}

void cn_http_sleep(cn_http_request *r, cn_http_waker *w)
{
    CN_ASSERT(r->in_handler && !r->is_answered && !r->has_body);
    r->sleeps_on = w;
}

void cn_http_answer(cn_http_request *r, unsigned status, cn_http_response *resp)
{
    CN_ASSERT(r->in_handler && !r->is_answered);
    r->is_answered = true;
    r->is_cut = resp == NULL;
    r->pending = resp;
    r->pending_status = status;
}

void cn_http_answer_shared(cn_http_request *r, unsigned status, cn_http_response *resp)
{
    CN_ASSERT(r->in_handler && !r->is_answered);
    r->is_answered = true;
    r->is_queued = r->server->mhd->queue_response(r->connection, status, resp) == MHD_YES;
    r->is_cut = !r->is_queued;
}
