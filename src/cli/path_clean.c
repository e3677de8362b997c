/*
 * Cleaning goes name by name. Invariant: what was appended is clean, and its first `floor` bytes
 * (a leading slash, leading "..") cannot be taken away.
 */
#include "cli/path_clean.h"

/* Take the last name away, with the slash before it unless that is the root. */
static void drop_last(cn_buf *out, size_t floor)
{
    while (out->len > floor && out->data[out->len - 1] != '/') {
        out->len--;
    }
    out->len -= out->len > floor ? 1 : 0;
}

static cn_err add_name(cn_buf *out, size_t start, cn_slice name)
{
    bool first = out->len == start || out->data[out->len - 1] == '/';
    cn_err err = first ? CN_OK : cn_buf_byte(out, '/');
    return err == CN_OK ? cn_buf_append(out, name) : err;
}

cn_err cn_path_clean(cn_slice path, cn_buf *ret)
{
    size_t start = ret->len;
    bool absolute = path.len > 0 && path.data[0] == '/';
    cn_err err = absolute ? cn_buf_byte(ret, '/') : CN_OK;
    size_t floor = ret->len;
    for (size_t at = 0; at < path.len && err == CN_OK;) {
        size_t end = at;
        while (end < path.len && path.data[end] != '/') {
            end++;
        }
        cn_slice name = cn_slice_of(path.data + at, end - at);
        at = end + 1;
        if (name.len == 0 || cn_slice_is(name, ".")) {
            continue;
        }
        if (!cn_slice_is(name, "..")) {
            err = add_name(ret, start, name);
        } else if (ret->len > floor) {
            drop_last(ret, floor);
        } else if (!absolute) {
            err = add_name(ret, start, name);
            floor = ret->len;
        }
    }
    return err == CN_OK && ret->len == start ? cn_buf_byte(ret, '.') : err;
}
