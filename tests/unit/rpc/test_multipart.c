/* Forms that come in pieces of any size read the same; memory and length are bounded. */
#include "lib/test.h"
#include "rpc/multipart.h"

typedef struct feed {
    cn_input input;
    cn_slice rest;
    size_t piece;
} feed;

static cn_err feed_read(cn_input *in, uint8_t *data, size_t len, size_t *ret_len, cn_why *why)
{
    feed *f = (feed *)in;
    CN_UNUSED(why);
    cn_slice head = cn_slice_head(f->rest, CN_MIN(len, f->piece));
    cn_copy(data, head.data, head.len);
    f->rest = cn_slice_skip(f->rest, head.len);
    *ret_len = head.len;
    return CN_OK;
}

static const cn_input_ops feed_ops = {.read = feed_read};

/* All parts as "name|filename|type|body\n", a '-' where there is no file name. */
static cn_err read_all(cn_multipart *m, cn_buf *out)
{
    cn_err err = CN_OK;
    for (;;) {
        cn_part part = {0};
        bool have = false;
        uint8_t body[7];
        size_t len = sizeof body;
        CN_TRY(cn_multipart_next(m, &part, &have, NULL));
        if (!have) {
            break;
        }
        CN_TRY(cn_buf_append(out, part.name));
        CN_TRY(cn_buf_byte(out, '|'));
        CN_TRY(part.has_filename ? cn_buf_append(out, part.filename) : cn_buf_byte(out, '-'));
        CN_TRY(cn_buf_byte(out, '|'));
        CN_TRY(cn_buf_append(out, part.content_type));
        CN_TRY(cn_buf_byte(out, '|'));
        while (len == sizeof body) {
            CN_TRY(cn_multipart_read(m, body, sizeof body, &len, NULL));
            CN_TRY(cn_buf_append(out, cn_slice_of(body, len)));
        }
        CN_TRY(cn_buf_byte(out, '\n'));
    }
out:
    return err;
}

static cn_err read_form(cn_mem *mem, cn_slice text, size_t piece, cn_buf *out)
{
    feed f = {{&feed_ops}, text, piece};
    cn_multipart m = {0};
    cn_err err = cn_multipart_init(&m, mem, &f.input, cn_str("B"));
    if (err == CN_OK) {
        err = read_all(&m, out);
    }
    cn_multipart_release(&m);
    return err;
}

static void form_is(const char *text, cn_err expected, const char *parts)
{
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        cn_buf out;
        cn_buf_init(&out, cn_mem_default(), 10000);
        CHECK_ERR(read_form(cn_mem_default(), cn_str(text), piece, &out), expected);
        if (expected == CN_OK) {
            CHECK_BYTES(cn_buf_slice(&out), cn_str(parts));
        }
        cn_buf_release(&out);
    }
}

#define PART(head, body) "--B\r\n" head "\r\n\r\n" body "\r\n"

static const char several[] = PART(
    "Content-Disposition: form-data; name=\"file\"; filename=\"a b\"\r\n"
    "Content-Type: text/plain; charset=x",
    "hello")
    PART(
        "content-type:application/x-directory\r\nCONTENT-DISPOSITION: form-data ;name=d; "
        "filename=e",
        "")
        PART(
            "Content-Disposition: form-data; name=\"q\\\"\\\\x\"; filename=\"\"",
            "\r\n--\r\n-B\r\n--A") "--B--\r\n";

static void parts_are_read_in_any_pieces(void)
{
    form_is(
        several, CN_OK,
        "file|a b|text/plain|hello\n"
        "d|e|application/x-directory|\n"
        "q\"\\x|||\r\n--\r\n-B\r\n--A\n");
    form_is("--B--", CN_OK, "");
    form_is("text before\r\n--B\r\n\r\nbody\r\n--B--\r\ntext behind", CN_OK, "|-||body\n");
    form_is("--B\r\nX: y\r\n\r\n\r\n--B--", CN_OK, "|-||\n");
    form_is("--B\r\nX: y\r\n\r\n--B--", CN_OK, "|-||\n"); /* an empty body without its line break */
}

/* Does `text` end within the name of a header, or of what may become one? Kubo calls that bad. */
static bool ends_in_a_header_name(cn_slice text)
{
    bool in_headers = false;
    for (;;) {
        size_t len = cn_slice_find(text, '\n');
        if (len == text.len) {
            return in_headers && len > 0 && cn_slice_find(text, ':') == len;
        }
        cn_slice line = cn_slice_head(text, len);
        in_headers = cn_slice_is(line, "--B\r") || (in_headers && !cn_slice_is(line, "\r"));
        text = cn_slice_skip(text, len + 1);
    }
}

static void cut_forms_are_refused(void)
{
    for (size_t len = 0; len + 4 < sizeof several; len++) { /* up to the closing "--" */
        cn_slice text = cn_slice_of(several, len);
        cn_err expected = ends_in_a_header_name(text) ? CN_ERR_MALFORMED : CN_ERR_TRUNCATED;
        cn_buf out;
        cn_buf_init(&out, cn_mem_default(), 10000);
        CHECK_ERR(read_form(cn_mem_default(), text, 1000, &out), expected);
        cn_buf_release(&out);
    }
}

static void parts_not_read_are_skipped(void)
{
    feed f = {{&feed_ops}, cn_str(several), 3};
    cn_multipart m = {0};
    cn_part part = {0};
    bool have = false;
    uint8_t one = 0;
    size_t len = 0;
    CHECK_OK(cn_multipart_init(&m, cn_mem_default(), &f.input, cn_str("B")));
    CHECK_OK(cn_multipart_next(&m, &part, &have, NULL));
    CHECK_OK(cn_multipart_read(&m, &one, 1, &len, NULL));
    CHECK_EQ(one, 'h');
    CHECK_OK(cn_multipart_next(&m, &part, &have, NULL));
    CHECK_OK(cn_multipart_next(&m, &part, &have, NULL));
    CHECK_BYTES(part.name, cn_str("q\"\\x"));
    CHECK_OK(cn_multipart_next(&m, &part, &have, NULL));
    CHECK(!have);
    CHECK_OK(cn_multipart_next(&m, &part, &have, NULL)); /* and again */
    CHECK(!have);
    cn_multipart_release(&m);
    cn_multipart_release(&m);
}

static void headers_are_bounded(void)
{
    cn_buf text;
    cn_buf out;
    cn_buf_init(&text, cn_mem_default(), 1 << 20);
    cn_buf_init(&out, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_buf_text(&text, "--B\r\n"));
    for (size_t i = 0; i < 70; i++) {
        CHECK_OK(cn_buf_printf(&text, "X: %01000d\r\n", 0));
    }
    CHECK_OK(cn_buf_text(&text, "\r\n\r\n--B--"));
    CHECK_ERR(read_form(cn_mem_default(), cn_buf_slice(&text), 5000, &out), CN_ERR_TOO_LARGE);
    cn_buf_reset(&text);
    CHECK_OK(cn_buf_text(&text, "--B\r\nX: "));
    for (size_t i = 0; i < 70; i++) {
        CHECK_OK(cn_buf_printf(&text, "%01000d", 0));
    }
    CHECK_ERR(read_form(cn_mem_default(), cn_buf_slice(&text), 5000, &out), CN_ERR_TOO_LARGE);
    cn_buf_release(&text);
    cn_buf_release(&out);
}

static void boundaries_are_found(void)
{
    static const struct {
        const char *type;
        const char *boundary; /* NULL: malformed */
    } cases[] = {
        {"multipart/form-data; boundary=B", "B"},
        {"Multipart/Form-Data ;x=y; BOUNDARY=\"a b\" ; z", "a b"},
        {"multipart/form-data;boundary=a;charset=x", "a"},
        {"multipart/form-data", NULL},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"text/plain; boundary=B", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_slice got = {0};
        cn_err expected = cases[i].boundary == NULL ? CN_ERR_MALFORMED : CN_OK;
        CHECK_ERR(cn_multipart_boundary(cn_str(cases[i].type), &got), expected);
        CHECK_BYTES(got, cn_str(cases[i].boundary));
    }
    char text[300] = "multipart/form-data; boundary=";
    size_t start = strlen(text);
    for (size_t i = 0; i < CN_MULTIPART_BOUNDARY_MAX; i++) {
        text[start + i] = 'x';
    }
    cn_slice got = {0};
    CHECK_OK(cn_multipart_boundary(cn_str(text), &got));
    CHECK_EQ(got.len, CN_MULTIPART_BOUNDARY_MAX);
    text[start + CN_MULTIPART_BOUNDARY_MAX] = 'x';
    CHECK_ERR(cn_multipart_boundary(cn_str(text), &got), CN_ERR_MALFORMED);
}

static cn_err read_several(cn_mem *mem)
{
    cn_buf out;
    cn_buf_init(&out, mem, 10000);
    cn_err err = read_form(mem, cn_str(several), 50, &out);
    cn_buf_release(&out);
    return err;
}

static void memory_may_run_out(void)
{
    test_out_of_memory(read_several);
}

int main(void)
{
    TEST(parts_are_read_in_any_pieces);
    TEST(cut_forms_are_refused);
    TEST(parts_not_read_are_skipped);
    TEST(headers_are_bounded);
    TEST(boundaries_are_found);
    TEST(memory_may_run_out);
    return test_end();
}
