#include "ipld/dagcbor.h"

#include "unit/ipld/codec_lib.h"

#include <jansson.h>

static cn_err check(const char *hex)
{
    return cn_dagcbor_check(test_hex(hex), NULL);
}

/* Each fixture is good as dag-cbor, and has the links that the same data has as dag-json. */
static void check_pair(const char *name)
{
    static cn_cid in_cbor[FIXTURE_LINKS_MAX], in_json[FIXTURE_LINKS_MAX];
    cn_buf cbor, json;
    if (!CHECK(codec_file(name, ".dag-cbor", &cbor)) ||
        !CHECK(codec_file(name, ".dag-json", &json))) {
        return;
    }
    size_t len = codec_links(CN_CODEC_DAG_CBOR, cn_buf_slice(&cbor), in_cbor);
    CHECK_EQ(codec_links(CN_CODEC_DAG_JSON, cn_buf_slice(&json), in_json), len);
    for (size_t i = 0; i < len; i++) {
        bool found = false;
        for (size_t k = 0; k < len; k++) { /* keys have another order in dag-json */
            found = found || cn_cid_eq(&in_cbor[i], &in_json[k]);
        }
        CHECK(found);
    }
    /* cut anywhere it is not whole any more */
    for (size_t cut = 0; cut < CN_MIN(cbor.len, (size_t)2000); cut++) {
        CHECK(cn_dagcbor_check(cn_slice_head(cn_buf_slice(&cbor), cut), NULL) != CN_OK);
    }
    cn_buf_release(&cbor);
    cn_buf_release(&json);
}

static void published_pairs(void)
{
    size_t count = codec_folders(check_pair);
    CHECK(count == SIZE_MAX || count > 50);
}

/* The cases of one type in a file of vectors, all good or all refused. */
static void check_vectors(const char *file, const char *type, bool good, size_t *count)
{
    cn_buf b;
    char name[128];
    size_t i = 0;
    const json_t *v = NULL;
    (void)snprintf(name, sizeof name, "dag-cbor/dasl-testing/%s.json", file);
    if (!test_fixture(name, &b)) {
        return;
    }
    json_t *root = json_loadb((const char *)b.data, b.len, 0, NULL);
    json_array_foreach(root, i, v)
    {
        const char *hex = json_string_value(json_object_get(v, "data"));
        if (strcmp(json_string_value(json_object_get(v, "type")), type) == 0) {
            if (!CHECK_EQ(check(hex) == CN_OK, good)) {
                printf("  %s: %s\n", file, json_string_value(json_object_get(v, "name")));
            }
            (*count)++;
        }
    }
    json_decref(root);
    cn_buf_release(&b);
}

static void published_vectors(void)
{
    size_t refused = 0, taken = 0;
    static const char *const strict[] = {"short_form", "indefinite", "concat", "tags", "simple"};
    for (size_t i = 0; i < CN_LEN(strict); i++) {
        check_vectors(strict[i], "invalid_in", false, &refused);
    }
    check_vectors("short_form", "roundtrip", true, &taken);
    check_vectors("utf8", "roundtrip", true, &taken);
    check_vectors("map_keys", "roundtrip", true, &taken);
    if (test_fixture_dir() != NULL) {
        CHECK_EQ(refused, 34);
        CHECK_EQ(taken, 11);
    }
}

static void keys_may_not_repeat(void)
{
    cn_why why = {0};
    CHECK_ERR(
        cn_dagcbor_check(test_hex("a3636261720363666f6f0163666f6f02"), &why), CN_ERR_MALFORMED);
    CHECK_STR(why.text, "duplicate map key \"foo\"");
    CHECK_ERR(check("a363666f6f01636261720363666f6f02"), CN_ERR_MALFORMED); /* apart */
    CHECK_ERR(check("a260016002"), CN_ERR_MALFORMED);                       /* empty ones */
    CHECK_ERR(
        check("a2616201"
              "6161a2616101616102"),
        CN_ERR_MALFORMED); /* in a map below */
    CHECK_OK(check("a2616101616202"));
    CHECK_OK(check("a2616201616102")); /* in no order */
    CHECK_OK(check("a2616201"
                   "6161a1616202"));       /* in two maps */
    CHECK_OK(check("82a1616101a1616101")); /* side by side */
    CHECK_OK(check("a362626201616202626162"
                   "03")); /* a long one before a short one */
}

/* A map of many keys in no order, one of them twice or none. */
static cn_buf many_keys(unsigned count, bool repeat)
{
    cn_buf b;
    cn_buf_init(&b, cn_mem_default(), 1 << 22);
    uint8_t head[5] = {
        0xba, (uint8_t)(count >> 24), (uint8_t)(count >> 16), (uint8_t)(count >> 8),
        (uint8_t)count};
    CHECK_OK(cn_buf_append(&b, cn_slice_of(head, sizeof head)));
    for (unsigned i = 0; i < count; i++) {
        unsigned n = repeat && i == count - 1 ? 7 : i * 40503u % 65536u;
        CHECK_OK(cn_buf_printf(&b, "\x65%05u%c", n, 1));
    }
    return b;
}

static void keys_in_no_order_cost_no_more_than_a_sort(void)
{
    enum { COUNT = 65536 };
    cn_buf b = many_keys(COUNT, false);
    cn_mem *mem = cn_mem_default();
    CHECK_OK(cn_dagcbor_check(cn_buf_slice(&b), NULL));
    size_t before = atomic_load(&mem->used_bytes);
    for (long long n = 1; n <= 3; n++) { /* the list of keys cannot grow */
        atomic_store(&mem->fail_after, n);
        CHECK_ERR(cn_dagcbor_check(cn_buf_slice(&b), NULL), CN_ERR_NO_MEMORY);
        CHECK_EQ(atomic_load(&mem->used_bytes), before);
    }
    atomic_store(&mem->fail_after, 0);
    cn_buf_release(&b);
    b = many_keys(COUNT, true);
    CHECK_ERR(cn_dagcbor_check(cn_buf_slice(&b), NULL), CN_ERR_MALFORMED);
    cn_buf_release(&b);
}

static void what_is_no_dag_cbor(void)
{
    static const char *const bad[] = {"a10000", "f7",   "f97e00",     "fb7ff0000000000000",
                                      "f97c00", "c001", "d82b4101",   "d82a4101",
                                      "d82a01", "9fff", "5fff",       "ff",
                                      "e0",     "f818", "d82a420001", "d82a4100",
                                      "1c",     "0000"};
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        if (!CHECK(check(bad[i]) != CN_OK)) {
            printf("  %s\n", bad[i]);
        }
    }
    CHECK_ERR(check(""), CN_ERR_TRUNCATED);
    CHECK_ERR(check("9bffffffffffffffff"), CN_ERR_TRUNCATED); /* more items than bytes */
    CHECK_ERR(check("bbffffffffffffffff"), CN_ERR_TRUNCATED);
    CHECK_ERR(check("5bffffffffffffffff"), CN_ERR_TRUNCATED);
}

static void depth_is_bounded(void)
{
    static uint8_t nested[CN_DAGCBOR_DEPTH_MAX + 1];
    for (size_t i = 0; i < sizeof nested; i++) {
        nested[i] = 0x81;
    }
    nested[CN_DAGCBOR_DEPTH_MAX - 1] = 0x01;
    CHECK_OK(cn_dagcbor_check(cn_slice_of(nested, CN_DAGCBOR_DEPTH_MAX), NULL));
    nested[CN_DAGCBOR_DEPTH_MAX - 1] = 0x81;
    nested[CN_DAGCBOR_DEPTH_MAX] = 0x01;
    CHECK_ERR(cn_dagcbor_check(cn_slice_of(nested, sizeof nested), NULL), CN_ERR_TOO_DEEP);
}

static void paths_lead_into_a_block(void)
{
    /* {"a": [1, {"b": link}], "c": "d"} */
    cn_slice block = test_hex("a26161"
                              "8201"
                              "a16162"
                              "d82a450001550000"
                              "6163"
                              "6164");
    static const struct {
        const char *path, *rest;
        cn_err err;
        bool is_link;
    } cases[] = {
        {"", "", CN_OK, false},
        {"a", "", CN_OK, false},
        {"a/0", "", CN_OK, false},
        {"a/1/b", "", CN_OK, true},
        {"a/1/b/x/y", "x/y", CN_OK, true},
        {"c", "", CN_OK, false},
        {"x", "x", CN_ERR_NO_LINK, false},
        {"a/2", "2", CN_ERR_NO_LINK, false},
        {"a/b", "b", CN_ERR_NO_LINK, false},
        {"c/d", "d", CN_ERR_NO_LINK, false},
        {"a/01", "", CN_OK, false},
    };
    CHECK_OK(cn_dagcbor_check(block, NULL));
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_slice rest = cn_str(cases[i].path);
        cn_cid link;
        bool is_link = false;
        CHECK_ERR(cn_dagcbor_find(block, &rest, &link, &is_link, NULL), cases[i].err);
        CHECK_EQ(is_link, cases[i].is_link);
        if (!CHECK_BYTES(rest, cn_str(cases[i].rest))) {
            printf("  %s\n", cases[i].path);
        }
    }
}

int main(void)
{
    TEST(published_pairs);
    TEST(published_vectors);
    TEST(keys_may_not_repeat);
    TEST(keys_in_no_order_cost_no_more_than_a_sort);
    TEST(what_is_no_dag_cbor);
    TEST(depth_is_bounded);
    TEST(paths_lead_into_a_block);
    return test_end();
}
