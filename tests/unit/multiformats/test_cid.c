#include "lib/test.h"
#include "multiformats/cid.h"

#define EMPTY_DIR_V0 "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"
#define EMPTY_DIR_V1 "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
#define RAW_V1 "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"

static void both_versions_go_round(void)
{
    static const char *const texts[] = {
        EMPTY_DIR_V0, EMPTY_DIR_V1, RAW_V1, "bafkqaaa", "bafkqabtimvwgy3yk"};
    for (size_t i = 0; i < CN_LEN(texts); i++) {
        cn_cid cid = {0};
        cn_cid again = {0};
        char text[CN_CID_TEXT_BYTES];
        CHECK_OK(cn_cid_parse(cn_str(texts[i]), &cid, NULL));
        CHECK_STR(cn_cid_text(&cid, text), texts[i]);
        CHECK_EQ(cid.version, i == 0 ? 0 : 1);
        CHECK_OK(cn_cid_decode_all(cn_cid_bytes(&cid), &again));
        CHECK(cn_cid_eq(&cid, &again));
        CHECK_EQ(again.codec, cid.codec);
        CHECK_BYTES(cn_cid_key(&again), cn_cid_key(&cid));
    }
}

static void version_0_under_version_1(void)
{
    cn_cid v0 = {0};
    char text[CN_CID_TEXT_BYTES];
    CHECK_OK(cn_cid_parse(cn_str(EMPTY_DIR_V0), &v0, NULL));
    cn_cid v1 = cn_cid_to_v1(&v0);
    CHECK_STR(cn_cid_text(&v1, text), EMPTY_DIR_V1);
    CHECK(!cn_cid_eq(&v0, &v1));
    CHECK_BYTES(cn_cid_key(&v0), cn_cid_key(&v1));
    cn_cid same = cn_cid_to_v1(&v1);
    CHECK(cn_cid_eq(&same, &v1));
}

static void texts_in_other_bases(void)
{
    static const struct {
        char base;
        const char *text;
    } cases[] = {
        {'z', EMPTY_DIR_V0},
        {0, EMPTY_DIR_V0},
        {'b', EMPTY_DIR_V1},
        {'f', "f0170122059948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef"},
        {'k', "k2jmtxtlhjl3fhmgndf92e48by79ryjuvqp3y2qgehpao6v3lurvnmcv"},
        {'u', "uAXASIFmUhDkGXylhnvQSgMu5Mr5SxW2ZxZZrZeAREjnwmLvv"},
    };
    cn_cid cid = {0};
    CHECK_OK(cn_cid_parse(cn_str(EMPTY_DIR_V0), &cid, NULL));
    for (size_t i = 0; i < CN_LEN(cases); i++) {
        cn_buf out;
        cn_cid back = {0};
        cn_buf_init(&out, cn_mem_default(), 1000);
        CHECK_OK(cn_cid_encode_text(&cid, cases[i].base, &out));
        CHECK_BYTES(cn_buf_slice(&out), cn_str(cases[i].text));
        CHECK_OK(cn_cid_parse(cn_buf_slice(&out), &back, NULL));
        CHECK_BYTES(cn_cid_key(&back), cn_cid_key(&cid));
        cn_buf_release(&out);
    }
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 1000);
    CHECK_ERR(cn_cid_encode_text(&cid, '7', &out), CN_ERR_UNSUPPORTED);
    CHECK_ERR(cn_cid_encode_text(&cid, '!', &out), CN_ERR_UNSUPPORTED);
    cn_buf_release(&out);
}

static void every_base_of_kubo_goes_round(void)
{
    size_t len = 0;
    const cn_multibase *list = cn_multibase_list(&len);
    cn_cid cid = {0};
    CHECK_OK(cn_cid_parse(cn_str(RAW_V1), &cid, NULL));
    for (size_t i = 0; i < len; i++) {
        cn_buf out;
        cn_cid back = {0};
        cn_buf_init(&out, cn_mem_default(), 1000);
        CHECK_OK(cn_cid_encode_multibase(&cid, &list[i], &out));
        CHECK_ERR(
            cn_cid_parse(cn_buf_slice(&out), &back, NULL),
            list[i].in_kubo ? CN_OK : CN_ERR_UNSUPPORTED);
        CHECK(!list[i].in_kubo || cn_cid_eq(&cid, &back));
        cn_buf_release(&out);
    }
}

static void check_bad(const char *text, cn_err expected, const char *sentence)
{
    cn_cid cid = {.len = 77};
    cn_why why = {{0}};
    CHECK_ERR(cn_cid_parse(cn_str(text), &cid, &why), expected);
    CHECK_STR(why.text, sentence);
    CHECK_EQ(cid.len, 77);
}

/* Each as `ipfs cid format` prints it. */
static void sentences_are_those_users_know(void)
{
    check_bad("", CN_ERR_MALFORMED, "invalid cid: cid too short");
    check_bad("x", CN_ERR_MALFORMED, "invalid cid: cid too short");
    check_bad("notacid", CN_ERR_UNSUPPORTED, "invalid cid: selected encoding not supported");
    check_bad("Qm", CN_ERR_UNSUPPORTED, "invalid cid: selected encoding not supported");
    check_bad("foo", CN_ERR_MALFORMED, "invalid cid: encoding/hex: invalid byte: U+006F 'o'");
    check_bad(
        "bafya", CN_ERR_TRUNCATED,
        "invalid cid: invalid cid: multihash too short. must be >= 2 bytes");
    /* Kubo drops three digits here without a word and then misses the end */
    check_bad("bafy", CN_ERR_MALFORMED, "invalid cid: illegal base32 data at input byte 3");
    check_bad(
        "zzz", CN_ERR_MALFORMED,
        "invalid cid: invalid cid: expected 1 as the cid version number, got: 13");
    check_bad(
        "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3N0", CN_ERR_MALFORMED,
        "invalid cid: input isn't valid multihash");
    check_bad(
        EMPTY_DIR_V1 "aa", CN_ERR_MALFORMED,
        "invalid cid: trailing bytes in data buffer passed to cid Cast");
    check_bad(
        "f01551220aabb", CN_ERR_TRUNCATED,
        "invalid cid: invalid cid: length greater than remaining number of bytes in buffer");
    check_bad(
        "f1220aabb", CN_ERR_TRUNCATED, "invalid cid: invalid cid: not enough bytes for cid v0");
}

static void cut_at_each_byte_is_refused(void)
{
    cn_cid cid = {0};
    CHECK_OK(cn_cid_parse(cn_str(RAW_V1), &cid, NULL));
    for (size_t len = 0; len < cid.len; len++) {
        cn_cid part = {0};
        CHECK_ERR(
            cn_cid_decode_all(cn_slice_head(cn_cid_bytes(&cid), len), &part), CN_ERR_TRUNCATED);
    }
    uint8_t longer[CN_CID_MAX_BYTES + 1] = {0};
    cn_cid part = {0};
    size_t used = 0;
    cn_copy(longer, cid.bytes, cid.len);
    CHECK_ERR(cn_cid_decode_all((cn_slice){longer, (size_t)cid.len + 1}, &part), CN_ERR_MALFORMED);
    CHECK_OK(cn_cid_decode((cn_slice){longer, (size_t)cid.len + 1}, &part, &used));
    CHECK_EQ(used, cid.len);
}

static void identity_holds_its_block(void)
{
    cn_cid cid = {0};
    cn_slice data = {0};
    CHECK_OK(cn_cid_parse(cn_str("bafkqabtimvwgy3yk"), &cid, NULL));
    CHECK(cn_cid_is_identity(&cid, &data));
    CHECK_BYTES(data, cn_str("hello\n"));
    CHECK_OK(cn_cid_parse(cn_str(RAW_V1), &cid, NULL));
    CHECK(!cn_cid_is_identity(&cid, NULL));
    cid = (cn_cid){0};
    CHECK(!cn_cid_is_identity(&cid, NULL));
}

static void the_longest_digest_and_one_more(void)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES + 1] = {1};
    cn_multihash mh = {CN_MH_IDENTITY, {digest, CN_DIGEST_MAX_BYTES}};
    cn_cid cid = {0};
    cn_cid back = {0};
    char text[CN_CID_TEXT_BYTES];
    cn_buf bytes;
    cn_buf_init(&bytes, cn_mem_default(), 1000);
    CHECK_OK(cn_cid_make(1, INT64_MAX, &mh, &cid));
    CHECK_OK(cn_cid_parse(cn_str(cn_cid_text(&cid, text)), &back, NULL));
    CHECK(cn_cid_eq(&cid, &back));
    mh.digest.len++;
    CHECK_ERR(cn_cid_make(1, CN_CODEC_RAW, &mh, &cid), CN_ERR_TOO_LARGE);
    CHECK_OK(cn_buf_append(&bytes, test_hex("0155")));
    CHECK_OK(cn_multihash_encode(&mh, &bytes));
    CHECK_ERR(cn_cid_decode_all(cn_buf_slice(&bytes), &cid), CN_ERR_TOO_LARGE);
    cn_buf_release(&bytes);
}

static void version_0_is_only_for_dag_pb(void)
{
    uint8_t digest[33] = {1};
    cn_multihash mh = {CN_MH_SHA2_256, {digest, 32}};
    cn_cid cid = {0};
    CHECK_OK(cn_cid_make(0, CN_CODEC_DAG_PB, &mh, &cid));
    CHECK_EQ(cid.len, 34);
    CHECK_ERR(cn_cid_make(0, CN_CODEC_RAW, &mh, &cid), CN_ERR_USAGE);
    CHECK_ERR(cn_cid_make(2, CN_CODEC_DAG_PB, &mh, &cid), CN_ERR_USAGE);
    mh.digest.len = 33;
    CHECK_ERR(cn_cid_make(0, CN_CODEC_DAG_PB, &mh, &cid), CN_ERR_USAGE);
    mh = (cn_multihash){CN_MH_SHA1, {digest, 32}};
    CHECK_ERR(cn_cid_make(0, CN_CODEC_DAG_PB, &mh, &cid), CN_ERR_USAGE);
}

static void text_longer_than_any_cid_is_refused(void)
{
    static char text[5000];
    static const char prefixes[] = {'b', 'z', 'k', 'm', '0', 'f', 'c'};
    cn_cid cid = {0};
    for (size_t p = 0; p < sizeof prefixes; p++) {
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            text[i] = prefixes[p] == '0' ? '1' : 'b';
        }
        text[0] = prefixes[p];
        CHECK_ERR(cn_cid_parse(cn_str(text), &cid, NULL), CN_ERR_TOO_LARGE);
    }
}

int main(void)
{
    TEST(both_versions_go_round);
    TEST(version_0_under_version_1);
    TEST(texts_in_other_bases);
    TEST(every_base_of_kubo_goes_round);
    TEST(sentences_are_those_users_know);
    TEST(cut_at_each_byte_is_refused);
    TEST(identity_holds_its_block);
    TEST(the_longest_digest_and_one_more);
    TEST(version_0_is_only_for_dag_pb);
    TEST(text_longer_than_any_cid_is_refused);
    return test_end();
}
