/*
 * Content paths. Cleaning writes segment after segment into the path's own buffer; the end of each
 * segment is found again by its slash when ".." takes it back. The views into the buffer are set
 * once it no longer changes.
 */
#include "ipld/path.h"

#include "codec/quote.h"

static const char *const names[] = {
    [CN_NS_IPFS] = "ipfs", [CN_NS_IPLD] = "ipld", [CN_NS_IPNS] = "ipns"};

const char *cn_namespace_name(cn_namespace ns)
{
    return names[ns];
}

bool cn_ipfs_path_next(cn_slice *rest, cn_slice *ret_segment)
{
    if (rest->len == 0) {
        return false;
    }
    size_t len = cn_slice_find(*rest, '/');
    *ret_segment = cn_slice_head(*rest, len);
    *rest = cn_slice_skip(*rest, len + 1);
    return true;
}

static cn_err invalid(cn_slice text, cn_err err, const char *reason, cn_why *why)
{
    char quoted[CN_QUOTE_TEXT_BYTES];
    return cn_why_set(why, err, "invalid path %s: %s", cn_quote_text(text, quoted), reason);
}

/* Does `text` begin with the scheme `name` and a colon? */
static bool has_scheme(cn_slice text, const char *name)
{
    size_t len = strlen(name);
    if (text.len <= len || text.data[len] != ':') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text.data[i];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != name[i]) {
            return false;
        }
    }
    return true;
}

/* Append `text` to `out`, a URI as the path it stands for. */
static cn_err from_uri(cn_slice text, cn_buf *out)
{
    for (size_t i = 0; i < CN_LEN(names); i++) {
        if (has_scheme(text, names[i])) {
            cn_slice rest = cn_slice_skip(text, strlen(names[i]) + 1);
            if (cn_slice_starts(rest, cn_str("//"))) {
                rest = cn_slice_skip(rest, 2);
            }
            cn_err err = cn_buf_printf(out, "/%s/", names[i]);
            return err != CN_OK ? err : cn_buf_append(out, rest);
        }
    }
    return cn_buf_append(out, text);
}

/* Append the cleaned form of `text`, which begins with a slash, to the empty `out`. */
static cn_err clean(cn_slice text, cn_buf *out)
{
    cn_err err = CN_OK;
    cn_slice segment = {0};
    while (cn_ipfs_path_next(&text, &segment)) {
        if (segment.len == 0 || cn_slice_is(segment, ".")) {
            continue;
        }
        if (cn_slice_is(segment, "..")) {
            while (out->len > 0 && out->data[out->len - 1] != '/') {
                out->len--;
            }
            out->len -= out->len > 0 ? 1 : 0;
            continue;
        }
        CN_TRY(cn_buf_byte(out, '/'));
        CN_TRY(cn_buf_append(out, segment));
    }
out:
    return err;
}

/* Set the views of `p` and read its root; `given` is what messages quote. */
static cn_err take_apart(cn_slice given, cn_ipfs_path *p, cn_why *why)
{
    cn_slice rest = cn_slice_skip(cn_buf_slice(&p->text), 1);
    cn_slice ns = {0};
    if (!cn_ipfs_path_next(&rest, &ns) || !cn_ipfs_path_next(&rest, &p->root_text)) {
        return invalid(given, CN_ERR_MALFORMED, "path does not have enough components", why);
    }
    p->rest = cn_slice_ends(rest, cn_str("/")) ? cn_slice_head(rest, rest.len - 1) : rest;
    for (size_t i = 0; i < CN_LEN(names); i++) {
        if (!cn_slice_is(ns, names[i])) {
            continue;
        }
        p->ns = (cn_namespace)i;
        if (p->ns == CN_NS_IPNS) {
            return CN_OK;
        }
        cn_why inner = {0};
        cn_err err = cn_cid_parse(p->root_text, &p->root, &inner);
        return err == CN_OK ? CN_OK : invalid(given, err, cn_why_text(&inner, err), why);
    }
    char quoted[CN_QUOTE_TEXT_BYTES];
    char reason[CN_QUOTE_TEXT_BYTES + 32] = "unknown namespace: ";
    size_t at = strlen(reason);
    const char *name = cn_quote_text(ns, quoted);
    cn_copy(reason + at, name, strlen(name) + 1);
    return invalid(given, CN_ERR_MALFORMED, reason, why);
}

cn_err cn_ipfs_path_parse(cn_slice text, cn_mem *mem, cn_ipfs_path *ret, cn_why *why)
{
    cn_err err = CN_OK;
    cn_ipfs_path p = {0};
    cn_slice given = {0};
    cn_buf plain;
    cn_buf_init(&plain, mem, CN_IPFS_PATH_MAX_BYTES);
    cn_buf_init(&p.text, mem, CN_IPFS_PATH_MAX_BYTES);
    CN_TRY(from_uri(text, &plain));
    given = cn_buf_slice(&plain);
    if (!cn_slice_starts(given, cn_str("/"))) {
        err = invalid(given, CN_ERR_MALFORMED, "path does not have enough components", why);
        goto out;
    }
    CN_TRY(clean(given, &p.text));
    if (cn_slice_ends(given, cn_str("/"))) {
        CN_TRY(cn_buf_byte(&p.text, '/'));
    }
    CN_TRY(take_apart(given, &p, why));
    *ret = p;
    p = (cn_ipfs_path){0};
out:
    cn_buf_release(&plain);
    cn_ipfs_path_release(&p);
    return err;
}

cn_err cn_ipfs_path_parse_arg(cn_slice text, cn_mem *mem, cn_ipfs_path *ret, cn_why *why)
{
    cn_err err = cn_ipfs_path_parse(text, mem, ret, why);
    if (err == CN_OK || err == CN_ERR_NO_MEMORY) {
        return err;
    }
    cn_buf prefixed;
    cn_buf_init(&prefixed, mem, CN_IPFS_PATH_MAX_BYTES);
    cn_err second = cn_buf_text(&prefixed, "/ipfs/");
    if (second == CN_OK) {
        second = cn_buf_append(&prefixed, text);
    }
    if (second == CN_OK) {
        second = cn_ipfs_path_parse(cn_buf_slice(&prefixed), mem, ret, NULL);
    }
    cn_buf_release(&prefixed);
    return second == CN_OK || second == CN_ERR_NO_MEMORY ? second : err;
}

void cn_ipfs_path_release(cn_ipfs_path *p)
{
    cn_buf_release(&p->text);
    *p = (cn_ipfs_path){0};
}
