/*
 * Responses: libmicrohttpd's own objects, made in three ways. Its functions are loaded by then: a
 * server runs.
 */
#include "http/internal.h"

/* The table; a response is only ever made for a server that runs. */
static const cn_mhd *mhd(void)
{
    const cn_mhd *table = NULL;
    CN_ASSERT(cn_mhd_load(&table, NULL) == CN_OK);
    return table;
}

/* `made` if it was made. */
static cn_err give(struct MHD_Response *made, cn_http_response **ret)
{
    if (made == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    *ret = made;
    return CN_OK;
}

/* libmicrohttpd's signature is not const; persistent bytes are only read. */
static void *unconst(const uint8_t *data)
{
    void *p = NULL;
    cn_copy(&p, &data, sizeof p);
    return p;
}

cn_err cn_http_response_bytes(cn_slice body, cn_http_response **ret)
{
    return give(
        mhd()->create_response_from_buffer(body.len, unconst(body.data), MHD_RESPMEM_MUST_COPY),
        ret);
}

cn_err cn_http_response_static(cn_slice body, cn_http_response **ret)
{
    return give(
        mhd()->create_response_from_buffer(body.len, unconst(body.data), MHD_RESPMEM_PERSISTENT),
        ret);
}

typedef struct puller {
    cn_http_pull pull;
    cn_mem *mem;
} puller;

static ssize_t pull_some(void *ctx, uint64_t position, char *data, size_t max)
{
    puller *p = ctx;
    size_t len = 0;
    CN_UNUSED(position);
    for (;;) {
        cn_err err = p->pull.read(p->pull.ctx, (uint8_t *)data, max, &len);
        if (err == CN_OK) {
            break;
        }
        if (err != CN_ERR_BUSY || p->pull.waker == NULL) {
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        switch (cn_http_waker_sleep(p->pull.waker)) {
        case CN_HTTP_SLEEPS:
            return 0;
        case CN_HTTP_STOPS:
            return MHD_CONTENT_READER_END_WITH_ERROR;
        case CN_HTTP_GOES_ON:
            break;
        }
    }
    return len == 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)len;
}

static void pull_free(void *ctx)
{
    puller *p = ctx;
    if (p->pull.free != NULL) {
        p->pull.free(p->pull.ctx);
    }
    cn_free(p->mem, p);
}

cn_err cn_http_response_pull(cn_mem *mem, const cn_http_pull *pull, cn_http_response **ret)
{
    puller *p = cn_alloc(mem, sizeof *p);
    struct MHD_Response *made = NULL;
    if (p != NULL) {
        *p = (puller){*pull, mem};
        made = mhd()->create_response_from_callback(
            pull->size_bytes < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)pull->size_bytes,
            CN_MAX(pull->piece_bytes, (size_t)1), pull_some, p, pull_free);
    }
    if (made == NULL) {
        cn_free(mem, p);
        if (pull->free != NULL) {
            pull->free(pull->ctx);
        }
    }
    return give(made, ret);
}

static ssize_t pull_nothing(void *ctx, uint64_t position, char *data, size_t max)
{
    CN_UNUSED(ctx);
    CN_UNUSED(position);
    CN_UNUSED(data);
    CN_UNUSED(max);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

cn_err cn_http_response_empty(int64_t size_bytes, cn_http_response **ret)
{
    if (size_bytes == 0) {
        return cn_http_response_static((cn_slice){0}, ret);
    }
    return give(
        mhd()->create_response_from_callback(
            size_bytes < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)size_bytes, 1, pull_nothing, NULL, NULL),
        ret);
}

cn_err cn_http_response_header(cn_http_response *resp, const char *name, const char *value)
{
    /* It refuses what cannot be in a header, which is not told apart from lack of memory. */
    if (strpbrk(value, "\r\n") != NULL) {
        return CN_ERR_MALFORMED;
    }
    if (value[0] == '\0') {
        return CN_OK; /* it has no word for an empty value; absence means the same */
    }
    return mhd()->add_response_header(resp, name, value) == MHD_YES ? CN_OK : CN_ERR_NO_MEMORY;
}

void cn_http_response_free(cn_http_response *resp)
{
    if (resp != NULL) {
        mhd()->destroy_response(resp);
    }
}
