#include "lib/test.h"
#include "multiformats/multicodec.h"

static void the_table_is_ordered_and_found(void)
{
    size_t len = 0;
    const cn_multicodec *list = cn_multicodec_list(&len);
    CHECK(len > 600);
    for (size_t i = 0; i < len; i++) {
        CHECK(i == 0 || list[i].code > list[i - 1].code);
        CHECK(cn_multicodec_by_code(list[i].code) == &list[i]);
        CHECK(cn_multicodec_by_name(cn_str(list[i].name)) == &list[i]);
    }
    CHECK(cn_multicodec_by_code(0x54) == NULL);
    CHECK(cn_multicodec_by_name(cn_str("nope")) == NULL);
    CHECK_STR(cn_multicodec_by_code(0x70)->name, "dag-pb");
}

static void names_and_numbers_are_chosen(void)
{
    static const char *const good[] = {"dag-cbor", "113",  "0x71",     "0X71",
                                       "0o161",    "0161", "0b1110001"};
    static const char *const bad[] = {"",    "nope", "0x",   "0b2",
                                      "084", "-1",   "0x54", "99999999999999999999"};
    uint64_t code = 0;
    cn_why why = {{0}};
    for (size_t i = 0; i < CN_LEN(good); i++) {
        code = 0;
        CHECK_OK(cn_multicodec_choose(cn_str(good[i]), &code, NULL));
        CHECK_EQ(code, 0x71);
    }
    for (size_t i = 0; i < CN_LEN(bad); i++) {
        CHECK_ERR(cn_multicodec_choose(cn_str(bad[i]), &code, &why), CN_ERR_UNSUPPORTED);
    }
    CHECK_OK(cn_multicodec_choose(cn_str("0x300001"), &code, NULL));
    CHECK_EQ(code, 0x300001);
}

static void the_supported_codecs(void)
{
    size_t len = 0;
    size_t supported = 0;
    size_t ipld = 0;
    const cn_multicodec *list = cn_multicodec_list(&len);
    for (size_t i = 0; i < len; i++) {
        bool is_ipld = cn_slice_is(cn_str(list[i].tag), "ipld");
        ipld += is_ipld ? 1 : 0;
        supported += cn_multicodec_supported(list[i].code) ? 1 : 0;
        CHECK(is_ipld || !cn_multicodec_supported(list[i].code));
    }
    CHECK_EQ(ipld, 44);
    CHECK_EQ(supported, 9);
}

int main(void)
{
    TEST(the_table_is_ordered_and_found);
    TEST(names_and_numbers_are_chosen);
    TEST(the_supported_codecs);
    return test_end();
}
