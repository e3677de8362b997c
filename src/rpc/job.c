/*
 * One call over RPC: the command's sink writes the answer's headers and body, its input and files
 * are the request's body.
 */
#include "rpc/internal.h"

#include "cmd/version.h"
#include "codec/json_write.h"

#include <stdio.h>

static cn_job *job_of(cn_sink *s)
{
    return (cn_job *)s;
}

/* --- the sink --- */

/* The headers of every answer that a command makes. */
static cn_err command_headers(cn_job *j, cn_http_response *resp)
{
    static const char shown[] = "X-Stream-Output, X-Chunked-Output, X-Content-Length";
    cn_err err = CN_OK;
    CN_TRY(cn_rpc_common_headers(j->rpc, resp, cn_buf_slice(&j->origin), j->credentials));
    CN_TRY(cn_http_response_header(resp, "Vary", "Origin"));
    CN_TRY(cn_http_response_header(resp, "Access-Control-Allow-Headers", shown));
    CN_TRY(cn_http_response_header(resp, "Access-Control-Expose-Headers", shown));
    CN_TRY(cn_http_response_header(resp, "Server", "kubo/" CN_KUBO_VERSION));
    CN_TRY(cn_http_response_header(resp, "Trailer", "X-Stream-Error"));
out:
    return err;
}

static const char *usual_type(const cn_sink_head *head)
{
    if (head->kind == CN_SINK_RAW || head->encoding == CN_ENC_TEXT ||
        head->encoding == CN_ENC_TEXTNL) {
        return "text/plain";
    }
    return head->encoding == CN_ENC_XML ? "application/xml" : "application/json";
}

static cn_err sink_begin(cn_sink *s, const cn_sink_head *head)
{
    cn_job *j = job_of(s);
    cn_http_response *resp = cn_http_stream_response(j->stream);
    char size[32];
    cn_err err = CN_OK;
    CN_TRY(command_headers(j, resp));
    CN_TRY(cn_http_response_header(
        resp, "Content-Type", head->content_type != NULL ? head->content_type : usual_type(head)));
    if (head->kind == CN_SINK_RAW) {
        CN_TRY(cn_http_response_header(resp, "X-Stream-Output", "1"));
    } else if (head->kind == CN_SINK_VALUES) {
        CN_TRY(cn_http_response_header(resp, "X-Chunked-Output", "1"));
    }
    if (head->has_size) {
        (void)snprintf(size, sizeof size, "%llu", (unsigned long long)head->size_bytes);
        CN_TRY(cn_http_response_header(resp, "X-Content-Length", size));
    }
    cn_http_stream_begin(j->stream, 200);
out:
    return err;
}

static cn_err sink_write(cn_sink *s, cn_slice bytes)
{
    return cn_http_stream_write(job_of(s)->stream, bytes);
}

static cn_err sink_flush(cn_sink *s)
{
    CN_UNUSED(s); /* what is written goes out as soon as the socket takes it */
    return CN_OK;
}

/* {"Message":"...","Code":0,"Type":"error"} or, where text is wanted, the sentence. */
static cn_err error_body(const cn_job *j, const cn_sink_end *end, cn_buf *out)
{
    cn_json_writer w;
    if (j->encoding == CN_ENC_TEXT || j->encoding == CN_ENC_TEXTNL) {
        return cn_buf_text(out, end->sentence);
    }
    cn_json_init(&w, out, NULL);
    cn_json_object(&w);
    cn_json_put_text(&w, "Message", end->sentence);
    cn_json_put_int(&w, "Code", end->code);
    cn_json_put_text(&w, "Type", "error");
    cn_json_object_end(&w);
    cn_err err = cn_json_finish(&w);
    return err == CN_OK ? cn_buf_byte(out, '\n') : err;
}

static cn_err send_error(cn_job *j, const cn_sink_end *end)
{
    cn_http_response *resp = cn_http_stream_response(j->stream);
    bool text = j->encoding == CN_ENC_TEXT || j->encoding == CN_ENC_TEXTNL;
    cn_buf body;
    unsigned status = end->code == 1 ? 400 : end->code == 3 ? 429 : end->code == 4 ? 403 : 500;
    cn_err err = CN_OK;
    cn_buf_init(&body, j->rpc->options.mem, 64 << 10);
    CN_TRY(error_body(j, end, &body));
    CN_TRY(command_headers(j, resp));
    CN_TRY(cn_http_response_header(resp, "Content-Type", text ? "text/plain" : "application/json"));
    cn_http_stream_begin(j->stream, status);
    err = cn_http_stream_write(j->stream, cn_buf_slice(&body));
out:
    cn_buf_release(&body);
    return err;
}

/* A sentence as a header can carry it: on one line. */
static void one_line(char *text)
{
    for (; *text != '\0'; text++) {
        *text = *text == '\n' || *text == '\r' ? ' ' : *text;
    }
}

static void sink_end(cn_sink *s, const cn_sink_end *end, bool begun)
{
    cn_job *j = job_of(s);
    char sentence[CN_WHY_BYTES];
    if (end->err == CN_OK && !begun) {
        cn_sink_head head = {.kind = CN_SINK_VALUES, .encoding = j->encoding};
        if (sink_begin(s, &head) != CN_OK) {
            cn_http_stream_abort(j->stream);
            return;
        }
    }
    if (end->err != CN_OK && !begun && send_error(j, end) != CN_OK) {
        cn_http_stream_abort(j->stream);
        return;
    }
    if (end->err != CN_OK && begun) {
        (void)snprintf(sentence, sizeof sentence, "%s", end->sentence);
        one_line(sentence);
        cn_http_stream_end(j->stream, "X-Stream-Error", sentence);
        return;
    }
    cn_http_stream_end(j->stream, NULL, NULL);
}

static const cn_sink_ops sink_ops = {
    .begin = sink_begin,
    .write = sink_write,
    .flush = sink_flush,
    .end = sink_end,
};

/* --- the body --- */

static cn_err body_read(cn_input *in, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    cn_job *j = CN_CONTAINER(in, cn_job, body);
    CN_UNUSED(why);
    return cn_http_stream_read(j->stream, data, len, ret_len);
}

static const cn_input_ops body_ops = {.read = body_read};

/* The bytes of the first file of the upload. */
static cn_err lines_read(cn_input *in, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    cn_job *j = CN_CONTAINER(in, cn_job, lines);
    cn_source_entry e = {0};
    cn_err err = CN_OK;
    while (!j->lines_begun) {
        err = cn_source_next(&j->upload.source, &e, why);
        if (err != CN_OK) {
            return err;
        }
        j->lines_begun = e.kind == CN_SOURCE_FILE || e.kind == CN_SOURCE_END;
    }
    return cn_source_read(&j->upload.source, data, len, ret_len, why);
}

static const cn_input_ops lines_ops = {.read = lines_read};

/* --- running --- */

static bool has_left(void *ctx)
{
    return cn_http_stream_has_left(((cn_job *)ctx)->stream);
}

static void say_stalled(void *ctx, cn_slice report)
{
    cn_stall_say(&((cn_job *)ctx)->stall, report);
}

/* Make the call and run it; an error before it could be made is answered here. */
static void run_call(cn_job *j)
{
    cn_rpc *rpc = j->rpc;
    cn_call *call = NULL;
    cn_why why = {0};
    cn_call_parts parts = {
        .request = &j->request,
        .sink = &j->sink,
        .cancel = cn_http_stream_cancel_flag(j->stream),
        .has_left = has_left,
        .has_left_ctx = j,
    };
    if (j->stall.list != NULL) {
        parts.stalled = say_stalled;
        parts.stalled_ctx = j;
    }
    if (j->has_upload) {
        parts.files = &j->upload.source;
        parts.input = &j->lines;
    }
    cn_err err = cn_call_new(&rpc->host, &parts, &call, &why);
    if (err != CN_OK) {
        cn_sink_end end = {.err = err, .sentence = cn_why_text(&why, err), .code = 1};
        sink_end(&j->sink, &end, false);
        return;
    }
    err = cn_call_prepare(call);
    if (err == CN_OK) {
        (void)cn_call_run(call);
    } else {
        (void)cn_call_end(call, err);
    }
    cn_call_free(call);
}

void cn_job_run(void *job, cn_http_stream *s)
{
    cn_job *j = job;
    j->stream = s;
    j->sink.ops = &sink_ops;
    j->body.ops = &body_ops;
    j->lines.ops = &lines_ops;
    if (j->content_type.len > 0) {
        cn_slice type = cn_buf_slice(&j->content_type);
        j->has_upload = cn_intake_init(&j->upload, j->rpc->options.mem, &j->body, type) == CN_OK;
    }
    run_call(j);
    cn_job_free(j);
}

void cn_job_free(void *job)
{
    cn_job *j = job;
    if (j == NULL) {
        return;
    }
    cn_stall_end(&j->stall);
    cn_request_release(&j->request);
    cn_intake_release(&j->upload);
    cn_buf_release(&j->content_type);
    cn_buf_release(&j->origin);
    cn_free(j->rpc->options.mem, j);
}
