/*
 * The exchange with a daemon: the request's head, its body if there is one, the answer as it comes.
 */
#include "cli/client.h"

#include "cli/http_in.h"
#include "cli/waiting.h"
#include "cli/upload.h"
#include "cmd/version.h"
#include "codec/json.h"
#include "rt_os/dial.h"

#include <stdio.h>

enum {
    HEAD_MAX = 1 << 24,
    RECEIVE_BYTES = 1 << 17,
    LINE_MAX_BYTES = 1 << 26,
    ERROR_MAX = 1 << 20,
    ADVICE_BYTES = 160,
};

#define LATE_NS (500 * CN_NS_PER_MS)

typedef struct client {
    const cn_client_parts *p;
    int fd;
    cn_http_in in;
    cn_upload upload;
    bool has_upload;
    cn_buf head;
    cn_slice sending; /* not sent yet */
    bool sent_all;
    cn_buf line;  /* part of a line that has arrived, for `line` */
    cn_buf error; /* the body of an error answer */
    bool begun;
    bool done;
    uint8_t *received;
    cn_waiting waiting;
    cn_why *why;
} client;

static const cn_client_side *side_of(const client *c)
{
    static const cn_client_side none = {0};
    return c->p->command->client == NULL ? &none : c->p->command->client;
}

/* Hand whole lines to the command, keep the rest. */
static cn_err give_lines(client *c, cn_slice bytes)
{
    cn_err err = CN_OK;
    while (bytes.len > 0 && err == CN_OK) {
        size_t end = cn_slice_find(bytes, '\n');
        err = cn_buf_append(&c->line, cn_slice_head(bytes, end));
        if (err == CN_OK && end < bytes.len) {
            err = side_of(c)->line(c->p->call, cn_buf_slice(&c->line));
            cn_buf_reset(&c->line);
        }
        bytes = cn_slice_skip(bytes, end + 1);
    }
    return err;
}

/* A piece of the answer's body. */
static cn_err on_body(void *ctx, cn_slice bytes)
{
    client *c = ctx;
    const cn_client_side *side = side_of(c);
    if (c->in.status >= 400) {
        return cn_buf_append(&c->error, bytes);
    }
    if (!c->begun) {
        c->begun = true;
        cn_err err = side->begin == NULL ? CN_OK : side->begin(c->p->call, c->in.content_bytes);
        if (err != CN_OK) {
            return err;
        }
    }
    if (side->as_json && side->line != NULL) {
        return give_lines(c, bytes);
    }
    return side->bytes != NULL ? side->bytes(c->p->call, bytes) : cn_stdout_write(c->p->out, bytes);
}

/* Base64 of a short text. */
static cn_err put_base64(cn_buf *out, cn_slice s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    cn_err err = CN_OK;
    for (size_t i = 0; i < s.len && err == CN_OK; i += 3) {
        uint32_t three = (uint32_t)s.data[i] << 16;
        three |= i + 1 < s.len ? (uint32_t)s.data[i + 1] << 8 : 0;
        three |= i + 2 < s.len ? s.data[i + 2] : 0;
        char four[4] = {
            digits[three >> 18], digits[three >> 12 & 63],
            i + 1 < s.len ? digits[three >> 6 & 63] : '=',
            i + 2 < s.len ? digits[three & 63] : '='};
        err = cn_buf_append(out, cn_slice_of(four, sizeof four));
    }
    return err;
}

cn_err cn_client_put_auth(const cn_client_target *target, cn_buf *head, cn_why *why)
{
    const char *auth = target->auth;
    cn_slice said = cn_str(auth);
    if (auth == NULL) {
        return CN_OK;
    }
    if (cn_slice_find(said, '\n') != said.len || cn_slice_find(said, '\r') != said.len) {
        return cn_why_set(why, CN_ERR_USAGE, "--api-auth holds a line break");
    }
    if (cn_slice_starts(said, cn_str("bearer:"))) {
        return cn_buf_printf(head, "Authorization: Bearer %s\r\n", auth + strlen("bearer:"));
    }
    if (!cn_slice_starts(said, cn_str("basic:"))) {
        return cn_why_set(
            why, CN_ERR_USAGE, "--api-auth takes basic:<user>:<word> or bearer:<token>");
    }
    cn_err err = cn_buf_text(head, "Authorization: Basic ");
    err = err == CN_OK ? put_base64(head, cn_slice_skip(said, strlen("basic:"))) : err;
    return err == CN_OK ? cn_buf_text(head, "\r\n") : err;
}

static cn_err put_head(client *c)
{
    const cn_client_target *t = c->p->target;
    bool text = cn_call_encoding(c->p->call) == CN_ENC_TEXT && !side_of(c)->as_json;
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(&c->head, "POST /api/v0/"));
    CN_TRY(cn_request_to_query(c->p->request, text ? CN_ENC_TEXT : CN_ENC_JSON, &c->head));
    if (t->kind == CN_CLIENT_UNIX) {
        CN_TRY(cn_buf_text(&c->head, " HTTP/1.1\r\nHost: localhost\r\n"));
    } else {
        bool v6 = strchr(t->host, ':') != NULL;
        CN_TRY(cn_buf_printf(
            &c->head, " HTTP/1.1\r\nHost: %s%s%s:%u\r\n", v6 ? "[" : "", t->host, v6 ? "]" : "",
            (unsigned)t->port));
    }
    CN_TRY(cn_buf_text(&c->head, "User-Agent: cairn/" CN_VERSION "\r\nConnection: close\r\n"));
    CN_TRY(cn_client_put_auth(t, &c->head, c->why));
    CN_TRY(cn_waiting_put_header(&c->waiting, &c->head));
    if (c->has_upload) {
        CN_TRY(cn_buf_printf(
            &c->head,
            "Content-Type: multipart/form-data; boundary=\"%s\"\r\n"
            "Content-Disposition: form-data; name=\"files\"\r\n"
            "Transfer-Encoding: chunked\r\n\r\n",
            c->upload.boundary));
    } else {
        CN_TRY(cn_buf_text(&c->head, "Content-Length: 0\r\n\r\n"));
    }
    c->sending = cn_buf_slice(&c->head);
out:
    return err;
}

/* Have something to send, unless all has been sent. */
static cn_err next_piece(client *c)
{
    if (c->sending.len > 0 || c->sent_all) {
        return CN_OK;
    }
    if (!c->has_upload) {
        c->sent_all = true;
        return CN_OK;
    }
    cn_err err = cn_upload_next(&c->upload, &c->sending, c->why);
    c->sent_all = err == CN_OK && c->sending.len == 0;
    return err;
}

static cn_err receive(client *c)
{
    size_t len = 0;
    bool end = false;
    cn_err err = cn_dial_recv(c->fd, c->received, RECEIVE_BYTES, &len, &end);
    if (err == CN_OK) {
        err = end ? cn_http_in_end(&c->in) : cn_http_in_feed(&c->in, cn_slice_of(c->received, len));
        c->done = end || c->in.state == CN_HTTP_IN_DONE;
    }
    if (err == CN_ERR_TRUNCATED || (err == CN_ERR_CLOSED && c->in.status == 0)) {
        err = cn_why_set(
            c->why, CN_ERR_IO, "the daemon closed the connection before its answer was complete");
    }
    return err;
}

static cn_err send_some(client *c)
{
    size_t len = 0;
    cn_err err = cn_dial_send(c->fd, c->sending, &len);
    if (err == CN_ERR_CLOSED) {
        c->sent_all = true; /* it has answered early: read what it says */
        c->sending = cn_str("");
        return CN_OK;
    }
    c->sending = cn_slice_skip(c->sending, err == CN_OK ? len : 0);
    return err;
}

/* The daemon has the same time limit, and what it says when it is over: that is waited for. */
static cn_err may_go_on(client *c)
{
    cn_err err = cn_call_check(c->p->call);
    cn_time late = cn_time_after(cn_call_deadline(c->p->call), LATE_NS);
    return err == CN_ERR_TIMEOUT && cn_rt_now(c->p->rt).ns < late.ns ? CN_OK : err;
}

static int64_t time_left(client *c)
{
    cn_time deadline = cn_time_after(cn_call_deadline(c->p->call), LATE_NS);
    if (deadline.ns == CN_TIME_NEVER.ns) {
        return -1;
    }
    return CN_MAX(deadline.ns - cn_rt_now(c->p->rt).ns, (int64_t)0);
}

/* Wait for the daemon; when it says nothing for long, show why. */
static cn_err wait_some(client *c, bool *ret_can_read, bool *ret_can_write)
{
    int64_t left_ns = time_left(c);
    int64_t ask_ns = cn_waiting_left(&c->waiting, cn_rt_now(c->p->rt));
    bool asks = c->sent_all && (left_ns < 0 || ask_ns < left_ns);
    cn_err err = cn_dial_wait(
        c->fd, c->sending.len > 0, asks ? ask_ns : left_ns, ret_can_read, ret_can_write);
    if (err != CN_ERR_TIMEOUT || !asks) {
        return err;
    }
    cn_waiting_ask(&c->waiting, c->p);
    return CN_OK;
}

static cn_err exchange(client *c)
{
    cn_err err = CN_OK;
    while (!c->done && err == CN_OK) {
        bool can_read = false;
        bool can_write = false;
        CN_TRY(may_go_on(c));
        CN_TRY(next_piece(c));
        if (c->sent_all && c->p->out->is_terminal) {
            CN_TRY(cn_stdout_flush(c->p->out));
        }
        err = wait_some(c, &can_read, &can_write);
        if (err == CN_ERR_CANCELLED) {
            err = may_go_on(c); /* another signal is nothing */
            continue;
        }
        if (err == CN_OK && can_read) {
            cn_waiting_heard(&c->waiting, cn_rt_now(c->p->rt));
            err = receive(c);
        }
        if (err == CN_OK && can_write && !c->done) {
            err = send_some(c);
        }
    }
out:
    return err;
}

/* What Kubo adds where the command was used wrongly, by the daemon's judgement (400). */
static const char *advice_of(const client *c, char text[ADVICE_BYTES])
{
    text[0] = '\0';
    if (c->in.status == 400) {
        (void)snprintf(
            text, ADVICE_BYTES, "\nUse 'ipfs %s --help' for information about this command",
            c->p->command->path);
        for (char *at = strchr(text, '/'); at != NULL; at = strchr(at, '/')) {
            *at = ' ';
        }
    }
    return text;
}

/* The sentence of an error answer: {"Message": ...}, or text. */
static cn_err error_of(client *c)
{
    cn_json_doc doc;
    cn_json *root = NULL;
    const char *text = NULL;
    char advice[ADVICE_BYTES];
    if (c->in.status == 404) {
        return cn_why_set(c->why, CN_ERR_USAGE, "Command not found.");
    }
    cn_json_doc_init(&doc, c->p->mem, 16 * ERROR_MAX);
    cn_err err = CN_OK;
    if (c->in.is_json) {
        err = cn_json_parse(&doc, cn_buf_slice(&c->error), CN_JSON_FIRST, &root, NULL);
        cn_json *message = cn_json_get(root, cn_str("Message"));
        if (err == CN_OK && message != NULL && message->kind == CN_JSON_STRING) {
            cn_slice said = message->text;
            err = cn_why_set(
                c->why, CN_ERR_USAGE, "%.*s%s", (int)CN_MIN(said.len, (size_t)CN_WHY_BYTES),
                (const char *)said.data, advice_of(c, advice));
            cn_json_doc_release(&doc);
            return err;
        }
    }
    err = cn_buf_cstr(&c->error, &text);
    err = cn_why_set(
        c->why, err == CN_OK ? CN_ERR_USAGE : err, "%s%s", err == CN_OK ? text : "no memory",
        advice_of(c, advice));
    cn_json_doc_release(&doc);
    return err;
}

/* What the answer as a whole says. */
static cn_err result_of(client *c)
{
    const char *text = NULL;
    if (c->in.status >= 400) {
        return error_of(c);
    }
    if (c->in.stream_error.len > 0) {
        cn_err err = cn_buf_cstr(&c->in.stream_error, &text);
        return cn_why_set(c->why, err == CN_OK ? CN_ERR_USAGE : err, "%s", text);
    }
    return c->line.len > 0 ? side_of(c)->line(c->p->call, cn_buf_slice(&c->line)) : CN_OK;
}

static cn_err set_up(client *c)
{
    bool lines = c->p->request->stdin_args;
    cn_waiting_init(&c->waiting, c->p->rt);
    c->has_upload = c->p->source != NULL || lines;
    c->received = cn_alloc_dirty(c->p->mem, RECEIVE_BYTES);
    cn_err err = c->received == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    if (err == CN_OK && c->has_upload) {
        err = cn_upload_init(&c->upload, c->p->mem, c->p->source, lines ? c->p->input : NULL);
    }
    return err == CN_OK ? put_head(c) : err;
}

static cn_err dial(client *c)
{
    const cn_client_target *t = c->p->target;
    return t->kind == CN_CLIENT_UNIX ? cn_dial_unix(t->host, &c->fd, c->why)
                                     : cn_dial_tcp(t->host, t->port, &c->fd, c->why);
}

cn_err cn_client_run(const cn_client_parts *parts, bool *ret_reached, cn_why *why)
{
    client c = {.p = parts, .fd = -1, .why = why};
    cn_http_in_init(&c.in, parts->mem, on_body, &c);
    cn_buf_init(&c.head, parts->mem, HEAD_MAX);
    cn_buf_init(&c.line, parts->mem, LINE_MAX_BYTES);
    cn_buf_init(&c.error, parts->mem, ERROR_MAX);
    cn_err err = set_up(&c);
    *ret_reached = err != CN_OK;
    if (err == CN_OK) {
        err = dial(&c);
        *ret_reached = err == CN_OK;
    }
    if (err == CN_OK) {
        err = exchange(&c);
        err = err == CN_OK ? result_of(&c) : err;
        if (side_of(&c)->end != NULL) {
            err = side_of(&c)->end(parts->call, err);
        }
    }
    cn_dial_close(c.fd);
    if (c.has_upload) {
        cn_upload_release(&c.upload);
    }
    cn_http_in_release(&c.in);
    cn_buf_release(&c.head);
    cn_buf_release(&c.line);
    cn_buf_release(&c.error);
    cn_free(parts->mem, c.received);
    return err;
}
