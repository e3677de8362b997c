/* Responses cut anywhere read the same. */
#include "cli/http_in.h"
#include "lib/test.h"

static cn_err gather(void *ctx, cn_slice bytes)
{
    return cn_buf_append(ctx, bytes);
}

/* Feed `text` in pieces of `step`; the body goes to `body`. */
static cn_err read_in_steps(cn_http_in *h, cn_buf *body, cn_slice text, size_t step)
{
    cn_err err = CN_OK;
    cn_http_in_init(h, cn_mem_default(), gather, body);
    while (err == CN_OK && text.len > 0) {
        err = cn_http_in_feed(h, cn_slice_head(text, step));
        text = cn_slice_skip(text, step);
    }
    return err == CN_OK ? cn_http_in_end(h) : err;
}

static void
check(const char *text, cn_err expected, int status, const char *body_text, const char *error_text)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        cn_http_in h;
        cn_buf body;
        cn_buf_init(&body, cn_mem_default(), 1000);
        CHECK_ERR(read_in_steps(&h, &body, cn_str(text), step), expected);
        if (expected == CN_OK) {
            CHECK_EQ(h.status, status);
            CHECK_BYTES(cn_buf_slice(&body), cn_str(body_text));
            CHECK_BYTES(cn_buf_slice(&h.stream_error), cn_str(error_text));
        }
        cn_http_in_release(&h);
        cn_buf_release(&body);
    }
}

static void responses_are_read_in_any_pieces(void)
{
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", CN_OK, 200, "hello", "");
    check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", CN_OK, 200, "", "");
    check(
        "HTTP/1.0 500 No\r\ncontent-type: text/plain\r\n\r\nall of it", CN_OK, 500, "all of it",
        "");
    check(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Stream-Error: it broke\r\n\r\n",
        CN_OK, 200, "abc0123456789", "it broke");
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", CN_ERR_TRUNCATED, 0, "",
        "");
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", CN_ERR_MALFORMED, 0, "", "");
    check("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", CN_ERR_MALFORMED, 0, "", "");
    check("SSH-2.0-x\r\n", CN_ERR_MALFORMED, 0, "", "");
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", CN_ERR_TRUNCATED, 0, "", "");
}

int main(void)
{
    TEST(responses_are_read_in_any_pieces);
    return test_end();
}
