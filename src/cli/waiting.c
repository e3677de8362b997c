/*
 * A second, short exchange with the daemon beside the one that waits.
 */
#include "cli/waiting.h"

#include "base/num.h"
#include "cli/http_in.h"
#include "rpc/stall.h"
#include "rt_os/dial.h"

#include <stdlib.h>

enum { STALL_S = 30, NAME_BYTES = 16, RECEIVE_BYTES = 4 << 10, ANSWER_MAX_BYTES = 128 << 10 };

#define ANSWER_NS (5 * CN_NS_PER_S)

int64_t cn_stall_ns(void)
{
    const char *text = getenv(CN_STALL_VARIABLE);
    uint64_t ms = 0;
    if (text != NULL && cn_num_u64(cn_str(text), &ms) == CN_OK && ms > 0 && ms < INT32_MAX) {
        return (int64_t)ms * CN_NS_PER_MS;
    }
    return STALL_S * CN_NS_PER_S;
}

void cn_waiting_init(cn_waiting *w, cn_rt *rt)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[NAME_BYTES];
    *w = (cn_waiting){.stall_ns = cn_stall_ns(), .heard = cn_rt_now(rt)};
    if (cn_rt_entropy(rt, bytes, sizeof bytes) == CN_OK) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            w->name[2 * i] = digits[bytes[i] >> 4];
            w->name[2 * i + 1] = digits[bytes[i] & 15];
        }
    }
}

cn_err cn_waiting_put_header(const cn_waiting *w, cn_buf *head)
{
    return w->name[0] == '\0' ? CN_OK : cn_buf_printf(head, CN_STALL_HEADER ": %s\r\n", w->name);
}

void cn_waiting_heard(cn_waiting *w, cn_time now)
{
    w->heard = now;
}

int64_t cn_waiting_left(const cn_waiting *w, cn_time now)
{
    /* a little later than the daemon, which looks once a second */
    int64_t due_ns = w->heard.ns + w->stall_ns + w->stall_ns / 10;
    return w->name[0] == '\0' ? INT64_MAX : CN_MAX(due_ns - now.ns, (int64_t)0);
}

static cn_err collect(void *ctx, cn_slice bytes)
{
    return cn_buf_append(ctx, bytes);
}

static cn_err put_request(const cn_waiting *w, const cn_client_parts *p, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, "POST " CN_STALL_PATH " HTTP/1.1\r\nHost: localhost\r\n"));
    CN_TRY(cn_client_put_auth(p->target, out, NULL));
    CN_TRY(cn_waiting_put_header(w, out));
    CN_TRY(cn_buf_text(out, "Connection: close\r\nContent-Length: 0\r\n\r\n"));
out:
    return err;
}

/* Send `request` and read the answer into `in`, within a short time. */
static cn_err talk(int fd, const cn_client_parts *p, cn_slice request, cn_http_in *in)
{
    uint8_t received[RECEIVE_BYTES];
    cn_time until = cn_time_after(cn_rt_now(p->rt), ANSWER_NS);
    cn_err err = CN_OK;
    bool end = false;
    while (!end && in->state != CN_HTTP_IN_DONE) {
        bool can_read = false;
        bool can_write = false;
        size_t len = 0;
        int64_t left_ns = CN_MAX(until.ns - cn_rt_now(p->rt).ns, (int64_t)0);
        CN_TRY(cn_dial_wait(fd, request.len > 0, left_ns, &can_read, &can_write));
        if (can_write && request.len > 0) {
            CN_TRY(cn_dial_send(fd, request, &len));
            request = cn_slice_skip(request, len);
        }
        if (can_read) {
            CN_TRY(cn_dial_recv(fd, received, sizeof received, &len, &end));
            CN_TRY(end ? CN_OK : cn_http_in_feed(in, cn_slice_of(received, len)));
        }
    }
out:
    return err;
}

void cn_waiting_ask(cn_waiting *w, const cn_client_parts *p)
{
    cn_buf request;
    cn_buf answer;
    cn_http_in in;
    cn_why why = {{0}};
    int fd = -1;
    cn_err err = CN_OK;
    w->heard = cn_rt_now(p->rt);
    cn_buf_init(&request, p->mem, 64 << 10);
    cn_buf_init(&answer, p->mem, ANSWER_MAX_BYTES);
    cn_http_in_init(&in, p->mem, collect, &answer);
    CN_TRY(put_request(w, p, &request));
    CN_TRY(
        p->target->kind == CN_CLIENT_UNIX
            ? cn_dial_unix(p->target->host, &fd, &why)
            : cn_dial_tcp(p->target->host, p->target->port, &fd, &why));
    CN_TRY(talk(fd, p, cn_buf_slice(&request), &in));
    if (in.status == 200 && answer.len > 0) {
        cn_stderr_write(p->out, cn_buf_slice(&answer));
    }
out:
    cn_dial_close(fd);
    cn_http_in_release(&in);
    cn_buf_release(&request);
    cn_buf_release(&answer);
}
