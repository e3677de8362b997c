/*
 * Making a gateway and giving it back: copies of what its options say.
 */
#include "gateway/internal.h"

enum { DEFAULT_CACHE_BYTES = 8 << 20 };

static cn_err copy_headers(cn_gateway *g, const cn_gateway_options *o)
{
    g->headers = cn_alloc_array(g->mem, o->headers_len + 1, sizeof *g->headers);
    if (g->headers == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < o->headers_len; i++) {
        g->headers[i].name = cn_strdup(g->mem, o->headers[i].name, strlen(o->headers[i].name));
        g->headers[i].value = cn_strdup(g->mem, o->headers[i].value, strlen(o->headers[i].value));
        if (g->headers[i].name == NULL || g->headers[i].value == NULL) {
            return CN_ERR_NO_MEMORY;
        }
    }
    return CN_OK;
}

cn_err cn_gateway_new(const cn_gateway_options *options, cn_gateway **ret)
{
    cn_err err = CN_OK;
    size_t cache_bytes = options->cache_bytes == 0 ? DEFAULT_CACHE_BYTES : options->cache_bytes;
    cn_gateway *g = cn_alloc(options->mem, sizeof *g);
    if (g == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    g->mem = options->mem;
    g->options = *options;
    CN_TRY(copy_headers(g, options));
    if (options->root_redirect != NULL && options->root_redirect[0] != '\0') {
        g->root_redirect =
            cn_strdup(g->mem, options->root_redirect, strlen(options->root_redirect));
        CN_TRY(g->root_redirect == NULL ? CN_ERR_NO_MEMORY : CN_OK);
    }
    CN_TRY(cn_gw_cache_new(g->mem, cache_bytes, &g->cache));
    *ret = g;
    g = NULL;
out:
    cn_gateway_free(g);
    return err;
}

static void free_text(cn_mem *mem, const char *text)
{
    void *p = NULL;
    cn_copy(&p, &text, sizeof p);
    cn_free(mem, p);
}

void cn_gateway_free(cn_gateway *g)
{
    if (g == NULL) {
        return;
    }
    for (size_t i = 0; g->headers != NULL && i < g->options.headers_len; i++) {
        free_text(g->mem, g->headers[i].name);
        free_text(g->mem, g->headers[i].value);
    }
    cn_gw_cache_free(g->cache);
    cn_free(g->mem, g->headers);
    cn_free(g->mem, g->root_redirect);
    cn_free(g->mem, g);
}
