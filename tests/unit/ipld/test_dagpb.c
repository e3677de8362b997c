#include "ipld/dagpb.h"
#include "lib/test.h"

#include <jansson.h>

static cn_dagpb_link links[64];

/* Decode `block`, put its links into `links`, and write it again. */
static cn_err round_trip(cn_slice block, cn_dagpb *node, cn_buf *out)
{
    cn_err err = cn_dagpb_decode(block, node, NULL);
    if (err != CN_OK) {
        return err;
    }
    size_t len = 0;
    cn_dagpb_iter it = cn_dagpb_links(node);
    while (len < CN_LEN(links) && cn_dagpb_next(&it, &links[len])) {
        len++;
    }
    CHECK_EQ(len, node->links_len);
    return cn_dagpb_encode(links, len, node->has_data ? &node->data : NULL, out);
}

static void check_form(const json_t *form, const cn_dagpb *node)
{
    const char *data = json_string_value(json_object_get(form, "Data"));
    CHECK_EQ(node->has_data, data != NULL);
    if (data != NULL) {
        CHECK_BYTES(node->data, test_hex(data));
    }
    const json_t *list = json_object_get(form, "Links");
    CHECK_EQ(json_array_size(list), node->links_len);
    size_t i = 0;
    const json_t *link = NULL;
    json_array_foreach(list, i, link)
    {
        const char *name = json_string_value(json_object_get(link, "Name"));
        const json_t *tsize = json_object_get(link, "Tsize");
        CHECK_BYTES(links[i].cid, test_hex(json_string_value(json_object_get(link, "Hash"))));
        CHECK_EQ(links[i].has_name, name != NULL);
        CHECK_BYTES(links[i].name, cn_str(name));
        CHECK_EQ(links[i].has_tsize, tsize != NULL);
        CHECK_EQ(links[i].tsize_bytes, json_integer_value(tsize));
    }
}

static void published_forms(void)
{
    cn_buf file;
    if (!test_fixture("dag-pb/compat.json", &file)) {
        return;
    }
    json_t *root = json_loadb((const char *)file.data, file.len, 0, NULL);
    size_t i = 0;
    const json_t *v = NULL;
    json_array_foreach(json_object_get(root, "cases"), i, v)
    {
        cn_buf out;
        cn_dagpb node = {0};
        cn_buf_init(&out, cn_mem_default(), 4096);
        cn_slice block = test_hex(json_string_value(json_object_get(v, "hex")));
        const json_t *form = json_object_get(v, "form");
        bool good = strcmp(json_string_value(json_object_get(v, "decode")), "ok") == 0;
        bool read = round_trip(block, &node, &out) == CN_OK;
        if (!CHECK_EQ(read, good)) {
            FAIL(json_string_value(json_object_get(v, "name")));
        } else if (good && json_is_object(form)) {
            check_form(form, &node);
            CHECK_BYTES(cn_buf_slice(&out), block);
        }
        cn_buf_release(&out);
    }
    CHECK_EQ(i, 21);
    json_decref(root);
    cn_buf_release(&file);
}

static void broken_nodes_are_refused(void)
{
    static const char *const bad[] = {
        "0a000a00",                                         /* Data twice */
        "1800",                                             /* unknown field */
        "0801",                                             /* Data as a number */
        "12160a090155000500010203040a09015500050001020304", /* Hash twice */
        "120d12000a09015500050001020304",                   /* Name before Hash */
        "120f0a0901550005000102030418001800",               /* Tsize twice */
        "120d0a090155000500010203042000",                   /* unknown field of a link */
        "0b",                                               /* a group */
        "12",
        "0a05",
    };
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        cn_dagpb node;
        cn_why why = {{0}};
        CHECK(cn_dagpb_decode(test_hex(bad[i]), &node, &why) != CN_OK);
        CHECK(why.text[0] != '\0');
    }
}

static void every_cut_is_refused_or_a_shorter_node(void)
{
    cn_slice block = test_hex("12160a090155000500010203041209736f6d65206e616d650a0501020304ff");
    for (size_t len = 0; len < block.len; len++) {
        cn_dagpb node;
        cn_err err = cn_dagpb_decode(cn_slice_head(block, len), &node, NULL);
        CHECK_EQ(err == CN_OK, len == 0 || len == 24);
    }
}

static void links_are_sorted_by_name_and_stay_in_order_among_equals(void)
{
    static const char *const names[] = {"b", "a", "", "b", "aa", "a", "\xff", "B"};
    static const char *const sorted[] = {"", "B", "a", "a", "aa", "b", "b", "\xff"};
    static cn_dagpb_link list[CN_LEN(names)];
    for (size_t i = 0; i < CN_LEN(names); i++) {
        list[i].name = cn_str(names[i]);
        list[i].tsize_bytes = i;
    }
    CHECK_OK(cn_dagpb_sort(cn_mem_default(), list, CN_LEN(list)));
    for (size_t i = 0; i < CN_LEN(names); i++) {
        CHECK_BYTES(list[i].name, cn_str(sorted[i]));
        if (i > 0 && cn_slice_eq(list[i].name, list[i - 1].name)) {
            CHECK(list[i].tsize_bytes > list[i - 1].tsize_bytes);
        }
    }
}

static void find_gives_the_first_of_a_name(void)
{
    cn_slice cid = test_hex("01550000");
    cn_dagpb_link list[3] = {
        {.cid = cid, .name = cn_str("a"), .has_name = true, .tsize_bytes = 1, .has_tsize = true},
        {.cid = cid, .name = cn_str("b"), .has_name = true, .tsize_bytes = 2, .has_tsize = true},
        {.cid = cid, .name = cn_str("b"), .has_name = true, .tsize_bytes = 3, .has_tsize = true},
    };
    cn_buf out;
    cn_dagpb node;
    cn_dagpb_link link;
    cn_buf_init(&out, cn_mem_default(), 4096);
    CHECK_OK(cn_dagpb_encode(list, 3, NULL, &out));
    CHECK_EQ(out.len, 3 * cn_dagpb_link_bytes(&list[0]));
    CHECK_OK(cn_dagpb_decode(cn_buf_slice(&out), &node, NULL));
    CHECK(cn_dagpb_find(&node, cn_str("b"), &link));
    CHECK_EQ(link.tsize_bytes, 2);
    CHECK(!cn_dagpb_find(&node, cn_str("c"), &link));
    CHECK(cn_dagpb_link_at(&node, 2, &link));
    CHECK_EQ(link.tsize_bytes, 3);
    CHECK(!cn_dagpb_link_at(&node, 3, &link));
    cn_buf_release(&out);
}

static cn_err sort_and_encode(cn_mem *mem)
{
    cn_slice cid = test_hex("01550000");
    cn_dagpb_link list[2] = {
        {.cid = cid, .name = cn_str("b"), .has_name = true},
        {.cid = cid, .name = cn_str("a"), .has_name = true},
    };
    cn_buf out;
    cn_buf_init(&out, mem, 4096);
    cn_err err = cn_dagpb_sort(mem, list, 2);
    if (err == CN_OK) {
        err = cn_dagpb_encode(list, 2, NULL, &out);
    }
    cn_buf_release(&out);
    return err;
}

static void out_of_memory_leaves_nothing(void)
{
    test_out_of_memory(sort_and_encode);
}

int main(void)
{
    TEST(published_forms);
    TEST(broken_nodes_are_refused);
    TEST(every_cut_is_refused_or_a_shorter_node);
    TEST(links_are_sorted_by_name_and_stay_in_order_among_equals);
    TEST(find_gives_the_first_of_a_name);
    TEST(out_of_memory_leaves_nothing);
    return test_end();
}
