/*
 * From an answer of c-ares to what is told. Answers may come from inside any call of c-ares; they
 * are noted with the query, which goes at once if nobody waits for it any more.
 */
#include "rt_os/net_dns_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>

void cn_dns_free_query(net_query *q)
{
    net_dns *dns = q->dns;
    cn_mem *mem = dns->net->mem;
    for (net_query **at = &dns->first; *at != NULL; at = &(*at)->next) {
        if (*at == q) {
            *at = q->next;
            dns->queries_len--;
            break;
        }
    }
    cn_free(mem, q->ips);
    cn_free(mem, q->texts);
    cn_free(mem, q->text_bytes);
    cn_free(mem, q);
}

void cn_dns_let_go(net_query *q)
{
    (void)cn_slots_remove(&q->dns->net->sockets, q->socket.id);
    q->is_gone = true;
    if (!q->is_held) {
        cn_dns_free_query(q);
    }
}

cn_err cn_dns_err(int status)
{
    switch (status) {
    case CN_CARES_OK:
        return CN_OK;
    case CN_CARES_NO_DATA:
    case CN_CARES_NOT_FOUND:
        return CN_ERR_NOT_FOUND;
    case CN_CARES_BAD_NAME:
    case CN_CARES_BAD_RESPONSE:
        return CN_ERR_MALFORMED;
    case CN_CARES_TIMEOUT:
        return CN_ERR_TIMEOUT;
    case CN_CARES_NO_MEMORY:
        return CN_ERR_NO_MEMORY;
    default:
        return CN_ERR_IO; /* refused, not reached, no such service */
    }
}

static cn_err take_ips(net_query *q, const cn_cares_answer *answer)
{
    size_t len = 0;
    for (const cn_cares_node *n = answer->nodes; n != NULL; n = n->next) {
        len++;
    }
    len = CN_MIN(len, (size_t)CN_DNS_ANSWERS_MAX);
    if (len == 0) {
        return CN_ERR_NOT_FOUND;
    }
    q->ips = cn_alloc_array(q->dns->net->mem, len, sizeof(*q->ips));
    if (q->ips == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (const cn_cares_node *n = answer->nodes; n != NULL && q->answers_len < len; n = n->next) {
        cn_endpoint *e = &q->ips[q->answers_len];
        *e = (cn_endpoint){.is_ip6 = n->family == AF_INET6};
        if (n->family == AF_INET6) {
            const struct sockaddr_in6 *a = (const void *)n->address;
            cn_copy(e->ip, &a->sin6_addr, 16);
            e->zone = a->sin6_scope_id;
        } else if (n->family == AF_INET) {
            const struct sockaddr_in *a = (const void *)n->address;
            cn_copy(e->ip, &a->sin_addr, 4);
        } else {
            continue;
        }
        q->answers_len++;
    }
    return CN_OK;
}

/* Each record's strings joined, all in one piece of memory. */
static cn_err take_texts(net_query *q, const cn_cares_text *texts)
{
    size_t bytes = 0;
    size_t len = 0;
    for (const cn_cares_text *t = texts; t != NULL; t = t->next) {
        bytes += t->len;
        len += t->is_first != 0 ? 1 : 0;
    }
    len = CN_MIN(len, (size_t)CN_DNS_ANSWERS_MAX);
    if (len == 0) {
        return CN_ERR_NOT_FOUND;
    }
    q->texts = cn_alloc_array(q->dns->net->mem, len, sizeof(*q->texts));
    q->text_bytes = cn_alloc(q->dns->net->mem, bytes + 1);
    if (q->texts == NULL || q->text_bytes == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    uint8_t *to = q->text_bytes;
    for (const cn_cares_text *t = texts; t != NULL; t = t->next) {
        if (t->is_first != 0) {
            if (q->answers_len == len) {
                break;
            }
            q->texts[q->answers_len++] = cn_slice_of(to, 0);
        }
        if (q->answers_len > 0) {
            cn_copy(to, t->data, t->len);
            to += t->len;
            q->texts[q->answers_len - 1].len += t->len;
        }
    }
    return CN_OK;
}

void cn_dns_finish(net_query *q, cn_err err, const char *reason)
{
    q->err = err;
    q->is_done = true;
    if (err != CN_OK) {
        (void)cn_why_set(&q->why, err, "%s: %s", q->name, reason);
    }
}

/* c-ares lets go of the query; false: nobody waits for its answer. */
static bool released(net_query *q)
{
    q->is_held = false;
    if (q->is_gone) {
        cn_dns_free_query(q);
        return false;
    }
    return !q->is_done;
}

void cn_dns_have_ips(void *ctx, int status, int timeouts, cn_cares_answer *answer)
{
    net_query *q = ctx;
    const cn_libcares *ares = q->dns->ares;
    CN_UNUSED(timeouts);
    if (released(q)) {
        cn_err err = cn_dns_err(status);
        const char *reason = ares->ares_strerror(status);
        if (err == CN_OK) {
            err = answer == NULL ? CN_ERR_NOT_FOUND : take_ips(q, answer);
            reason = cn_err_sentence(err);
        }
        cn_dns_finish(q, err, reason);
    }
    if (answer != NULL) {
        ares->ares_freeaddrinfo(answer);
    }
}

void cn_dns_have_texts(void *ctx, int status, int timeouts, unsigned char *reply, int len)
{
    net_query *q = ctx;
    const cn_libcares *ares = q->dns->ares;
    cn_cares_text *texts = NULL;
    CN_UNUSED(timeouts);
    if (!released(q)) {
        return;
    }
    if (status == CN_CARES_OK) {
        status = ares->ares_parse_txt_reply_ext(reply, len, &texts);
    }
    cn_err err = cn_dns_err(status);
    const char *reason = ares->ares_strerror(status);
    if (err == CN_OK) {
        err = take_texts(q, texts);
        reason = cn_err_sentence(err);
    }
    cn_dns_finish(q, err, reason);
    if (texts != NULL) {
        ares->ares_free_data(texts);
    }
}

/* c-ares would ask for it. */
bool cn_dns_is_address(net_query *q, cn_net_query what)
{
    cn_endpoint e = {0};
    bool is_ip4 = what != CN_NET_QUERY_IP6 && inet_pton(AF_INET, q->name, e.ip) == 1;
    e.is_ip6 = !is_ip4 && what != CN_NET_QUERY_IP4 && inet_pton(AF_INET6, q->name, e.ip) == 1;
    if (what == CN_NET_QUERY_TXT || (!is_ip4 && !e.is_ip6)) {
        return false;
    }
    q->ips = cn_alloc_array(q->dns->net->mem, 1, sizeof(*q->ips));
    if (q->ips == NULL) {
        cn_dns_finish(q, CN_ERR_NO_MEMORY, cn_err_sentence(CN_ERR_NO_MEMORY));
        return true;
    }
    q->ips[0] = e;
    q->answers_len = 1;
    cn_dns_finish(q, CN_OK, "");
    return true;
}
