/*
 * The window holds bytes that have come and are not used. A body's bytes are handed out up to the
 * first delimiter in the window, or, if there is none, all but as many as a delimiter could begin
 * in. The window starts with a line break that is not in the input, so that the first delimiter,
 * which has none before it, looks like the others.
 */
#include "rpc/multipart.h"

#include "codec/quote.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool same_letters(cn_slice a, const char *b)
{
    size_t i = 0;
    for (; i < a.len && b[i] != '\0' && lower(a.data[i]) == lower((uint8_t)b[i]); i++) {
    }
    return i == a.len && b[i] == '\0';
}

static cn_slice trim(cn_slice s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s = cn_slice_skip(s, 1);
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

/*
 * The next "; name=value" of a header: `value` keeps its quotes off, escapes are undone into
 * `scratch`. False at the end.
 */
static cn_err
next_param(cn_slice *rest, cn_slice *name, size_t *value_at, cn_buf *scratch, bool *have)
{
    *have = false;
    cn_slice s = cn_slice_skip(*rest, cn_slice_find(*rest, ';'));
    s = trim(cn_slice_skip(s, 1));
    if (s.len == 0) {
        return CN_OK;
    }
    size_t equals = cn_slice_find(s, '=');
    *name = trim(cn_slice_head(s, equals));
    s = trim(cn_slice_skip(s, equals + 1));
    *value_at = scratch->len;
    *have = true;
    if (s.len == 0 || s.data[0] != '"') {
        size_t len = cn_slice_find(s, ';');
        *rest = cn_slice_skip(s, len);
        return cn_buf_append(scratch, trim(cn_slice_head(s, len)));
    }
    size_t i = 1;
    for (; i < s.len && s.data[i] != '"'; i++) {
        bool escaped =
            s.data[i] == '\\' && i + 1 < s.len && (s.data[i + 1] == '"' || s.data[i + 1] == '\\');
        i += escaped ? 1 : 0;
        cn_err err = cn_buf_byte(scratch, s.data[i]);
        if (err != CN_OK) {
            return err;
        }
    }
    *rest = cn_slice_skip(s, i + 1);
    return CN_OK;
}

static bool is_form(cn_slice content_type)
{
    cn_slice type = trim(cn_slice_head(content_type, cn_slice_find(content_type, ';')));
    return same_letters(type, "multipart/form-data");
}

/* The boundary parameters: how many, and the value of the last. */
static size_t find_boundary(cn_slice content_type, cn_slice *ret)
{
    size_t count = 0;
    cn_slice rest = content_type;
    while (rest.len > 0) {
        rest = cn_slice_skip(rest, cn_slice_find(rest, ';') + 1);
        cn_slice s = trim(rest);
        size_t equals = cn_slice_find(s, '=');
        if (equals == s.len || !same_letters(trim(cn_slice_head(s, equals)), "boundary")) {
            continue;
        }
        s = trim(cn_slice_skip(s, equals + 1));
        bool quoted = s.len > 0 && s.data[0] == '"';
        s = quoted ? cn_slice_skip(s, 1) : s;
        s = cn_slice_head(s, cn_slice_find(s, quoted ? '"' : ';'));
        *ret = quoted ? s : trim(s);
        count++;
    }
    return count;
}

cn_err cn_multipart_boundary(cn_slice content_type, cn_slice *ret)
{
    cn_slice value = {0};
    if (!is_form(content_type) || find_boundary(content_type, &value) != 1 || value.len == 0 ||
        value.len > CN_MULTIPART_BOUNDARY_MAX) {
        return CN_ERR_MALFORMED;
    }
    *ret = value;
    return CN_OK;
}

const char *cn_multipart_refusal(cn_slice content_type)
{
    cn_slice value = {0};
    size_t count = find_boundary(content_type, &value);
    if (!is_form(content_type) || count > 1) {
        return NULL;
    }
    return count == 0 ? "no multipart boundary param in Content-Type"
                      : "request Content-Type isn't multipart/form-data";
}

cn_err cn_multipart_init(cn_multipart *m, cn_mem *mem, cn_input *in, cn_slice boundary)
{
    CN_ASSERT(boundary.len <= CN_MULTIPART_BOUNDARY_MAX);
    *m = (cn_multipart){.mem = mem, .in = in, .in_body = true};
    cn_buf_init(&m->headers, mem, CN_MULTIPART_HEADERS_MAX * 2);
    m->window = cn_alloc_dirty(mem, CN_MULTIPART_WINDOW_BYTES);
    if (m->window == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_copy(m->delimiter, "\r\n--", 4);
    cn_copy(m->delimiter + 4, boundary.data, boundary.len);
    m->delimiter_len = boundary.len + 4;
    cn_copy(m->window, "\r\n", 2);
    m->len = 2;
    return CN_OK;
}

void cn_multipart_release(cn_multipart *m)
{
    if (m->mem != NULL) {
        cn_free(m->mem, m->window);
        cn_buf_release(&m->headers);
    }
    *m = (cn_multipart){0};
}

static cn_slice ready(const cn_multipart *m)
{
    return cn_slice_of(m->window + m->start, m->len);
}

static void use(cn_multipart *m, size_t n)
{
    m->start += n;
    m->len -= n;
}

/* Read more behind what is there. */
static cn_err fill(cn_multipart *m, cn_why *why)
{
    size_t got = 0;
    if (m->start > 0) {
        cn_move(m->window, m->window + m->start, m->len);
        m->start = 0;
    }
    if (m->len == CN_MULTIPART_WINDOW_BYTES) {
        return cn_why_set(why, CN_ERR_TOO_LARGE, "multipart: the headers of a part are too long");
    }
    cn_err err =
        m->in->ops->read(m->in, m->window + m->len, CN_MULTIPART_WINDOW_BYTES - m->len, &got, why);
    if (err == CN_OK) {
        m->len += got;
        m->input_ended = got == 0;
    }
    return err;
}

/* Have at least `n` bytes ready, fewer only at the input's end. */
static cn_err want(cn_multipart *m, size_t n, cn_why *why)
{
    cn_err err = CN_OK;
    while (err == CN_OK && m->len < n && !m->input_ended) {
        err = fill(m, why);
    }
    return err;
}

/* How many bytes of body are ready; *ret_last if a delimiter follows them. */
static cn_err body_ready(cn_multipart *m, size_t *ret, bool *ret_last, cn_why *why)
{
    for (;;) {
        cn_slice s = ready(m);
        const uint8_t *found =
            s.len == 0 ? NULL : memmem(s.data, s.len, m->delimiter, m->delimiter_len);
        if (found != NULL) {
            *ret = (size_t)(found - s.data);
            *ret_last = true;
            return CN_OK;
        }
        if (m->input_ended) {
            return cn_why_set(why, CN_ERR_TRUNCATED, "multipart: NextPart: EOF");
        }
        if (s.len >= m->delimiter_len) {
            *ret = s.len - (m->delimiter_len - 1);
            *ret_last = false;
            return CN_OK;
        }
        cn_err err = fill(m, why);
        if (err != CN_OK) {
            return err;
        }
    }
}

cn_err cn_multipart_read(cn_multipart *m, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    size_t done = 0;
    while (done < len && m->in_body) {
        size_t have = 0;
        bool last = false;
        cn_err err = body_ready(m, &have, &last, why);
        if (err != CN_OK) {
            return err;
        }
        size_t n = CN_MIN(have, len - done);
        cn_copy(data + done, m->window + m->start, n);
        use(m, n);
        done += n;
        if (n == have && last) {
            m->in_body = false;
        }
    }
    *ret_len = done;
    return CN_OK;
}

static cn_err skip_body(cn_multipart *m, cn_why *why)
{
    while (m->in_body) {
        size_t have = 0;
        bool last = false;
        cn_err err = body_ready(m, &have, &last, why);
        if (err != CN_OK) {
            return err;
        }
        use(m, have);
        m->in_body = !last;
    }
    return CN_OK;
}

/* One line of headers without its end; the empty one ends them. Stays in the window. */
static cn_err take_line(cn_multipart *m, cn_slice *ret, cn_why *why)
{
    for (;;) {
        cn_slice s = ready(m);
        size_t len = cn_slice_find(s, '\n');
        if (len < s.len) {
            *ret = cn_slice_head(s, len > 0 && s.data[len - 1] == '\r' ? len - 1 : len);
            use(m, len + 1);
            return CN_OK;
        }
        if (s.len > CN_MULTIPART_HEADERS_MAX) {
            return cn_why_set(
                why, CN_ERR_TOO_LARGE, "multipart: the headers of a part are too long");
        }
        if (m->input_ended) {
            return cn_why_set(why, CN_ERR_TRUNCATED, "multipart: NextPart: EOF");
        }
        cn_err err = fill(m, why);
        if (err != CN_OK) {
            return err;
        }
    }
}

typedef struct span {
    size_t at;
    size_t len;
    bool given;
} span;

typedef struct found {
    span name;
    span filename;
    span content_type;
    span abspath;
} found;

static cn_err keep(cn_multipart *m, cn_slice value, span *ret)
{
    *ret = (span){m->headers.len, value.len, true};
    return cn_buf_append(&m->headers, value);
}

static cn_err read_disposition(cn_multipart *m, cn_slice value, found *f)
{
    cn_slice rest = value;
    for (;;) {
        cn_slice name = {0};
        size_t at = 0;
        bool have = false;
        cn_err err = next_param(&rest, &name, &at, &m->headers, &have);
        if (err != CN_OK || !have) {
            return err;
        }
        span s = {at, m->headers.len - at, true};
        if (same_letters(name, "name")) {
            f->name = s;
        } else if (same_letters(name, "filename")) {
            f->filename = s;
        }
    }
}

static cn_err no_colon(cn_slice line, cn_why *why)
{
    char text[CN_QUOTE_TEXT_BYTES];
    return cn_why_set(
        why, CN_ERR_MALFORMED, "malformed MIME header: missing colon: %s",
        cn_quote_text(line, text));
}

static cn_err read_header(cn_multipart *m, cn_slice line, found *f, cn_why *why)
{
    size_t colon = cn_slice_find(line, ':');
    if (colon == line.len) {
        return no_colon(line, why);
    }
    cn_slice name = trim(cn_slice_head(line, colon));
    cn_slice value = trim(cn_slice_skip(line, colon + 1));
    if (same_letters(name, "content-disposition")) {
        return read_disposition(m, value, f);
    }
    if (same_letters(name, "content-type")) {
        return keep(m, trim(cn_slice_head(value, cn_slice_find(value, ';'))), &f->content_type);
    }
    return same_letters(name, "abspath-encoded") ? keep(m, value, &f->abspath) : CN_OK;
}

static cn_slice kept(const cn_multipart *m, span s)
{
    return s.given ? cn_slice_of(m->headers.data + s.at, s.len) : (cn_slice){0};
}

/* Does the input end within the name of a header? */
static bool is_half_name(cn_slice rest)
{
    return rest.len > 0 && cn_slice_find(rest, ':') == rest.len;
}

static cn_err read_headers(cn_multipart *m, cn_part *ret, cn_why *why)
{
    found f = {0};
    size_t total = 0;
    cn_err err = CN_OK;
    cn_buf_reset(&m->headers);
    for (;;) {
        cn_slice line = {0};
        err = take_line(m, &line, why);
        if (err == CN_ERR_TRUNCATED && is_half_name(ready(m))) {
            err = no_colon(ready(m), why);
        }
        CN_TRY(err);
        if (line.len == 0) {
            break;
        }
        total += line.len;
        if (total > CN_MULTIPART_HEADERS_MAX) {
            err =
                cn_why_set(why, CN_ERR_TOO_LARGE, "multipart: the headers of a part are too long");
            goto out;
        }
        CN_TRY(read_header(m, line, &f, why));
    }
    *ret = (cn_part){
        .name = kept(m, f.name),
        .filename = kept(m, f.filename),
        .has_filename = f.filename.given,
        .content_type = kept(m, f.content_type),
        .abspath = kept(m, f.abspath),
    };
out:
    return err;
}

cn_err cn_multipart_next(cn_multipart *m, cn_part *ret, bool *ret_have, cn_why *why)
{
    cn_slice line = {0};
    cn_err err = CN_OK;
    if (m->at_end) {
        *ret_have = false;
        return CN_OK;
    }
    CN_TRY(skip_body(m, why));
    use(m, m->delimiter_len);
    CN_TRY(want(m, 2, why));
    if (cn_slice_starts(ready(m), cn_str("--"))) {
        m->at_end = true;
        *ret_have = false;
        goto out;
    }
    CN_TRY(take_line(m, &line, why));
    if (trim(line).len > 0) {
        err = cn_why_set(why, CN_ERR_MALFORMED, "multipart: text behind a boundary");
        goto out;
    }
    CN_TRY(read_headers(m, ret, why));
    m->in_body = true;
    if (m->start >= 2) { /* an empty body's delimiter may follow at once, without a line break */
        m->start -= 2;
        m->len += 2;
        cn_copy(m->window + m->start, "\r\n", 2);
        CN_TRY(want(m, m->delimiter_len, why));
        bool is_empty = cn_slice_starts(ready(m), cn_slice_of(m->delimiter, m->delimiter_len));
        use(m, is_empty ? 0 : 2);
    }
    *ret_have = true;
out:
    return err;
}
