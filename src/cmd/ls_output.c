/*
 * How `ls` writes a listing: aligned columns as Kubo's, or JSON.
 *
 * A column is as wide as its widest cell in a run of lines without a heading between them, and one
 * space; when streaming, at least ten.
 */
#include "cmd/ls_internal.h"

#include "codec/json_write.h"
#include "codec/quote.h"

#include <stdio.h>

enum { COLUMNS_MAX = 4, STREAM_WIDTH = 10 };

/* Go's bits for what a file is, above the permissions. */
enum { GO_SETUID = 1 << 23, GO_SETGID = 1 << 22, GO_STICKY = 1 << 20, GO_SYMLINK = 1 << 27 };
static const uint32_t go_dir = UINT32_C(1) << 31;

static cn_slice name_of(const ls_listing *l, const ls_link *k)
{
    return cn_slice_of(l->texts.data + k->name_at, k->name_len);
}

void cn_ls_sort(const cn_buf *texts, ls_link *links, size_t len)
{
    /* Heap sort: in place, and no input makes it slow. Most listings come sorted. */
    size_t sorted = 1;
    const uint8_t *base = texts->data;
#define NAME(k) cn_slice_of(base + (k)->name_at, (k)->name_len)
    while (sorted < len && cn_slice_cmp(NAME(&links[sorted - 1]), NAME(&links[sorted])) <= 0) {
        sorted++;
    }
    if (sorted >= len) {
        return;
    }
    for (size_t start = len / 2, end = len; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            end--;
            ls_link top = links[0];
            links[0] = links[end];
            links[end] = top;
        }
        size_t root = start;
        for (size_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
            if (child + 1 < end && cn_slice_cmp(NAME(&links[child]), NAME(&links[child + 1])) < 0) {
                child++;
            }
            if (cn_slice_cmp(NAME(&links[root]), NAME(&links[child])) >= 0) {
                break;
            }
            ls_link held = links[root];
            links[root] = links[child];
            links[child] = held;
            root = child;
        }
    }
#undef NAME
}

/* A day's date from its number since 1970. */
static void civil_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned doe = (unsigned)(shifted - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int64_t)yoe + era * 400 + (*month <= 2 ? 1 : 0);
}

/* The number of a day since 1970; month 1 to 12, any day. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

typedef struct moment {
    int64_t year;
    unsigned month, day, hour, minute, second;
} moment;

static moment moment_of(int64_t s)
{
    moment m = {0};
    int64_t days = s / 86400 - (s % 86400 < 0 ? 1 : 0);
    unsigned rest = (unsigned)(s - days * 86400);
    civil_of(days, &m.year, &m.month, &m.day);
    m.hour = rest / 3600;
    m.minute = rest / 60 % 60;
    m.second = rest % 60;
    return m;
}

/* A time as in a long listing: with the hour if it is recent, else with the year. */
static cn_err write_mtime(cn_call *call, const ls_link *k, cn_buf *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (!k->has_mtime) {
        return cn_buf_byte(out, '-');
    }
    int64_t now = cn_rt_wall(cn_call_rt(call)).ns / CN_NS_PER_S;
    moment n = moment_of(now);
    moment m = moment_of(k->mtime_s);
    unsigned month = n.month > 6 ? n.month - 6 : n.month + 6;
    int64_t past = days_of(n.month > 6 ? n.year : n.year - 1, month, n.day) * 86400 +
                   (now - days_of(n.year, n.month, n.day) * 86400);
    const char *name = months + (m.month - 1) * 3;
    if (k->mtime_s > past && k->mtime_s < now + 86400) {
        return cn_buf_printf(out, "%.3s %02u %02u:%02u", name, m.day, m.hour, m.minute);
    }
    return cn_buf_printf(out, "%.3s %02u  %04lld", name, m.day, (long long)m.year);
}

/* RFC 3339 with as many digits of the second's fraction as need be. */
static void rfc3339(const ls_link *k, char out[64])
{
    if (!k->has_mtime) {
        (void)snprintf(out, 64, "0001-01-01T00:00:00Z");
        return;
    }
    moment m = moment_of(k->mtime_s);
    char fraction[16] = "";
    if (k->mtime_ns != 0) {
        (void)snprintf(fraction, sizeof fraction, ".%09u", (unsigned)k->mtime_ns);
        for (size_t end = strlen(fraction); end > 1 && fraction[end - 1] == '0'; end--) {
            fraction[end - 1] = '\0';
        }
    }
    (void)snprintf(
        out, 64, "%04lld-%02u-%02uT%02u:%02u:%02u%sZ", (long long)m.year, m.month, m.day, m.hour,
        m.minute, m.second, fraction);
}

/* The mode with Go's bits. */
static uint32_t go_mode(const ls_link *k)
{
    if (!k->has_mode) {
        return 0;
    }
    uint32_t mode = k->mode & 0777;
    mode |= (k->mode & 04000) != 0 ? (uint32_t)GO_SETUID : 0;
    mode |= (k->mode & 02000) != 0 ? (uint32_t)GO_SETGID : 0;
    mode |= (k->mode & 01000) != 0 ? (uint32_t)GO_STICKY : 0;
    mode |= k->kind == CN_LIST_DIR ? go_dir : 0;
    mode |= k->kind == CN_LIST_SYMLINK ? (uint32_t)GO_SYMLINK : 0;
    return mode;
}

/* The mode as in "drwxr-xr-x". */
static cn_err write_mode(const ls_link *k, cn_buf *out)
{
    static const char letters[] = "rwxrwxrwx";
    char text[11] = "----------";
    if (go_mode(k) == 0) {
        return cn_buf_byte(out, '-');
    }
    text[0] = k->kind == CN_LIST_DIR ? 'd' : k->kind == CN_LIST_SYMLINK ? 'l' : '-';
    for (unsigned i = 0; i < 9; i++) {
        text[1 + i] = (k->mode & (0400u >> i)) != 0 ? letters[i] : '-';
    }
    static const struct {
        uint32_t bit;
        size_t at;
        char with_x, without_x;
    } special[] = {{04000, 3, 's', 'S'}, {02000, 6, 's', 'S'}, {01000, 9, 't', 'T'}};
    for (size_t i = 0; i < CN_LEN(special); i++) {
        if ((k->mode & special[i].bit) != 0) {
            text[special[i].at] =
                text[special[i].at] == 'x' ? special[i].with_x : special[i].without_x;
        }
    }
    return cn_buf_text(out, text);
}

/* A name for the terminal: escaped as Go quotes it if anything in it does not print. */
static cn_err write_name(cn_call *call, cn_slice name, cn_buf *out)
{
    cn_buf quoted;
    cn_err err = CN_OK;
    cn_buf_init(&quoted, cn_call_mem(call), LS_TEXT_MAX_BYTES);
    CN_TRY(cn_quote_append(name, &quoted));
    for (size_t i = 1; i + 1 < quoted.len; i++) {
        bool quote = quoted.data[i] == '\\' && quoted.data[i + 1] == '"' && i + 2 < quoted.len;
        if (!quote) {
            CN_TRY(cn_buf_byte(out, quoted.data[i]));
        }
        if (quoted.data[i] == '\\' && !quote) {
            CN_TRY(cn_buf_byte(out, quoted.data[++i]));
        }
    }
out:
    cn_buf_release(&quoted);
    return err;
}

/* How a listing is written. */
typedef struct table {
    cn_call *call;
    cn_buf *out;
    bool size, is_long, headers, stream;
    size_t width[COLUMNS_MAX];
} table;

/* Append the cells of an entry before its name, each behind the other, and their lengths. */
static cn_err cells_of(
    const table *t, const ls_listing *l, const ls_link *k, cn_buf *cells, size_t *ends, size_t *n)
{
    cn_err err = CN_OK;
    *n = 0;
    cn_buf_reset(cells);
    if (t->is_long) {
        CN_TRY(write_mode(k, cells));
        ends[(*n)++] = cells->len;
    }
    CN_TRY(cn_buf_append(cells, cn_slice_of(l->texts.data + k->cid_at, k->cid_len)));
    ends[(*n)++] = cells->len;
    if (t->size) {
        CN_TRY(
            k->kind == CN_LIST_DIR ? cn_buf_byte(cells, '-')
                                   : cn_buf_printf(cells, "%llu", (unsigned long long)k->size));
        ends[(*n)++] = cells->len;
    }
    if (t->is_long) {
        CN_TRY(write_mtime(t->call, k, cells));
        ends[(*n)++] = cells->len;
    }
out:
    return err;
}

static void widen(table *t, const size_t *ends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        t->width[i] = CN_MAX(t->width[i], ends[i] - (i == 0 ? 0 : ends[i - 1]) + 1);
    }
}

static cn_err write_cells(table *t, const cn_buf *cells, const size_t *ends, size_t n)
{
    cn_err err = CN_OK;
    for (size_t i = 0; i < n; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        CN_TRY(cn_buf_append(t->out, cn_slice_of(cells->data + start, ends[i] - start)));
        for (size_t pad = ends[i] - start; pad < t->width[i]; pad++) {
            CN_TRY(cn_buf_byte(t->out, ' '));
        }
    }
out:
    return err;
}

/* The heading of the columns, as cells. */
static cn_err header_cells(const table *t, cn_buf *cells, size_t *ends, size_t *n)
{
    cn_err err = CN_OK;
    const char *names[] = {
        t->is_long ? "Mode" : NULL, "Hash", t->size ? "Size" : NULL, t->is_long ? "ModTime" : NULL};
    *n = 0;
    cn_buf_reset(cells);
    for (size_t i = 0; i < CN_LEN(names); i++) {
        if (names[i] != NULL) {
            CN_TRY(cn_buf_text(cells, names[i]));
            ends[(*n)++] = cells->len;
        }
    }
out:
    return err;
}

static cn_err write_object(table *t, const ls_listing *l, const ls_object *o, bool heading)
{
    size_t ends[COLUMNS_MAX] = {0};
    size_t n = 0;
    cn_buf cells;
    cn_err err = CN_OK;
    cn_buf_init(&cells, cn_call_mem(t->call), 4096);
    for (size_t i = 0; i < COLUMNS_MAX; i++) {
        t->width[i] = t->stream ? STREAM_WIDTH : 1;
    }
    if (heading) {
        CN_TRY(header_cells(t, &cells, ends, &n));
        widen(t, ends, n);
    }
    for (size_t i = 0; i < o->len; i++) {
        CN_TRY(cells_of(t, l, &l->links[o->first + i], &cells, ends, &n));
        widen(t, ends, n);
    }
    if (heading) {
        CN_TRY(header_cells(t, &cells, ends, &n));
        CN_TRY(write_cells(t, &cells, ends, n));
        CN_TRY(cn_buf_text(t->out, "Name\n"));
    }
    for (size_t i = 0; i < o->len; i++) {
        const ls_link *k = &l->links[o->first + i];
        CN_TRY(cells_of(t, l, k, &cells, ends, &n));
        CN_TRY(write_cells(t, &cells, ends, n));
        CN_TRY(write_name(t->call, name_of(l, k), t->out));
        CN_TRY(cn_buf_text(t->out, k->kind == CN_LIST_DIR ? "/\n" : "\n"));
    }
out:
    cn_buf_release(&cells);
    return err;
}

static cn_err ls_text(cn_call *call, cn_buf *out, const void *value)
{
    const ls_listing *l = value;
    cn_slice last = l->last_path;
    cn_err err = CN_OK;
    table t = {
        .call = call,
        .out = out,
        .size = cn_call_flag(call, "size", NULL),
        .is_long = cn_call_flag(call, "long", NULL),
        .headers = cn_call_flag(call, "headers", NULL),
        .stream = cn_call_flag(call, "stream", NULL)};
    bool many = cn_call_args_len(call) > 1;
    for (size_t i = 0; i < l->objects_len; i++) {
        const ls_object *o = &l->objects[i];
        bool starts = !cn_slice_eq(o->path, last);
        if (starts && many) {
            CN_TRY(cn_buf_text(out, last.len > 0 ? "\n" : ""));
            CN_TRY(cn_buf_append(out, o->path));
            CN_TRY(cn_buf_text(out, ":\n"));
        }
        last = starts ? o->path : last;
        CN_TRY(write_object(&t, l, o, starts && t.headers));
    }
out:
    return err;
}

static void link_json(cn_json_writer *j, const ls_listing *l, const ls_link *k)
{
    static const unsigned types[] = {
        [CN_LIST_UNKNOWN] = 0, [CN_LIST_FILE] = 2, [CN_LIST_DIR] = 1, [CN_LIST_SYMLINK] = 4};
    char mtime[64];
    rfc3339(k, mtime);
    cn_json_object(j);
    cn_json_put_string(j, "Name", name_of(l, k));
    cn_json_put_string(j, "Hash", cn_slice_of(l->texts.data + k->cid_at, k->cid_len));
    cn_json_put_uint(j, "Size", k->size);
    cn_json_put_uint(j, "Type", types[k->kind]);
    cn_json_put_string(j, "Target", cn_slice_of(l->texts.data + k->target_at, k->target_len));
    cn_json_put_uint(j, "Mode", go_mode(k));
    cn_json_put_text(j, "ModTime", mtime);
    cn_json_object_end(j);
}

static cn_err ls_json(cn_call *call, cn_buf *out, const void *value)
{
    const ls_listing *l = value;
    cn_json_writer j;
    CN_UNUSED(call);
    cn_json_init(&j, out, NULL);
    cn_json_object(&j);
    cn_json_key(&j, "Objects");
    cn_json_list(&j);
    for (size_t i = 0; i < l->objects_len; i++) {
        cn_json_object(&j);
        cn_json_put_string(&j, "Hash", l->objects[i].path);
        cn_json_key(&j, "Links");
        cn_json_list(&j);
        for (size_t k = 0; k < l->objects[i].len; k++) {
            link_json(&j, l, &l->links[l->objects[i].first + k]);
        }
        cn_json_list_end(&j);
        cn_json_object_end(&j);
    }
    cn_json_list_end(&j);
    cn_json_object_end(&j);
    return cn_json_finish(&j);
}

const cn_output_type cn_ls_output = {.name = "commands.LsOutput", .json = ls_json, .text = ls_text};
