/*
 * Where the daemon is.
 */
#include "cli/client.h"

#include "base/num.h"

static cn_err refuse(cn_why *why, const char *text, const char *problem)
{
    return cn_why_set(why, CN_ERR_USAGE, "failed to parse multiaddr \"%s\": %s", text, problem);
}

static cn_slice take(cn_slice *s)
{
    cn_slice part = cn_slice_head(*s, cn_slice_find(*s, '/'));
    *s = cn_slice_skip(*s, part.len + 1);
    return part;
}

static bool keep(cn_client_target *t, cn_slice host)
{
    if (host.len == 0 || host.len >= sizeof t->host) {
        return false;
    }
    cn_copy(t->host, host.data, host.len);
    t->host[host.len] = '\0';
    return true;
}

static bool is_host(cn_slice protocol)
{
    return cn_slice_is(protocol, "ip4") || cn_slice_is(protocol, "ip6") ||
           cn_slice_is(protocol, "dns") || cn_slice_is(protocol, "dns4") ||
           cn_slice_is(protocol, "dns6") || cn_slice_is(protocol, "dnsaddr");
}

cn_err cn_client_target_parse(const char *multiaddr, cn_client_target *ret, cn_why *why)
{
    cn_client_target t = {.kind = CN_CLIENT_TCP};
    cn_slice rest = cn_str(multiaddr);
    uint64_t port = 0;
    if (rest.len == 0) {
        return refuse(why, multiaddr, "empty multiaddr");
    }
    if (rest.data[0] != '/') {
        return refuse(why, multiaddr, "must begin with /");
    }
    rest = cn_slice_skip(rest, 1);
    cn_slice protocol = take(&rest);
    if (cn_slice_is(protocol, "unix")) {
        /* /unix/run/x is the path /run/x */
        t.kind = CN_CLIENT_UNIX;
        cn_slice path = cn_str(multiaddr + strlen("/unix"));
        if (!keep(&t, path)) {
            return refuse(why, multiaddr, "unexpected end of multiaddr");
        }
        *ret = t;
        return CN_OK;
    }
    if (!is_host(protocol)) {
        return cn_why_set(
            why, CN_ERR_USAGE, "failed to parse multiaddr \"%s\": unknown protocol %.*s", multiaddr,
            (int)CN_MIN(protocol.len, 100), (const char *)protocol.data);
    }
    if (!keep(&t, take(&rest))) {
        return refuse(why, multiaddr, "unexpected end of multiaddr");
    }
    if (!cn_slice_is(take(&rest), "tcp") || cn_num_u64(take(&rest), &port) != CN_OK ||
        port > UINT16_MAX) {
        return refuse(why, multiaddr, "no tcp port in it");
    }
    if (rest.len > 0 && !cn_slice_is(rest, "http")) {
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "the API at %s cannot be reached: only /http is supported",
            multiaddr);
    }
    t.port = (uint16_t)port;
    *ret = t;
    return CN_OK;
}

cn_err cn_client_target_read(
    cn_rt *rt, cn_mem *mem, const char *repo_path, cn_client_target *ret, cn_why *why)
{
    enum { API_FILE_MAX = 2048 };
    cn_buf path;
    cn_buf text;
    const char *name = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&path, mem, 1 << 16);
    cn_buf_init(&text, mem, API_FILE_MAX);
    CN_TRY(cn_buf_printf(&path, "%s/api", repo_path));
    CN_TRY(cn_buf_cstr(&path, &name));
    err = cn_rt_read_file(rt, name, &text, NULL);
    if (err != CN_OK) {
        err = CN_OK; /* no daemon, or no repo: the command says which */
        goto out;
    }
    while (text.len > 0 && text.data[text.len - 1] <= ' ') {
        text.len--;
    }
    CN_TRY(cn_buf_cstr(&text, &name));
    err = text.len == 0 ? CN_OK : cn_client_target_parse(name, ret, why);
out:
    cn_buf_release(&path);
    cn_buf_release(&text);
    return err;
}
