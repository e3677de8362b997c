/*
 * The page that shows a directory. Rows come from the links alone; no child is read, so a listing
 * works when only the directory is here. Style and words are in listing_page.c.
 */
#include "gateway/listing_page.h"
#include "gateway/internal.h"

#include "unixfs/list.h"

/* "1.5 MB": three digits are enough for people. */
static cn_err append_size(uint64_t bytes, cn_buf *out)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    uint64_t whole = bytes;
    uint64_t tenth = 0;
    while (whole >= 1000 && unit + 1 < CN_LEN(units)) {
        tenth = whole % 1000 / 100;
        whole /= 1000;
        unit++;
    }
    if (unit > 0 && whole < 10) {
        return cn_buf_printf(
            out, "%llu.%llu %s", (unsigned long long)whole, (unsigned long long)tenth, units[unit]);
    }
    return cn_buf_printf(out, "%llu %s", (unsigned long long)whole, units[unit]);
}

/* href="...": the path as a URL, then as an attribute. */
static cn_err append_link(cn_gw_ask *a, cn_slice path, cn_buf *out)
{
    cn_buf url;
    cn_err err = CN_OK;
    cn_buf_init(&url, a->mem, 1 << 20);
    CN_TRY(cn_url_encode_path(path, &url));
    CN_TRY(cn_gw_escape_html(cn_buf_slice(&url), out));
out:
    cn_buf_release(&url);
    return err;
}

/* /ipfs / CID / a / b, each a link. */
static cn_err append_breadcrumbs(cn_gw_ask *a, cn_buf *out)
{
    cn_slice path = cn_buf_slice(&a->path);
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, "<nav aria-label=\"Path\"><span>ipfs</span>"));
    for (size_t start = 6; start < path.len;) {
        size_t len = cn_slice_find(cn_slice_skip(path, start), '/');
        cn_slice segment = cn_slice_head(cn_slice_skip(path, start), len);
        CN_TRY(cn_buf_text(out, "<i>/</i><a href=\""));
        CN_TRY(append_link(a, cn_slice_head(path, start + len), out));
        CN_TRY(cn_buf_text(out, start == 6 ? "/\" translate=\"no\">" : "/\">"));
        CN_TRY(cn_gw_escape_html(segment, out));
        CN_TRY(cn_buf_text(out, "</a>"));
        start += len + 1;
    }
    CN_TRY(cn_buf_text(out, "</nav>\n"));
out:
    return err;
}

/* A CID as people recognise it: its beginning and end. */
static cn_err append_short_cid(const char *text, cn_buf *out)
{
    size_t len = strlen(text);
    if (len <= 16) {
        return cn_buf_text(out, text);
    }
    return cn_buf_printf(out, "%.6s\u2026%s", text, text + len - 6);
}

static cn_err append_row(cn_gw_ask *a, const cn_list_entry *e, cn_buf *out)
{
    char cid[CN_CID_TEXT_BYTES];
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, "<tr><td><a href=\""));
    CN_TRY(append_link(a, cn_buf_slice(&a->path), out));
    CN_TRY(append_link(a, e->name, out));
    CN_TRY(cn_buf_text(out, "\">"));
    CN_TRY(cn_gw_escape_html(e->name, out));
    CN_TRY(cn_buf_printf(
        out,
        "</a></td><td><a translate=\"no\" href=\"/ipfs/%s?filename=", cn_cid_text(&e->cid, cid)));
    CN_TRY(cn_url_encode_component(e->name, out));
    CN_TRY(cn_buf_text(out, "\"><code>"));
    CN_TRY(append_short_cid(cid, out));
    CN_TRY(cn_buf_text(out, "</code></a></td><td>"));
    CN_TRY(append_size(e->tsize_bytes, out));
    CN_TRY(cn_buf_text(out, "</td></tr>\n"));
out:
    return err;
}

/* All rows, and how many there are; *ret_cut if some were left out. */
static cn_err append_rows(cn_gw_ask *a, cn_buf *out, size_t *ret_rows, bool *ret_cut)
{
    cn_list list = {0};
    cn_drive drive;
    cn_list_options options = {.ahead = 1, .only_dirs = true};
    cn_err err = CN_OK;
    size_t rows = 0;
    cn_drive_init(&drive, a->mem, a->blocks, CN_DRIVE_BLOCK_MAX_BYTES);
    cn_list_init(&list, a->mem, &a->cid, &options);
    for (;;) {
        cn_pull step = {0};
        err = cn_drive_next(&drive, &list.pull, &step, &a->why);
        if (err != CN_OK || step.kind == CN_PULL_END) {
            break;
        }
        if (rows == CN_GATEWAY_ENTRIES_MAX) {
            *ret_cut = true;
            break;
        }
        err = append_row(a, step.entry, out);
        if (err != CN_OK) {
            break;
        }
        rows++;
    }
    *ret_rows = rows;
    cn_list_release(&list);
    cn_drive_release(&drive);
    return err;
}

static cn_err append_page(cn_gw_ask *a, cn_slice rows, size_t count, bool cut, cn_buf *out)
{
    char cid[CN_CID_TEXT_BYTES];
    cn_err err = CN_OK;
    CN_TRY(cn_buf_text(out, cn_listing_head));
    CN_TRY(cn_gw_escape_html(cn_buf_slice(&a->path), out));
    CN_TRY(cn_buf_text(out, cn_listing_style));
    CN_TRY(append_breadcrumbs(a, out));
    CN_TRY(cn_buf_printf(
        out, "<p class=\"about\">%zu %s \u00b7 <code translate=\"no\">%s</code></p>\n", count,
        count == 1 ? "entry" : "entries", cn_cid_text(&a->cid, cid)));
    if (count == 0) {
        CN_TRY(cn_buf_text(out, "<p>This folder is empty.</p>\n"));
    } else {
        CN_TRY(cn_buf_text(out, cn_listing_table));
        CN_TRY(cn_buf_append(out, rows));
        CN_TRY(cn_buf_text(out, "</tbody>\n</table>\n"));
    }
    if (cut) {
        CN_TRY(cn_buf_printf(
            out,
            "<p>Only the first %zu entries are shown. <code>cairn ls</code> lists them all.</p>\n",
            count));
    }
    CN_TRY(cn_buf_text(out, cn_listing_foot));
out:
    return err;
}

cn_err cn_gw_serve_listing(cn_gw_ask *a)
{
    cn_buf rows;
    cn_buf page;
    size_t count = 0;
    bool cut = false;
    const char *text = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&rows, a->mem, CN_GATEWAY_TEXT_MAX);
    cn_buf_init(&page, a->mem, CN_GATEWAY_TEXT_MAX);
    CN_TRY(append_rows(a, &rows, &count, &cut));
    CN_TRY(append_page(a, cn_buf_slice(&rows), count, cut, &page));
    CN_TRY(cn_http_response_bytes(cn_buf_slice(&page), &a->response));
    CN_TRY(cn_gw_common_headers(a));
    CN_TRY(
        cn_gw_header(a, "Cache-Control", "public, max-age=604800, stale-while-revalidate=2678400"));
    CN_TRY(cn_gw_header(a, "Content-Type", "text/html"));
    CN_TRY(cn_buf_cstr(&a->etag, &text));
    CN_TRY(cn_gw_header(a, "Etag", "%s", text));
    CN_TRY(cn_gw_path_header(a));
    CN_TRY(cn_buf_cstr(&a->roots, &text));
    CN_TRY(cn_gw_header(a, "X-Ipfs-Roots", "%s", text));
    a->may_cache = a->may_cache && page.len <= CN_GATEWAY_SMALL_MAX;
    a->cached_bytes = page.len;
    a->status = 200;
out:
    cn_buf_release(&rows);
    cn_buf_release(&page);
    return err;
}
