/*
 * Allowed origins are a list of texts; "*" in it lets all in. The config's
 * API.HTTPHeaders.Access-Control-Allow-Origin adds to the node's own names, as Kubo does it.
 */
#include "rpc/guard.h"

#include "cmd/version.h"

enum { ORIGINS_MAX = 256, ORIGIN_TEXT_MAX = 64 << 10 };

struct cn_guard {
    cn_mem *mem;
    const cn_config *config;
    cn_slice *origins; /* those from ports lie in `text`, at offsets until the first question */
    size_t origins_len;
    size_t origins_cap;
    char *texts[64]; /* owned */
    size_t texts_len;
    const cn_json *methods;     /* array, or NULL */
    const cn_json *credentials; /* array, or NULL */
    const cn_json *authorizations;
};

static cn_err add_origin(cn_guard *g, cn_slice text)
{
    void *p = g->origins;
    cn_err err =
        cn_array_grow(g->mem, &p, &g->origins_cap, g->origins_len, ORIGINS_MAX, sizeof *g->origins);
    g->origins = p;
    if (err == CN_OK) {
        g->origins[g->origins_len++] = text;
    }
    return err;
}

/* The values of a header in the config, whatever the case of its name. */
static const cn_json *header_of(const cn_config *config, const char *name)
{
    const cn_json *headers = cn_config_get(config, "API.HTTPHeaders");
    const cn_json *values = cn_json_get_fold(headers, cn_str(name));
    return values != NULL && values->kind == CN_JSON_ARRAY ? values : NULL;
}

cn_err cn_guard_new(cn_mem *mem, const cn_config *config, cn_guard **ret)
{
    static const char *const companions[] = {
        "chrome-extension://nibjojkomfdiaoajekhjakgkdhaomnch",
        "chrome-extension://hjoieblefckbooibpepigmacodalfndh",
    };
    cn_err err = CN_OK;
    cn_guard *g = cn_alloc(mem, sizeof *g);
    if (g == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    g->mem = mem;
    g->config = config;
    g->methods = header_of(config, "Access-Control-Allow-Methods");
    g->credentials = header_of(config, "Access-Control-Allow-Credentials");
    g->authorizations = cn_config_get(config, "API.Authorizations");
    const cn_json *origins = header_of(config, "Access-Control-Allow-Origin");
    for (const cn_json *o = origins == NULL ? NULL : origins->first; err == CN_OK && o != NULL;
         o = o->next) {
        err = add_origin(g, o->text);
    }
    for (size_t i = 0; err == CN_OK && i < CN_LEN(companions); i++) {
        err = add_origin(g, cn_str(companions[i]));
    }
    if (err != CN_OK) {
        cn_guard_free(g);
        return err;
    }
    *ret = g;
    return CN_OK;
}

void cn_guard_free(cn_guard *g)
{
    if (g == NULL) {
        return;
    }
    for (size_t i = 0; i < g->texts_len; i++) {
        cn_free(g->mem, g->texts[i]);
    }
    cn_free(g->mem, g->origins);
    cn_free(g->mem, g);
}

cn_err cn_guard_allow_port(cn_guard *g, uint16_t port)
{
    static const char *const hosts[] = {"127.0.0.1", "[::1]", "localhost"};
    cn_err err = CN_OK;
    cn_buf text;
    cn_buf_init(&text, g->mem, 1024);
    for (size_t i = 0; err == CN_OK && i < 2 * CN_LEN(hosts); i++) {
        const char *scheme = i % 2 == 0 ? "http" : "https";
        cn_buf_reset(&text);
        err = cn_buf_printf(&text, "%s://%s:%u", scheme, hosts[i / 2], (unsigned)port);
        if (err == CN_OK && g->texts_len < CN_LEN(g->texts)) {
            char *copy = cn_strdup(g->mem, (const char *)text.data, text.len);
            err = copy == NULL ? CN_ERR_NO_MEMORY : CN_OK;
            if (copy != NULL) {
                g->texts[g->texts_len++] = copy;
                err = add_origin(g, cn_str(copy));
            }
        }
    }
    cn_buf_release(&text);
    return err;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool same_letters(cn_slice a, cn_slice b)
{
    size_t i = 0;
    for (; i < a.len && i < b.len && lower(a.data[i]) == lower(b.data[i]); i++) {
    }
    return i == a.len && i == b.len;
}

bool cn_guard_allows_origin(const cn_guard *g, cn_slice origin, bool *ret_any)
{
    *ret_any = false;
    for (size_t i = 0; i < g->origins_len; i++) {
        if (cn_slice_is(g->origins[i], "*")) {
            *ret_any = true;
            return true;
        }
        if (same_letters(g->origins[i], origin)) {
            return true;
        }
    }
    return false;
}

bool cn_guard_allows_method(const cn_guard *g, cn_slice method)
{
    if (g->methods == NULL) {
        return cn_slice_is(method, "POST");
    }
    for (const cn_json *m = g->methods->first; m != NULL; m = m->next) {
        if (same_letters(m->text, method)) {
            return true;
        }
    }
    return false;
}

bool cn_guard_allows_credentials(const cn_guard *g)
{
    return g->credentials != NULL && g->credentials->first != NULL &&
           cn_slice_is(g->credentials->first->text, "true");
}

/* "http://h:1/x" to "http://h:1". */
static cn_slice origin_of(cn_slice url)
{
    size_t at = 0;
    while (at < url.len && !cn_slice_starts(cn_slice_skip(url, at), cn_str("://"))) {
        at++;
    }
    at = CN_MIN(at + 3, url.len);
    return cn_slice_head(url, at + cn_slice_find(cn_slice_skip(url, at), '/'));
}

static bool contains(cn_slice s, const char *text)
{
    for (; s.len > 0; s = cn_slice_skip(s, 1)) {
        if (cn_slice_starts(s, cn_str(text))) {
            return true;
        }
    }
    return false;
}

cn_err cn_guard_check(const cn_guard *g, const cn_guard_ask *a)
{
    bool any = false;
    if (a->has_origin && a->origin.len > 0) {
        return cn_guard_allows_origin(g, a->origin, &any) ? CN_OK : CN_ERR_PERMISSION;
    }
    if (a->has_referer && a->referer.len > 0) {
        return cn_guard_allows_origin(g, origin_of(a->referer), &any) ? CN_OK : CN_ERR_PERMISSION;
    }
    if (cn_slice_starts(a->user_agent, cn_str("Mozilla")) && !contains(a->user_agent, "Electron")) {
        return CN_ERR_PERMISSION;
    }
    return CN_OK;
}

/* Equal, in a time that does not tell where they differ. */
static bool same_secret(cn_slice a, cn_slice b)
{
    uint8_t difference = a.len == b.len ? 0 : 1;
    for (size_t i = 0; i < a.len; i++) {
        difference |= a.data[i] ^ b.data[b.len == 0 ? 0 : i % b.len];
    }
    return b.len > 0 && difference == 0;
}

static cn_err base64(cn_slice in, cn_buf *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && i < in.len; i += 3) {
        size_t have = CN_MIN(in.len - i, (size_t)3);
        uint32_t bits = (uint32_t)in.data[i] << 16;
        bits |= have > 1 ? (uint32_t)in.data[i + 1] << 8 : 0;
        bits |= have > 2 ? in.data[i + 2] : 0;
        for (size_t k = 0; err == CN_OK && k < 4; k++) {
            err = cn_buf_byte(out, k > have ? '=' : (uint8_t)letters[bits >> (18 - 6 * k) & 63]);
        }
    }
    return err;
}

/* Does the header open the secret "bearer:token", "basic:user:word" or plain "token"? */
static bool opens(const cn_guard *g, cn_slice secret, cn_slice header)
{
    cn_buf wanted;
    cn_err err = CN_OK;
    cn_buf_init(&wanted, g->mem, 64 << 10);
    if (cn_slice_starts(secret, cn_str("basic:"))) {
        cn_slice rest = cn_slice_skip(secret, 6);
        err = cn_buf_text(&wanted, "Basic ");
        if (err == CN_OK) { /* given as user:word, or encoded already */
            bool plain = cn_slice_find(rest, ':') < rest.len;
            err = plain ? base64(rest, &wanted) : cn_buf_append(&wanted, rest);
        }
    } else {
        bool named = cn_slice_starts(secret, cn_str("bearer:"));
        err = cn_buf_text(&wanted, "Bearer ");
        if (err == CN_OK) {
            err = cn_buf_append(&wanted, cn_slice_skip(secret, named ? 7 : 0));
        }
    }
    bool same = err == CN_OK && same_secret(header, cn_buf_slice(&wanted));
    cn_buf_release(&wanted);
    return same;
}

cn_err cn_guard_authorize(const cn_guard *g, const cn_guard_ask *a)
{
    const cn_json *all = g->authorizations;
    if (all == NULL || all->kind != CN_JSON_OBJECT || all->len == 0) {
        return CN_OK;
    }
    for (const cn_json *one = all->first; one != NULL; one = one->next) {
        const cn_json *secret = cn_json_get_fold(one, cn_str("AuthSecret"));
        const cn_json *paths = cn_json_get_fold(one, cn_str("AllowedPaths"));
        if (secret == NULL || !opens(g, secret->text, a->authorization)) {
            continue;
        }
        if (cn_slice_is(a->path, "/api/v0/version")) {
            return CN_OK;
        }
        for (const cn_json *p = paths == NULL ? NULL : paths->first; p != NULL; p = p->next) {
            if (cn_slice_starts(a->path, p->text)) {
                return CN_OK;
            }
        }
    }
    return CN_ERR_PERMISSION;
}

cn_err cn_guard_version(const cn_guard_ask *a, cn_why *why)
{
    static const char own[] = "/kubo/" CN_KUBO_VERSION "/";
    if (cn_slice_is(a->path, "/api/v0/version")) {
        return CN_OK;
    }
    if (!contains(a->user_agent, "/kubo/") && !contains(a->user_agent, "/go-ipfs/")) {
        return CN_OK;
    }
    if (cn_slice_is(a->user_agent, own)) {
        return CN_OK;
    }
    return cn_why_set(
        why, CN_ERR_USAGE, "api version mismatch (%s != %.*s)", own,
        (int)CN_MIN(a->user_agent.len, (size_t)200), (const char *)a->user_agent.data);
}
