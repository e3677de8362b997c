/*
 * The skeleton and every profile against what Kubo 0.43.0 wrote.
 */
#include "kubo_profiles.h"
#include "lib/test.h"
#include "node/config_file.h"
#include "node/profile.h"
#include "node/schema.h"
#include "rt_os/rt_os.h"

enum { DOC_BYTES = 4 << 20 };

static cn_rt *rt;

static void dump(const cn_json *j, unsigned flags, cn_buf *out)
{
    cn_buf_reset(out);
    CHECK_OK(cn_json_dump(j, flags, out));
}

static void skeleton_is_kubos_byte_for_byte(void)
{
    cn_json_doc d;
    cn_json *j = NULL;
    cn_buf out;
    const char *text = NULL;
    cn_buf_init(&out, cn_mem_default(), DOC_BYTES);
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    CHECK_OK(cn_profile_skeleton(&d, cn_str("PEERID"), &j));
    dump(j, CN_JSON_INDENT, &out);
    CHECK_OK(cn_buf_cstr(&out, &text));
    CHECK_STR(text, kubo_skeleton);
    cn_json_doc_release(&d);
    cn_buf_release(&out);
}

/* Put one recorded fact into a tree. */
static void put_fact(cn_json_doc *d, cn_json *root, const fact *f)
{
    cn_slice rest = cn_str(f->key);
    cn_json *at = root;
    cn_json *value = NULL;
    for (size_t len = cn_slice_find(rest, '.'); len < rest.len; len = cn_slice_find(rest, '.')) {
        at = cn_json_get(at, cn_slice_head(rest, len));
        rest = cn_slice_skip(rest, len + 1);
        if (!CHECK(at != NULL)) {
            return;
        }
    }
    if (f->json == NULL) {
        CHECK(cn_json_remove(at, rest));
        return;
    }
    CHECK_OK(cn_json_parse(d, cn_str(f->json), CN_JSON_WHOLE, &value, NULL));
    CHECK_OK(cn_json_set(d, at, rest, value));
}

/* The profile of row `i`, applied to the skeleton; all its rows put into another skeleton. */
static size_t check_profile(size_t i)
{
    cn_json_doc d;
    cn_json *ours = NULL;
    cn_json *shaped = NULL;
    cn_json *kubos = NULL;
    cn_buf a;
    cn_buf b;
    const char *a_text = NULL;
    const char *b_text = NULL;
    const char *name = kubo_profiles[i].profile;
    cn_buf_init(&a, cn_mem_default(), DOC_BYTES);
    cn_buf_init(&b, cn_mem_default(), DOC_BYTES);
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    CHECK(cn_profile_exists(cn_str(name)));
    CHECK_OK(cn_profile_skeleton(&d, cn_str("PEERID"), &ours));
    CHECK_OK(cn_profile_apply(rt, &d, ours, cn_str(name), NULL));
    CHECK_OK(cn_schema_check(&cn_schema_config, ours, NULL));
    CHECK_OK(cn_schema_shape(&d, &cn_schema_config, ours, &shaped));
    CHECK_OK(cn_json_parse(&d, cn_str(kubo_skeleton), CN_JSON_WHOLE, &kubos, NULL));
    for (; i < CN_LEN(kubo_profiles) && strcmp(kubo_profiles[i].profile, name) == 0; i++) {
        put_fact(&d, kubos, &kubo_profiles[i]);
    }
    cn_json_sort(kubos);
    cn_json_sort(shaped);
    dump(shaped, CN_JSON_INDENT, &a);
    dump(kubos, CN_JSON_INDENT, &b);
    CHECK_OK(cn_buf_cstr(&a, &a_text));
    CHECK_OK(cn_buf_cstr(&b, &b_text));
    CHECK_STR(a_text, b_text);
    cn_json_doc_release(&d);
    cn_buf_release(&a);
    cn_buf_release(&b);
    return i;
}

static void every_profile_does_what_kubos_does(void)
{
    size_t profiles = 0;
    for (size_t i = 0; i < CN_LEN(kubo_profiles); profiles++) {
        i = check_profile(i);
    }
    CHECK_EQ(profiles, 19);
}

static void random_ports_are_two_equal_ones(void)
{
    cn_json_doc d;
    cn_json *j = NULL;
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    CHECK_OK(cn_profile_skeleton(&d, cn_str("PEERID"), &j));
    CHECK_OK(cn_profile_apply(rt, &d, j, cn_str("randomports"), NULL));
    const cn_json *swarm = cn_json_get(cn_json_get(j, cn_str("Addresses")), cn_str("Swarm"));
    if (CHECK(swarm != NULL) && CHECK_EQ(swarm->len, 2)) {
        cn_slice v4 = cn_slice_skip(swarm->first->text, strlen("/ip4/0.0.0.0/tcp/"));
        cn_slice v6 = cn_slice_skip(swarm->last->text, strlen("/ip6/::/tcp/"));
        CHECK_BYTES(v4, v6);
        CHECK_EQ(v4.len, 5);
    }
    cn_json_doc_release(&d);
}

static void unknown_profiles_are_refused(void)
{
    cn_json_doc d;
    cn_json *j = NULL;
    cn_why why = {0};
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    CHECK_OK(cn_profile_skeleton(&d, cn_str("PEERID"), &j));
    CHECK_ERR(cn_profile_apply(rt, &d, j, cn_str("nosuch"), &why), CN_ERR_NOT_FOUND);
    CHECK_STR(why.text, "nosuch is not a profile");
    CHECK(!cn_profile_exists(cn_str("")));
    CHECK(!cn_profile_exists(cn_str(" server")));
    cn_json_doc_release(&d);
}

/* What was added is taken out again; what was there before stays. */
static void server_and_local_discovery_undo_each_other(void)
{
    cn_json_doc d;
    cn_json *j = NULL;
    cn_json *own = NULL;
    cn_json_doc_init(&d, cn_mem_default(), DOC_BYTES);
    CHECK_OK(cn_profile_skeleton(&d, cn_str("PEERID"), &j));
    cn_json *addresses = cn_json_get(j, cn_str("Addresses"));
    const char *list = "[\"/ip4/1.2.3.0/ipcidr/24\",\"/ip4/10.0.0.0/ipcidr/8\"]";
    CHECK_OK(cn_json_parse(&d, cn_str(list), CN_JSON_WHOLE, &own, NULL));
    CHECK_OK(cn_json_set(&d, addresses, cn_str("NoAnnounce"), own));
    CHECK_OK(cn_profile_apply(rt, &d, j, cn_str("server"), NULL));
    CHECK_OK(cn_profile_apply(rt, &d, j, cn_str("server"), NULL));
    CHECK_EQ(cn_json_get(addresses, cn_str("NoAnnounce"))->len, 20);
    CHECK_OK(cn_profile_apply(rt, &d, j, cn_str("local-discovery"), NULL));
    CHECK_EQ(cn_json_get(addresses, cn_str("NoAnnounce"))->len, 1);
    cn_json_doc_release(&d);
}

int main(void)
{
    if (cn_rt_os_new(1, &rt) != CN_OK) {
        return 1;
    }
    TEST(skeleton_is_kubos_byte_for_byte);
    TEST(every_profile_does_what_kubos_does);
    TEST(random_ports_are_two_equal_ones);
    TEST(unknown_profiles_are_refused);
    TEST(server_and_local_discovery_undo_each_other);
    cn_rt_os_free(rt);
    return test_end();
}
