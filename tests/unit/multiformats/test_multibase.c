/*
 * Multibase against the tables of the multibase project.
 */
#include "lib/test.h"
#include "multiformats/multibase.h"

/* Undo the quoting of the fixtures' expected bytes: only \x00 occurs. */
static cn_slice unquote(cn_slice quoted, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = 1; i + 1 < quoted.len; i++) {
        if (quoted.data[i] == '\\') {
            out[n++] = 0;
            i += 3;
        } else {
            out[n++] = quoted.data[i];
        }
    }
    return (cn_slice){out, n};
}

static cn_slice next_line(cn_slice *rest)
{
    cn_slice line = cn_slice_head(*rest, cn_slice_find(*rest, '\n'));
    *rest = cn_slice_skip(*rest, line.len + 1);
    return cn_slice_ends(line, cn_str("\r")) ? cn_slice_head(line, line.len - 1) : line;
}

/* "name, text in quotes" per line under a head line "encoding, bytes in quotes". */
static void check_table(const char *name, bool also_encode)
{
    cn_buf file = {0};
    if (!test_fixture(name, &file)) {
        return;
    }
    cn_slice rest = cn_buf_slice(&file);
    cn_slice head = next_line(&rest);
    uint8_t plain[100];
    cn_slice expected = unquote(cn_slice_skip(head, cn_slice_find(head, '"')), plain);
    int rows = 0;
    while (rest.len > 0) {
        cn_slice line = next_line(&rest);
        size_t comma = cn_slice_find(line, ',');
        if (comma == line.len) {
            continue;
        }
        cn_slice quoted = cn_slice_skip(line, cn_slice_find(line, '"') + 1);
        cn_slice text = cn_slice_head(quoted, quoted.len - 1);
        const cn_multibase *base = cn_multibase_by_name(cn_slice_head(line, comma));
        const cn_multibase *found = NULL;
        cn_buf out;
        cn_buf_init(&out, cn_mem_default(), 1000);
        CHECK_OK(cn_multibase_decode(text, &out, &found, NULL));
        CHECK(found == base);
        CHECK_BYTES(cn_buf_slice(&out), expected);
        cn_buf_reset(&out);
        if (CHECK(base != NULL) && also_encode) {
            CHECK_OK(cn_multibase_encode(base, expected, &out));
            CHECK_BYTES(cn_buf_slice(&out), text);
        }
        cn_buf_release(&out);
        rows++;
    }
    CHECK(rows > 9);
    cn_buf_release(&file);
}

static void the_published_tables(void)
{
    check_table("multiformats/multibase-tests/basic.csv", true);
    check_table("multiformats/multibase-tests/leading_zero.csv", true);
    check_table("multiformats/multibase-tests/two_leading_zeros.csv", true);
    check_table("multiformats/multibase-tests/case_insensitivity.csv", false);
}

static void what_is_refused(void)
{
    cn_buf out;
    cn_why why = {{0}};
    cn_buf_init(&out, cn_mem_default(), 1000);
    CHECK_ERR(cn_multibase_decode(cn_str(""), &out, NULL, &why), CN_ERR_MALFORMED);
    CHECK_STR(why.text, "cannot decode multibase for zero length string");
    CHECK_ERR(cn_multibase_decode(cn_str("Qm"), &out, NULL, &why), CN_ERR_UNSUPPORTED);
    CHECK_STR(why.text, "selected encoding not supported");
    CHECK_EQ(out.len, 0);
    cn_buf_release(&out);
}

static void choosing_by_name_or_prefix(void)
{
    const cn_multibase *m = NULL;
    cn_why why = {{0}};
    CHECK_OK(cn_multibase_choose(cn_str("base36"), &m, NULL));
    CHECK_EQ(m->code, 'k');
    CHECK_OK(cn_multibase_choose(cn_str("U"), &m, NULL));
    CHECK_STR(m->name, "base64urlpad");
    CHECK_OK(cn_multibase_choose(cn_str("\xf0\x9f\x9a\x80"), &m, NULL));
    CHECK_STR(m->name, "base256emoji");
    CHECK_ERR(cn_multibase_choose(cn_str("base8"), &m, &why), CN_ERR_UNSUPPORTED);
    CHECK_STR(why.text, "unsupported multibase encoding: base8");
    CHECK_ERR(cn_multibase_choose(cn_str(""), &m, &why), CN_ERR_UNSUPPORTED);
    CHECK_STR(why.text, "empty multibase encoding");
    CHECK(cn_multibase_by_code('7') != NULL && cn_multibase_by_code('8') == NULL);
}

int main(void)
{
    TEST(the_published_tables);
    TEST(what_is_refused);
    TEST(choosing_by_name_or_prefix);
    return test_end();
}
