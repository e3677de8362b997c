/*
 * Reading the configuration, its types by name, changes by key, sizes and durations.
 */
#include "base/duration.h"
#include "lib/test.h"
#include "node/config_file.h"
#include "node/schema.h"
#include "rt_os/rt_os.h"

#include <stdio.h>

static cn_rt *rt;

static void says(const char *text, cn_err expected, const char *sentence)
{
    cn_config *c = NULL;
    cn_why why = {0};
    CHECK_ERR(cn_config_parse(cn_mem_default(), cn_str(text), &c, &why), expected);
    CHECK_STR(why.text, sentence);
    cn_config_free(c);
}

static void wrong_types_are_named_as_kubo_names_them(void)
{
    says(
        "{\"Datastore\":{\"StorageGCWatermark\":\"x\"}}", CN_ERR_WRONG_TYPE,
        "json: cannot unmarshal string into Go struct field Datastore.Datastore."
        "StorageGCWatermark of type int64");
    says(
        "{\"Datastore\":{\"StorageGCWatermark\":91.5}}", CN_ERR_WRONG_TYPE,
        "json: cannot unmarshal number 91.5 into Go struct field Datastore.Datastore."
        "StorageGCWatermark of type int64");
    says(
        "{\"Datastore\":{\"StorageGCWatermark\":99999999999999999999}}", CN_ERR_WRONG_TYPE,
        "json: cannot unmarshal number 99999999999999999999 into Go struct field "
        "Datastore.Datastore.StorageGCWatermark of type int64");
    says(
        "{\"Addresses\":{\"API\":true}}", CN_ERR_WRONG_TYPE,
        "json: cannot unmarshal bool into Go struct field Addresses.Addresses.API of type string");
    says(
        "{\"Discovery\":{\"MDNS\":{\"Enabled\":\"false\"}}}", CN_ERR_WRONG_TYPE,
        "json: cannot unmarshal string into Go struct field MDNS.Discovery.MDNS.Enabled of type "
        "bool");
    says(
        "{\"Datastore\":{\"BlockKeyCacheSize\":\"x\"}}", CN_ERR_WRONG_TYPE,
        "json: cannot unmarshal string into Go struct field Datastore.Datastore.BlockKeyCacheSize "
        "of type int64");
    says(
        "{\"Import\":{\"UnixFSRawLeaves\":1}}", CN_ERR_WRONG_TYPE,
        "failed to unmarshal \"1\" into a flag: must be null/undefined, true, or false");
    says(
        "[]", CN_ERR_WRONG_TYPE,
        "json: cannot unmarshal array into Go value of type config.Config");
    says("{", CN_ERR_TRUNCATED, "unexpected EOF");
    says("", CN_ERR_TRUNCATED, "EOF");
}

static void getters_read_what_is_there(void)
{
    const char *text = "{\"addresses\":{\"API\":[\"/a\",\"/b\"],\"Gateway\":\"/g\"},\"Import\":{"
                       "\"CidVersion\":1,\"UnixFSRawLeaves\":null},\"Datastore\":{\"StorageMax\":"
                       "\"1.5 GB\",\"HashOnRead\":true},\"New\":{\"x\":1}} trailing";
    cn_config *c = NULL;
    cn_slice s = {0};
    uint64_t bytes = 0;
    int64_t ns = 0;
    CHECK_OK(cn_config_parse(cn_mem_default(), cn_str(text), &c, NULL));
    CHECK(cn_config_strings(c, "Addresses.API", 1, &s));
    CHECK_BYTES(s, cn_str("/b"));
    CHECK(!cn_config_strings(c, "Addresses.API", 2, &s));
    CHECK(cn_config_strings(c, "Addresses.Gateway", 0, &s));
    CHECK_BYTES(s, cn_str("/g"));
    CHECK(!cn_config_strings(c, "Addresses.Gateway", 1, &s));
    CHECK(!cn_config_strings(c, "Addresses.Swarm", 0, &s));
    CHECK_EQ(cn_config_i64(c, "Import.CidVersion", 0), 1);
    CHECK_EQ(cn_config_i64(c, "Import.UnixFSFileMaxLinks", 174), 174);
    CHECK(cn_config_bool(c, "Import.UnixFSRawLeaves", true));
    CHECK(cn_config_bool(c, "Datastore.HashOnRead", false));
    CHECK_OK(cn_config_bytes(c, "Datastore.StorageMax", 0, &bytes, NULL));
    CHECK_EQ(bytes, 1500000000);
    CHECK_OK(cn_config_duration(c, "Gateway.RetrievalTimeout", 30, &ns, NULL));
    CHECK_EQ(ns, 30);
    CHECK(cn_config_get(c, "Import.UnixFSRawLeaves") == NULL);
    CHECK(cn_config_get(c, "New.x") != NULL);
    CHECK(cn_config_get(c, "New.x.y") == NULL);
    cn_config_free(c);
}

static void sizes_and_durations_are_read_as_go_reads_them(void)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {
        {"0", 0},
        {"10GB", 10000000000},
        {"256KiB", 262144},
        {"1.5 gb", 1500000000},
        {"1,000", 1000},
        {" 5", UINT64_MAX},
        {"5 MiB ", 5242880},
        {"zz", UINT64_MAX},
        {"", UINT64_MAX},
        {"5x", UINT64_MAX},
        {"1..5", UINT64_MAX},
        {"16EiB", UINT64_MAX},
        {"2k", 2000},
        {"15EiB", 17293822569102704640u}};
    static const struct {
        const char *text;
        int64_t ns;
        const char *written;
    } times[] = {
        {"1h", 3600 * CN_NS_PER_S, "1h0m0s"},
        {"1m30.5s", 90500000000, "1m30.5s"},
        {"-1.5h", -5400 * CN_NS_PER_S, "-1h30m0s"},
        {"0", 0, "0s"},
        {"100ms", 100000000, "100ms"},
        {"1us", 1000, "1\xc2\xb5s"},
        {".5s", 500000000, "500ms"},
        {"22h0m0s", 79200 * CN_NS_PER_S, "22h0m0s"}};
    static const char *const wrong[] = {"",   "5",  "x",        "1h1", "s",
                                        ".s", "1d", "9999999h", "+",   "1 h"};
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 100);
    for (size_t i = 0; i < CN_LEN(sizes); i++) {
        uint64_t bytes = UINT64_MAX;
        bool good = cn_size_parse(cn_str(sizes[i].text), &bytes, NULL) == CN_OK;
        CHECK(good == (sizes[i].bytes != UINT64_MAX));
        CHECK_EQ(bytes, sizes[i].bytes);
    }
    for (size_t i = 0; i < CN_LEN(times); i++) {
        int64_t ns = 0;
        CHECK_OK(cn_duration_parse(cn_str(times[i].text), &ns, NULL));
        CHECK_EQ(ns, times[i].ns);
        cn_buf_reset(&out);
        CHECK_OK(cn_duration_text(ns, &out));
        CHECK_BYTES(cn_buf_slice(&out), cn_str(times[i].written));
    }
    for (size_t i = 0; i < CN_LEN(wrong); i++) {
        int64_t ns = 7;
        CHECK_ERR(cn_duration_parse(cn_str(wrong[i]), &ns, NULL), CN_ERR_USAGE);
        CHECK_EQ(ns, 7);
    }
    cn_buf_release(&out);
}

static void keys_that_do_not_exist_are_refused(void)
{
    static const struct {
        const char *key;
        const char *sentence;
    } keys[] = {
        {"Foo.Bar", "Foo not found"},
        {"Addresses.API.x", "Addresses.API key is not a map"},
        {"Addresses.", "Addresses. not found"},
        {"", " not found"},
        {"Import.CidVersion.x", "Import.CidVersion.x not found"}};
    for (size_t i = 0; i < CN_LEN(keys); i++) {
        cn_why why = {0};
        CHECK(cn_schema_check_key(cn_str(keys[i].key), &why) != CN_OK);
        CHECK_STR(why.text, keys[i].sentence);
    }
    CHECK_OK(cn_schema_check_key(cn_str("Gateway.HTTPHeaders.X-A"), NULL));
    CHECK_OK(cn_schema_check_key(cn_str("Datastore.Spec.a.b.c"), NULL));
    CHECK_OK(cn_schema_check_key(cn_str("Swarm.Transports.Security.TLS"), NULL));
}

/* Set one key in a file of odd content; what else is there stays as it was. */
static void unknown_keys_and_large_numbers_survive_a_change(void)
{
    const char *text = "{\"z\":[123456789012345678901234567890,1.10,-0],\"Addresses\":{\"New\":"
                       "\"\\u00e9<\",\"API\":\"/a\"},\"a\":{\"deep\":null}}";
    const char *expected =
        "{\n  \"Addresses\": {\n    \"API\": \"/b\",\n    \"New\": "
        "\"\xc3\xa9\\u003c\"\n  },\n  \"a\": {\n    \"deep\": null\n  },\n  \"z\": "
        "[\n    123456789012345678901234567890,\n    1.10,\n    -0\n  ]\n}";
    char path[256];
    cn_config_file f = {0};
    cn_json *value = NULL;
    cn_buf out;
    cn_path_stat st = {0};
    cn_why why = {0};
    cn_buf_init(&out, cn_mem_default(), 4096);
    (void)snprintf(path, sizeof path, "%s/config", test_temp_dir());
    CHECK_OK(cn_rt_write_file(rt, path, cn_str(text), NULL));
    CHECK_OK(cn_config_file_open(rt, cn_mem_default(), path, &f, NULL));
    CHECK_OK(cn_json_new_string(&f.doc, cn_str("/b"), &value));
    CHECK_OK(cn_config_file_set(&f, cn_str("Addresses.API"), value, NULL));
    CHECK_OK(cn_config_file_save(&f, NULL));
    CHECK_OK(cn_json_new_number(&f.doc, 5, &value));
    CHECK_ERR(cn_config_file_set(&f, cn_str("Addresses.API"), value, &why), CN_ERR_WRONG_TYPE);
    CHECK(strstr(why.text, "of type string") != NULL);
    cn_config_file_release(&f);
    CHECK_OK(cn_rt_read_file(rt, path, &out, NULL));
    CHECK_BYTES(cn_buf_slice(&out), cn_str(expected));
    CHECK_OK(cn_path_stat_of(rt, path, &st));
    CHECK_EQ(st.mode, 0600);
    cn_buf_release(&out);
}

static void secrets_are_not_shown(void)
{
    const char *text =
        "{\"Identity\":{\"PeerID\":\"p\",\"PrivKey\":\"k\"},\"API\":{\"Authorizations\":{\"a\":{}}}"
        ","
        "\"Pinning\":{\"RemoteServices\":{\"s\":{\"API\":{\"Endpoint\":\"e\",\"Key\":\"k\"}}}}}";
    cn_json_doc d;
    cn_json *j = NULL;
    cn_buf out;
    cn_buf_init(&out, cn_mem_default(), 4096);
    cn_json_doc_init(&d, cn_mem_default(), 1 << 20);
    CHECK_OK(cn_json_parse(&d, cn_str(text), CN_JSON_WHOLE, &j, NULL));
    cn_config_scrub(j);
    CHECK_OK(cn_json_dump(j, 0, &out));
    CHECK_BYTES(
        cn_buf_slice(&out),
        cn_str("{\"Identity\":{\"PeerID\":\"p\"},\"API\":{\"Authorizations\":{}},\"Pinning\":{"
               "\"RemoteServices\":{\"s\":{\"API\":{\"Endpoint\":\"e\"}}}}}"));
    cn_buf_release(&out);
    cn_json_doc_release(&d);
    CHECK_ERR(cn_config_key_allowed(cn_str("identity.PRIVKEY"), NULL), CN_ERR_PERMISSION);
    CHECK_ERR(cn_config_key_allowed(cn_str("Pinning"), NULL), CN_ERR_PERMISSION);
    CHECK_OK(cn_config_key_allowed(cn_str("Pinning.RemoteServices.a.Policies"), NULL));
}

static void a_missing_or_huge_file_is_an_error_with_its_path(void)
{
    char path[256];
    cn_config *c = NULL;
    cn_why why = {0};
    (void)snprintf(path, sizeof path, "%s/none", test_temp_dir());
    CHECK_ERR(cn_config_load(rt, cn_mem_default(), path, &c, &why), CN_ERR_NOT_FOUND);
    CHECK(strstr(why.text, "/none") != NULL);
    CHECK_OK(cn_rt_write_file(rt, path, cn_str("{"), NULL));
    CHECK_ERR(cn_config_load(rt, cn_mem_default(), path, &c, &why), CN_ERR_TRUNCATED);
    CHECK(strstr(why.text, "/none: failure to decode config: unexpected EOF") != NULL);
}

static cn_err parse_all(cn_mem *mem)
{
    cn_config *c = NULL;
    cn_err err = cn_config_parse(
        mem, cn_str("{\"Addresses\":{\"API\":\"/a\"},\"Bootstrap\":[\"x\"]}"), &c, NULL);
    cn_config_free(c);
    return err;
}

static void memory_may_run_out(void)
{
    test_out_of_memory(parse_all);
}

int main(void)
{
    if (cn_rt_os_new(1, &rt) != CN_OK) {
        return 1;
    }
    TEST(wrong_types_are_named_as_kubo_names_them);
    TEST(getters_read_what_is_there);
    TEST(sizes_and_durations_are_read_as_go_reads_them);
    TEST(keys_that_do_not_exist_are_refused);
    TEST(unknown_keys_and_large_numbers_survive_a_change);
    TEST(secrets_are_not_shown);
    TEST(a_missing_or_huge_file_is_an_error_with_its_path);
    TEST(memory_may_run_out);
    cn_rt_os_free(rt);
    return test_end();
}
